//! The audit trail as a transparency log: what its entries say, and what proves that they stay as they are.
//!
//! `docs/trail.md` has the formats. Nothing here knows the database.

#[cfg(feature = "store")]
pub(crate) mod canonical;
#[cfg(feature = "store")]
pub(crate) mod leaf;
