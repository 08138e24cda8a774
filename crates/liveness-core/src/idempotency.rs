//! The key under which a client may repeat a command without recording twice.

use sha2::{Digest, Sha256};

use crate::Violation;

/// An idempotency key, and the fingerprint of the request that it came with: `docs/api.md#idempotency-keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    key: String,
    fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// Takes a key of 1 to 255 visible ASCII characters, and the body of its request.
    ///
    /// Two requests under one key are the same request when their bodies are equal byte for byte.
    ///
    /// # Errors
    ///
    /// `format` when it is not such a key.
    pub fn parse(key: &str, body: &[u8]) -> Result<Self, Violation> {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > 255 || !visible {
            return Err(Violation::new("format", "must be 1 to 255 visible ASCII characters"));
        }
        Ok(Self {
            key: key.to_owned(),
            fingerprint: Sha256::digest(body).into(),
        })
    }

    /// The key as sent.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// SHA-256 of the body.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        for good in ["a", "8e03978e-40d5-43dd-bc93-6894a57f9324", "!~", &"k".repeat(255)] {
            assert!(IdempotencyKey::parse(good, b"").is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "a\n", "é", &"k".repeat(256)] {
            assert!(IdempotencyKey::parse(bad, b"").is_err(), "{bad:?}");
        }
    }
}
