//! Finds keys of the key store that no face has, and deletes them. A key is made before its record is committed, so there is one
//! left over when the commit fails, when the process ends, or when keys were made ahead and not used.

use super::Store;
use super::engine::error::StoreError;
use super::keys::FaceKeys;
use super::tables::faces;
use crate::Timestamp;
use crate::faces::FaceKeyId;

/// How many keys are looked at in one query.
const STEP: usize = 1000;
/// The most keys that one sweep finds. The next one finds more.
const MOST: usize = 65_536;

impl Store {
    /// Looks for keys that were made before this time and that no face has. Blocks. Deletes none yet.
    ///
    /// A key may be one that a recording has taken and will commit with its face. So wait until that is over, and then call
    /// [`delete`](UnusedFaceKeys::delete), which looks again. A store uses a key within a minute after it was made, by a clock
    /// that is never set, and then commits. So ten minutes are long enough, even if the clocks of the nodes are days apart.
    ///
    /// If no key at all has a face, or none of a thousand in a row, the key store is that of another database, or the database
    /// is an old copy. Then nothing is found, or this is an error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. [`StoreError::Internal`] when the store has no keys, or they seem to be another database's.
    pub fn unused_face_keys(&self, before: Timestamp) -> Result<UnusedFaceKeys<'_>, StoreError> {
        let keys = self
            .face_keys()
            .ok_or_else(|| StoreError::internal("this store has no keys of faces"))?;
        let mut found = UnusedFaceKeys {
            store: self,
            keys,
            unused: Vec::new(),
        };
        let (mut after, mut used) = (FaceKeyId::least(), 0);
        while found.unused.len() < MOST {
            let next = keys.made_between(&after, before, STEP)?;
            let Some(last) = next.last() else { break };
            after = *last;
            let unused = found.without_face(&next)?;
            used += next.len() - unused.len();
            if unused.len() == STEP {
                return Err(StoreError::internal(format!(
                    "{STEP} keys in a row have no face: the key store seems to be another database's, so none is deleted"
                )));
            }
            found.unused.extend(unused);
        }
        if used == 0 {
            found.unused.clear();
        }
        Ok(found)
    }
}

/// Keys that no face had.
#[derive(Debug)]
pub struct UnusedFaceKeys<'a> {
    store: &'a Store,
    keys: &'a FaceKeys,
    unused: Vec<FaceKeyId>,
}

impl UnusedFaceKeys<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.unused.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.unused.is_empty()
    }

    /// Deletes those that still have no face, and returns how many these were. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Some may be deleted then.
    pub fn delete(self) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for step in self.unused.chunks(STEP) {
            let unused = self.without_face(step)?;
            if !unused.is_empty() {
                deleted += self.keys.erase_all(&unused)?;
            }
        }
        Ok(deleted)
    }

    /// Those of the keys that no face has.
    fn without_face(&self, keys: &[FaceKeyId]) -> Result<Vec<FaceKeyId>, StoreError> {
        let used = self.store.connections.read(|conn| faces::used_keys(conn, keys))?;
        Ok(keys.iter().filter(|key| !used.contains(*key)).copied().collect())
    }
}
