//! The faces that are in a place outside the database: how they are put there before their record, and fetched.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::FaceImage;
use crate::faces::sealing::{self, ObjectSubject, Subject};
use crate::faces::{DataKey, FaceKeyId, FacePlace, ObjectName, PlaceError, StoredObject};
use crate::store::engine::error::StoreError;
use crate::store::keys::{FaceKeys, FoundObject, SealedObject};
use crate::store::queue::read_pool::BlockingThreads;
use crate::trail::leaf::{Sha256, sha256};

/// The most objects that are put or fetched at once. Each of them waits on a thread.
const AT_ONCE: usize = 64;

/// The place of faces outside the database.
#[derive(Debug)]
pub(crate) struct FaceObjects {
    place: Arc<dyn FacePlace>,
    takes_new: bool,
    threads: BlockingThreads,
}

/// A face that was put, and whose record is not there yet.
#[derive(Debug)]
pub(crate) struct PutFace {
    name: ObjectName,
    key_id: FaceKeyId,
    key: DataKey,
    digest: Sha256,
}

/// The object of a face that was put.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PutObject {
    name: ObjectName,
    key_id: FaceKeyId,
}

/// A face that its row says is in an object.
#[derive(Debug)]
pub(crate) struct FaceInObject {
    pub(crate) check_id: i64,
    pub(crate) user_id: i64,
    pub(crate) media_type: String,
    pub(crate) name: String,
    pub(crate) sealed_digest: Vec<u8>,
}

impl FaceObjects {
    /// `takes_new` says whether new faces are put there. Otherwise those are read that are there.
    pub(crate) fn new(place: Arc<dyn FacePlace>, takes_new: bool) -> Self {
        Self {
            place,
            takes_new,
            threads: BlockingThreads::new(AT_ONCE, "the place of the faces"),
        }
    }

    /// Whether new faces are put there.
    pub(crate) fn takes_new(&self) -> bool {
        self.takes_new
    }

    /// Seals a face, and puts it. Until its record is committed, nothing leads to it: it was put in vain then.
    pub(crate) async fn put(
        self: &Arc<Self>,
        keys: &Arc<FaceKeys>,
        user_id: i64,
        image: FaceImage,
    ) -> Result<(FaceImage, PutFace), StoreError> {
        let (place, keys) = (Arc::clone(&self.place), Arc::clone(keys));
        let put = move || {
            let name = ObjectName::random().map_err(StoreError::unavailable)?;
            let subject = ObjectSubject {
                name: &name,
                user_id,
                media_type: image.media_type().name(),
            };
            let SealedObject { key_id, key, bytes } = keys.seal_object(subject, image.bytes())?;
            let digest = sha256(&[&bytes]);
            if let Err(error) = place.put(&name, bytes) {
                // Whether the object is there or not, nobody can open it.
                keys.erase(&key_id)?;
                return Err(StoreError::unavailable(error));
            }
            let put = PutFace {
                name,
                key_id,
                key,
                digest,
            };
            Ok((image, put))
        };
        self.threads.read(put).await
    }

    /// Deletes the key of an object, and then the object.
    pub(crate) async fn discard(self: &Arc<Self>, keys: &Arc<FaceKeys>, object: PutObject) -> Result<(), StoreError> {
        let (place, keys) = (Arc::clone(&self.place), Arc::clone(keys));
        let discard = move || {
            keys.erase(&object.key_id)?;
            place.delete(&object.name).map_err(StoreError::unavailable)
        };
        self.threads.read(discard).await
    }

    /// Fetches a face and opens it. Returns it with the digest of its object, or `None` if it was erased.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        keys: &Arc<FaceKeys>,
        face: FaceInObject,
    ) -> Result<Option<(Vec<u8>, Sha256)>, StoreError> {
        let (place, keys) = (Arc::clone(&self.place), Arc::clone(keys));
        self.threads.read(move || fetch(&*place, &keys, face)).await
    }

    /// The digest of an object, or `None` if it is not there. Blocks.
    pub(crate) fn digest_of(&self, name: &str) -> Result<Option<Sha256>, StoreError> {
        let Some(name) = ObjectName::parse(name) else {
            return Ok(None);
        };
        let object = self.place.get(&name).map_err(StoreError::unavailable)?;
        Ok(object.map(|object| sha256(&[&object])))
    }

    /// Deletes an object. Blocks.
    pub(crate) fn delete(&self, name: &ObjectName) -> Result<(), StoreError> {
        self.place.delete(name).map_err(StoreError::unavailable)
    }

    /// Shows each object. Blocks.
    pub(crate) fn list(&self, mut found: impl FnMut(StoredObject) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.place.list(&mut found).map_err(StoreError::unavailable)
    }

    /// Marks the place as that of an owner, unless it is marked. Returns whether it is marked as that of this owner. Blocks.
    pub(crate) fn claim(&self, owner: &str) -> Result<bool, PlaceError> {
        let owned = |mark: &[u8]| mark == owner.as_bytes();
        if let Some(mark) = self.place.get(&ObjectName::MARK)? {
            return Ok(owned(&mark));
        }
        let put = self.place.put(&ObjectName::MARK, owner.as_bytes().to_vec());
        // Another may have been faster.
        match self.place.get(&ObjectName::MARK)? {
            Some(mark) => Ok(owned(&mark)),
            None => put.map(|()| false),
        }
    }

    /// Looks whether the place can be used. Blocks.
    pub(crate) fn check(&self) -> Result<(), PlaceError> {
        self.place.check()
    }
}

fn fetch(place: &dyn FacePlace, keys: &FaceKeys, face: FaceInObject) -> Result<Option<(Vec<u8>, Sha256)>, StoreError> {
    let subject = Subject {
        check_id: face.check_id,
        user_id: face.user_id,
        media_type: &face.media_type,
    };
    let name = ObjectName::parse(&face.name)
        .ok_or_else(|| StoreError::internal(format!("the face of record {} is in no object of ours", face.check_id)))?;
    let bytes = place.get(&name).map_err(StoreError::unavailable)?;
    let found = FoundObject {
        subject: ObjectSubject {
            name: &name,
            user_id: face.user_id,
            media_type: &face.media_type,
        },
        bytes,
        sealed_digest: face.sealed_digest,
    };
    keys.open_object(subject, found)
}

impl PutFace {
    /// Its object.
    pub(crate) fn object(&self) -> PutObject {
        PutObject {
            name: self.name,
            key_id: self.key_id,
        }
    }

    /// The name of its object.
    pub(crate) fn name(&self) -> &ObjectName {
        &self.name
    }

    /// The key that it is sealed with.
    pub(crate) fn key_id(&self) -> FaceKeyId {
        self.key_id
    }

    /// SHA-256 of its object.
    pub(crate) fn digest(&self) -> Sha256 {
        self.digest
    }

    /// Binds the object to its record: what the row of the face has.
    pub(crate) fn bind(&self, subject: Subject<'_>) -> Result<Vec<u8>, StoreError> {
        sealing::seal(&self.key, &self.key_id, subject, &self.digest).map_err(StoreError::unavailable)
    }
}
