//! Key-encryption keys on a token: a hardware security module, a smart card, or SoftHSM, spoken to by PKCS#11.
//!
//! The keys are made on the token and never leave it: it wraps and unwraps data keys itself. Their names are in `CKA_ID`.
//!
//! The library of a token runs in our process, and is loaded once. It is never unloaded or finalized, because other threads
//! may be in it. A process that has used one calls [`close`] before it ends: see there.

mod gate;
mod keeper;
mod keys;
mod module;
mod refusal;
mod token;
mod uri;
mod wrapping_key;

#[cfg(test)]
mod tests;

pub use self::gate::close;
pub use self::keeper::Pkcs11Keeper;
pub use self::uri::{Pkcs11Uri, Pkcs11UriError};
