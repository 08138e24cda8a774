//! Lets reads and writes through only while the schema is one that this program may run with.

use std::sync::atomic::{AtomicU8, Ordering};

use super::error::StoreError;

/// What was last seen of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SchemaFit {
    /// The program may run with it.
    Fits,
    /// It is not up to date, or was not looked at yet.
    NotUpToDate,
    /// It has a migration that the program must not run with.
    Newer,
}

/// The gate. Every read and write passes it.
#[derive(Debug)]
pub(crate) struct SchemaGate(AtomicU8);

impl SchemaGate {
    pub(crate) fn new(fit: SchemaFit) -> Self {
        Self(AtomicU8::new(fit as u8))
    }

    pub(crate) fn set(&self, fit: SchemaFit) {
        self.0.store(fit as u8, Ordering::Release);
    }

    /// Answers [`StoreError::Unavailable`] while the program must not run.
    pub(crate) fn pass(&self) -> Result<(), StoreError> {
        let seen = self.0.load(Ordering::Acquire);
        if seen == SchemaFit::Fits as u8 {
            Ok(())
        } else if seen == SchemaFit::Newer as u8 {
            Err(StoreError::unavailable(
                "the database's schema is newer than this program",
            ))
        } else {
            Err(StoreError::unavailable("the database's schema is not up to date yet"))
        }
    }
}
