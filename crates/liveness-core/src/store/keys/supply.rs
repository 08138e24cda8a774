//! Data keys that are ready to be used, so that most faces need no commit of the key store.
//!
//! A key is stored wrapped, and durable, before it is used. With a commit for the keys of each batch, every record with a
//! face would wait for two disks one after the other. So keys are made some at a time. A key that is never used opens nothing.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::faces::{DataKey, FaceKeyId};
use crate::store::engine::error::StoreError;

/// The most keys that are made at once.
const MOST: usize = 64;
/// The age at which a key that was not used is forgotten, so that none is in memory for long.
const LIFETIME: Duration = Duration::from_secs(60);

type Key = (FaceKeyId, DataKey);

/// The keys that are ready.
#[derive(Default)]
pub(super) struct Supply(Mutex<Ready>);

#[derive(Default)]
struct Ready {
    keys: Vec<Key>,
    made_at: Option<Instant>,
    /// How many were made the last time. A host that sees few faces makes few keys.
    last: usize,
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Supply(…)")
    }
}

impl Supply {
    /// Takes a key. If none is ready, `make` makes some.
    pub(super) fn take(&self, make: impl FnOnce(usize) -> Result<Vec<Key>, StoreError>) -> Result<Key, StoreError> {
        // After a panic in `make`, nothing is half done.
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.made_at.is_some_and(|made_at| made_at.elapsed() > LIFETIME) {
            ready.keys.clear();
            (ready.made_at, ready.last) = (None, 0);
        }
        if ready.keys.is_empty() {
            let many = (ready.last * 4).clamp(1, MOST);
            ready.keys = make(many)?;
            (ready.made_at, ready.last) = (Some(Instant::now()), many);
        }
        let key = ready.keys.pop();
        key.ok_or_else(|| StoreError::internal("no data key was made"))
    }
}
