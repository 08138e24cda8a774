//! The data keys of faces: made and wrapped, found and unwrapped.

use super::{FaceKeys, table, unavailable};
use crate::faces::{DataKey, FaceKeyId, KeeperError, KeyId};
use crate::store::engine::error::StoreError;
use crate::{Clock as _, SystemClock, Timestamp};

impl FaceKeys {
    /// The key of a face, or why its keeper does not unwrap it. `None` if it was erased.
    pub(super) fn key(&self, key_id: &FaceKeyId) -> Result<Option<Result<DataKey, KeeperError>>, StoreError> {
        let find = || self.connections.read(|conn| table::find(conn, key_id));
        let Some((kek_id, wrapped)) = find()? else {
            return Ok(None);
        };
        match self.unwrap(&kek_id, &wrapped, key_id) {
            // A rotation has come between the two steps, if the key is wrapped by another now.
            Err(KeeperError::NoSuchKey(missing)) => match find()? {
                Some((now, wrapped)) if now != missing.as_str() => Ok(Some(self.unwrap(&now, &wrapped, key_id))),
                Some(_) => Ok(Some(Err(KeeperError::NoSuchKey(missing)))),
                None => Ok(None),
            },
            unwrapped => Ok(Some(unwrapped)),
        }
    }

    pub(super) fn unwrap(&self, kek_id: &str, wrapped: &[u8], key_id: &FaceKeyId) -> Result<DataKey, KeeperError> {
        let kek_id = KeyId::parse(kek_id).ok_or(KeeperError::Changed)?;
        self.keeper.unwrap(&kek_id, wrapped, key_id.as_bytes())
    }

    /// Makes data keys, and stores them wrapped. They are durable when this returns.
    pub(super) fn make(&self, many: usize) -> Result<Vec<(FaceKeyId, DataKey)>, StoreError> {
        // A rotation may retire the key-encryption key between the wrapping and the commit. The next one is current then.
        for _ in 0..3 {
            let now = SystemClock.now();
            let (keys, wrapped) = self.wrap_new(many, now).map_err(unavailable)?;
            if self.write(|conn| table::add(conn, &wrapped, now.unix_millis()))? {
                return Ok(keys);
            }
        }
        Err(StoreError::unavailable(
            "the key-encryption keys are rotated again and again",
        ))
    }

    #[expect(clippy::type_complexity, reason = "the keys, and the rows of them")]
    fn wrap_new(
        &self,
        many: usize,
        now: Timestamp,
    ) -> Result<(Vec<(FaceKeyId, DataKey)>, Vec<table::Wrapped>), KeeperError> {
        let new = || Ok((FaceKeyId::new(now)?, DataKey::random()?));
        let keys = (0..many).map(|_| new()).collect::<Result<Vec<_>, KeeperError>>()?;
        let bound: Vec<_> = keys.iter().map(|(id, key)| (key, id.as_bytes().as_slice())).collect();
        let wrapped = self.keeper.wrap_all(&bound)?;
        let row = |((key_id, _), (kek_id, wrapped)): (&(FaceKeyId, DataKey), (KeyId, Vec<u8>))| table::Wrapped {
            key_id: *key_id,
            kek_id: kek_id.to_string(),
            wrapped,
        };
        let rows = keys.iter().zip(wrapped).map(row).collect();
        Ok((keys, rows))
    }
}
