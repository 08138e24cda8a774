//! Bearer tokens: which keys verify them, and what they say: `docs/api.md#authentication`.
//!
//! A key has exactly one algorithm. The algorithm and the key id in a token only select one of the configured keys.

mod claim_path;
mod claims;
mod flaw;
mod header;
mod jwk;
mod jwks;
mod key;
mod payload;
mod revoked;
mod role_names;
mod rules;
mod verifier;

pub use self::claims::VerifiedToken;
pub use self::flaw::{InvalidToken, TokenFlaw};
pub use self::jwks::{Jwks, JwksError, JwksPace};
pub use self::key::{KeyError, VerificationKey};
pub use self::revoked::{RevokedTokens, RevokedTokensError};
pub use self::role_names::RoleNames;
pub use self::rules::TokenRules;
pub use self::verifier::TokenVerifier;

pub(crate) use self::jwks::probe_jwks;
pub(crate) use self::key::{OWN_ISSUER, sign_hs256};
