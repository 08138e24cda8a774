//! The interface to a place for faces outside the database: an object store, a folder.

use std::fmt;
use std::ops::ControlFlow;

use super::object_name::ObjectName;
use crate::Timestamp;

/// Keeps sealed faces outside the database, as objects under random names. What it is given is sealed: it never sees a face.
///
/// All of its operations block. The store calls them on threads of its own, many at once, and never within a transaction. Each
/// operation must end within a few seconds: who records a face waits for it.
///
/// An embedding backend can bring a place of its own:
///
/// ```
/// use std::ops::ControlFlow;
///
/// use liveness_core::faces::{FacePlace, ObjectName, PlaceError, StoredObject};
///
/// /// Keeps faces with the client of a storage service.
/// #[derive(Debug)]
/// struct OfService(Client);
///
/// impl FacePlace for OfService {
///     fn put(&self, name: &ObjectName, sealed: Vec<u8>) -> Result<(), PlaceError> {
///         self.0.upload(&name.to_string(), sealed).map_err(PlaceError::Unreachable)
///     }
///
///     fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, PlaceError> {
///         self.0.download(&name.to_string()).map_err(PlaceError::Unreachable)
///     }
///
///     fn delete(&self, name: &ObjectName) -> Result<(), PlaceError> {
///         self.0.remove(&name.to_string()).map_err(PlaceError::Unreachable)
///     }
///
///     fn list(&self, found: &mut dyn FnMut(StoredObject) -> ControlFlow<()>) -> Result<(), PlaceError> {
///         for (name, put_at) in self.0.files().map_err(PlaceError::Unreachable)? {
///             // What others have put there is left alone.
///             let Some(name) = ObjectName::parse(&name) else { continue };
///             if found(StoredObject { name, put_at }).is_break() {
///                 break;
///             }
///         }
///         Ok(())
///     }
/// }
///
/// # use liveness_core::Timestamp;
/// # use std::collections::BTreeMap;
/// # use std::sync::Mutex;
/// # #[derive(Debug, Default)]
/// # struct Client(Mutex<BTreeMap<String, Vec<u8>>>);
/// # impl Client {
/// #     fn upload(&self, name: &str, bytes: Vec<u8>) -> Result<(), String> { self.0.lock().unwrap().insert(name.into(), bytes); Ok(()) }
/// #     fn download(&self, name: &str) -> Result<Option<Vec<u8>>, String> { Ok(self.0.lock().unwrap().get(name).cloned()) }
/// #     fn remove(&self, name: &str) -> Result<(), String> { self.0.lock().unwrap().remove(name); Ok(()) }
/// #     fn files(&self) -> Result<Vec<(String, Timestamp)>, String> {
/// #         let now = Timestamp::from_unix_millis(0).unwrap();
/// #         Ok(self.0.lock().unwrap().keys().map(|name| (name.clone(), now)).collect())
/// #     }
/// # }
/// let place = OfService(Client::default());
/// place.check()?;
/// # Ok::<(), PlaceError>(())
/// ```
pub trait FacePlace: fmt::Debug + Send + Sync {
    /// Puts an object. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`PlaceError`]: the object may be there or not.
    fn put(&self, name: &ObjectName, sealed: Vec<u8>) -> Result<(), PlaceError>;

    /// The bytes of an object, or `None` if there is no such object.
    ///
    /// # Errors
    ///
    /// [`PlaceError`]. That an object is not there is not an error.
    fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, PlaceError>;

    /// Deletes an object. If there is none of that name, this does nothing.
    ///
    /// # Errors
    ///
    /// [`PlaceError`]: the object may be there or not.
    fn delete(&self, name: &ObjectName) -> Result<(), PlaceError>;

    /// Shows each object, in any order, until `found` breaks. An object that is put or deleted meanwhile may be shown or not.
    ///
    /// # Errors
    ///
    /// [`PlaceError`]: not all objects were shown.
    fn list(&self, found: &mut dyn FnMut(StoredObject) -> ControlFlow<()>) -> Result<(), PlaceError>;

    /// Looks whether objects can be put, got and deleted, with an object of its own.
    ///
    /// # Errors
    ///
    /// [`PlaceError`], which says what cannot be done.
    fn check(&self) -> Result<(), PlaceError> {
        let name = ObjectName::random().map_err(|error| PlaceError::Refused(error.to_string()))?;
        let probe = name.to_string().into_bytes();
        self.put(&name, probe.clone())?;
        let found = self.get(&name);
        self.delete(&name)?;
        match found? {
            Some(found) if found == probe => Ok(()),
            Some(_) => Err(PlaceError::Refused(
                "it gives back other bytes than were put".to_owned(),
            )),
            None => Err(PlaceError::Refused("it does not give back what was put".to_owned())),
        }
    }
}

/// An object of a [`FacePlace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredObject {
    /// Its name.
    pub name: ObjectName,
    /// When it was put, by the clock of the place.
    pub put_at: Timestamp,
}

/// Why a place could not do what it was asked. No message holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// It does not answer, or is in trouble of its own. A later try may succeed.
    #[error("the place of the faces is out of reach: {0}")]
    Unreachable(String),
    /// It answers, and does not do what is asked. A change of its settings is needed.
    #[error("the place of the faces refuses: {0}")]
    Refused(String),
}
