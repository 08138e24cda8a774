//! Rotation: a new key-encryption key wraps all keys of faces anew, and the old one is destroyed. From then on, no backup of
//! the key store from before opens a face that was erased.

use super::table::{self, Wrapped};
use super::{FaceKeys, PATIENCE};
use crate::faces::{KeeperError, KeyId};
use crate::store::engine::error::StoreError;
use crate::{Clock as _, Shown, SystemClock};

/// How many keys are wrapped anew in one transaction. Those who record wait for it at most.
const STEP: i64 = 256;

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The key that wraps from now on.
    pub current: KeyId,
    /// The keys that were destroyed.
    pub destroyed: Vec<KeyId>,
    /// How many keys of faces were wrapped anew.
    pub rewrapped: u64,
}

impl Rotated {
    /// The names of the keys that were destroyed, in one line.
    pub fn destroyed_names(&self) -> String {
        let names: Vec<_> = self.destroyed.iter().map(KeyId::as_str).collect();
        names.join(", ")
    }

    /// What the audit entry of the rotation says.
    pub fn shown(&self) -> Shown {
        let (gone, current, rewrapped) = (self.destroyed_names(), &self.current, self.rewrapped);
        Shown {
            detail: Some(format!("done; {gone} destroyed, {rewrapped} keys wrapped by {current}")),
            ..Shown::default()
        }
    }
}

/// Why a rotation ended before its time. Nothing is lost: every face still opens, and the next rotation goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The keeper of the key-encryption keys refused.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// The key store refused.
    #[error("the key store: {}", .0.cause())]
    Store(#[from] StoreError),
}

impl FaceKeys {
    /// Makes a new key-encryption key, wraps all keys of faces anew with it, and destroys the old one. Others record and look
    /// at faces meanwhile. A rotation that was interrupted is gone on with, and makes no other key. Blocks.
    ///
    /// `progress` is called with the number of keys that were wrapped anew so far.
    ///
    /// # Errors
    ///
    /// [`RotationError`].
    pub fn rotate(&self, mut progress: impl FnMut(u64)) -> Result<Rotated, RotationError> {
        let mut retired = self.write(table::retired)?;
        if retired.is_empty() {
            let before = self.keeper.current()?;
            self.keeper.rotate()?;
            self.write(|conn| {
                table::lock_keks(conn)?;
                // Another rotation may have made a newer key meanwhile. All but the newest are retired, whoever comes last.
                let newest = self.keeper.current().map_err(StoreError::unavailable)?;
                table::retire(conn, newest.as_str(), before.as_str(), now())
            })?;
            retired = self.write(table::retired)?;
        }
        let (mut rewrapped, mut destroyed) = (0, Vec::new());
        for old in retired {
            let old = KeyId::parse(&old).ok_or(KeeperError::Changed)?;
            self.rewrap_all(&old, |many| {
                rewrapped += many;
                progress(rewrapped);
            })?;
            self.keeper.destroy(&old)?;
            self.write(|conn| table::note_destroyed(conn, old.as_str(), now()))?;
            destroyed.push(old);
        }
        self.forget_deleted(PATIENCE)?;
        Ok(Rotated {
            current: self.keeper.current()?,
            destroyed,
            rewrapped,
        })
    }

    /// Wraps all keys anew that `old` wraps. It wraps no more of them afterwards, because it is retired.
    fn rewrap_all(&self, old: &KeyId, mut done: impl FnMut(u64)) -> Result<(), RotationError> {
        let mut after = Vec::new();
        loop {
            let found = self
                .connections
                .read(|conn| table::wrapped_by(conn, old.as_str(), &after, STEP))?;
            let Some(last) = found.last() else { return Ok(()) };
            let anew = self.wrap_anew(old, &found)?;
            if self.write(|conn| table::rewrap(conn, old.as_str(), &anew, now()))? {
                after = last.key_id.as_bytes().to_vec();
                done(found.len() as u64);
            }
        }
    }

    fn wrap_anew(&self, old: &KeyId, found: &[Wrapped]) -> Result<Vec<Wrapped>, KeeperError> {
        let unwrap = |key: &Wrapped| self.keeper.unwrap(old, &key.wrapped, key.key_id.as_bytes());
        let keys = found.iter().map(unwrap).collect::<Result<Vec<_>, _>>()?;
        let ids = found.iter().map(|key| key.key_id.as_bytes().as_slice());
        let bound: Vec<_> = keys.iter().zip(ids).collect();
        let anew = found.iter().zip(self.keeper.wrap_all(&bound)?);
        let anew = anew.map(|(key, (kek_id, wrapped))| Wrapped {
            key_id: key.key_id,
            kek_id: kek_id.to_string(),
            wrapped,
        });
        Ok(anew.collect())
    }
}

fn now() -> i64 {
    SystemClock.now().unix_millis()
}
