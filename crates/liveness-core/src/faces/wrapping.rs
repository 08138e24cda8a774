//! The form of a wrapped data key, which is that of every keeper here: a nonce, the key under AES-256-GCM, and the tag.

use aws_lc_rs::aead::NONCE_LEN;

use super::data_key::DataKey;
use super::key_id::KeyId;

/// The length of a tag.
pub(super) const TAG_BYTES: usize = 16;
/// A nonce, a key, and a tag.
pub(super) const WRAPPED_BYTES: usize = NONCE_LEN + DataKey::BYTES + TAG_BYTES;

/// What a wrapped key is bound to: the key that wraps it, and what the caller says.
pub(super) fn associated(id: &KeyId, bound_to: &[u8]) -> Vec<u8> {
    // No name of a key has a line feed.
    [b"liveness data key\n", id.as_str().as_bytes(), b"\n", bound_to].concat()
}
