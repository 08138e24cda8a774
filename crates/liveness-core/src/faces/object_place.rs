//! A place for faces in whatever the crate `object_store` speaks: S3 and what is like it, a folder, the memory of a test.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use pollster::block_on;

use super::object_name::ObjectName;
use super::place::{FacePlace, PlaceError, StoredObject};
use crate::Timestamp;

/// How long an operation is tried again. Who records a face waits for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// The time before the second try. Each further one waits twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Faces as objects of an [`ObjectStore`], under a prefix that is theirs alone.
///
/// The object store must not need a tokio runtime, and must not try again by itself: this does.
///
/// ```
/// use std::sync::Arc;
///
/// use liveness_core::faces::{FacePlace, ObjectName, ObjectPlace};
/// use object_store::memory::InMemory;
///
/// let place = ObjectPlace::new(Arc::new(InMemory::new()), "faces")?;
/// place.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ObjectPlace {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl fmt::Debug for ObjectPlace {
    /// Without the settings of the store, which hold its credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectPlace({}, {})", self.store, self.prefix)
    }
}

impl ObjectPlace {
    /// Takes the objects under a prefix. An empty prefix takes all of the store.
    ///
    /// # Errors
    ///
    /// [`PlaceError::Refused`] when the prefix is no path.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self, PlaceError> {
        let prefix = Path::parse(prefix).map_err(|error| PlaceError::Refused(error.to_string()))?;
        Ok(Self { store, prefix })
    }

    fn path(&self, name: &ObjectName) -> Path {
        self.prefix.clone().join(name.to_string())
    }

    fn get_once(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        block_on(async {
            match self.store.get(path).await {
                Ok(found) => found.bytes().await.map(|bytes| Some(bytes.to_vec())),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

impl FacePlace for ObjectPlace {
    fn put(&self, name: &ObjectName, sealed: Vec<u8>) -> Result<(), PlaceError> {
        let (path, payload) = (self.path(name), PutPayload::from(sealed));
        let create = PutOptions::from(PutMode::Create);
        let mut tries = 0;
        retrying(|| {
            tries += 1;
            match block_on(self.store.put_opts(&path, payload.clone(), create.clone())) {
                // The name is random: it is the object of a try before, whose answer was lost.
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) if tries > 1 => Ok(()),
                put => put.map(drop),
            }
        })
    }

    fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, PlaceError> {
        let path = self.path(name);
        retrying(|| self.get_once(&path))
    }

    fn delete(&self, name: &ObjectName) -> Result<(), PlaceError> {
        let path = self.path(name);
        retrying(|| match block_on(self.store.delete(&path)) {
            Err(Error::NotFound { .. }) => Ok(()),
            deleted => deleted,
        })
    }

    fn list(&self, found: &mut dyn FnMut(StoredObject) -> ControlFlow<()>) -> Result<(), PlaceError> {
        let mut objects = self.store.list(Some(&self.prefix));
        while let Some(object) = block_on(objects.next()) {
            let object = object.map_err(|error| place_error(&error))?;
            if let Some(object) = self.stored(&object)
                && found(object).is_break()
            {
                break;
            }
        }
        Ok(())
    }
}

impl ObjectPlace {
    /// The face in a listed object. `None` if another program has put the object there.
    fn stored(&self, object: &ObjectMeta) -> Option<StoredObject> {
        let mut below = object.location.prefix_match(&self.prefix)?;
        let name = ObjectName::parse(below.next()?.as_ref())?;
        if below.next().is_some() {
            return None;
        }
        let put_at = Timestamp::from_unix_millis(object.last_modified.timestamp_millis())?;
        Some(StoredObject { name, put_at })
    }
}

/// Tries again what may succeed later, for as long as who waits for it has patience.
fn retrying<T>(mut operation: impl FnMut() -> Result<T, Error>) -> Result<T, PlaceError> {
    let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let error = match operation() {
            Ok(done) => return Ok(done),
            Err(error) => place_error(&error),
        };
        if matches!(error, PlaceError::Refused(_)) || begun.elapsed() + pause > PATIENCE {
            return Err(error);
        }
        thread::sleep(pause);
        pause *= 2;
    }
}

fn place_error(error: &Error) -> PlaceError {
    let told = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    match error {
        Error::NotFound { .. }
        | Error::InvalidPath { .. }
        | Error::NotSupported { .. }
        | Error::AlreadyExists { .. }
        | Error::Precondition { .. }
        | Error::NotImplemented { .. }
        | Error::PermissionDenied { .. }
        | Error::Unauthenticated { .. }
        | Error::UnknownConfigurationKey { .. } => PlaceError::Refused(told),
        _ => PlaceError::Unreachable(told),
    }
}
