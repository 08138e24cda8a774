//! Seals and opens faces in objects outside the database.

use super::{FaceKeys, does_not_open, of_key_store, unavailable};
use crate::faces::sealing::{self, ObjectSubject, Subject};
use crate::faces::{DataKey, FaceKeyId};
use crate::store::engine::error::StoreError;
use crate::trail::leaf::{Sha256, sha256};

/// A face that was sealed for an object, and the key that it is sealed with.
#[derive(Debug)]
pub(crate) struct SealedObject {
    pub(crate) key_id: FaceKeyId,
    pub(crate) key: DataKey,
    pub(crate) bytes: Vec<u8>,
}

/// A sealed face in an object, as it was found.
pub(crate) struct FoundObject<'a> {
    pub(crate) subject: ObjectSubject<'a>,
    /// The object, unless it is gone.
    pub(crate) bytes: Option<Vec<u8>>,
    /// What its row has: the sealed SHA-256 of the object.
    pub(crate) sealed_digest: Vec<u8>,
}

impl FaceKeys {
    /// Seals a face for an object, as [`seal`](Self::seal) does.
    pub(crate) fn seal_object(&self, subject: ObjectSubject<'_>, face: &[u8]) -> Result<SealedObject, StoreError> {
        let (key_id, key) = self.supply.take(|many| self.make(many)).map_err(of_key_store)?;
        let bytes = sealing::seal(&key, &key_id, subject, face).map_err(unavailable)?;
        Ok(SealedObject { key_id, key, bytes })
    }

    /// Opens a sealed face in an object. Returns it with the digest of its object, or `None` if its key was erased.
    pub(crate) fn open_object(
        &self,
        subject: Subject<'_>,
        found: FoundObject<'_>,
    ) -> Result<Option<(Vec<u8>, Sha256)>, StoreError> {
        let Some(key) = self.key_of(subject, &found.sealed_digest)? else {
            return Ok(None);
        };
        let put = sealing::open(&key, subject, found.sealed_digest);
        let put = put.map_err(|why| does_not_open(subject, &why))?;
        let Some(bytes) = found.bytes else {
            return Err(does_not_open(subject, &"its object is gone"));
        };
        let digest = sha256(&[&bytes]);
        if put != digest {
            return Err(does_not_open(subject, &"its object is not the one that was put"));
        }
        let opened = sealing::open(&key, found.subject, bytes);
        let opened = opened.map_err(|why| does_not_open(subject, &why))?;
        Ok(Some((opened, digest)))
    }
}
