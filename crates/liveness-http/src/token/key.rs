//! The keys that verify tokens. Each is checked for its one algorithm before it is used.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use serde_json::Value;

const MIN_SECRET_BYTES: usize = 32;
pub(super) const MIN_RSA_BITS: usize = 2048;
/// The length of an uncompressed point on P-256.
pub(super) const P256_POINT_BYTES: usize = 65;

/// Why a key cannot be used, as one line for the operator. It does not contain the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(&'static str);

/// A key, and the one algorithm that it is for.
#[derive(Clone)]
pub struct VerificationKey {
    pub(super) key: DecodingKey,
    pub(super) algorithm: Algorithm,
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl VerificationKey {
    /// A shared secret for HS256.
    ///
    /// # Errors
    ///
    /// When the secret has fewer than 32 bytes (RFC 7518 section 3.2).
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeyError("the secret must have at least 32 bytes"));
        }
        Ok(Self {
            key: DecodingKey::from_secret(secret),
            algorithm: Algorithm::HS256,
        })
    }

    /// A public key in PEM: RSA for RS256, P-256 for ES256, Ed25519 for EdDSA.
    ///
    /// # Errors
    ///
    /// When it is not one of these, is a private key, or is too short.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let text = String::from_utf8_lossy(pem);
        if text.contains("PRIVATE KEY-----") {
            return Err(KeyError("it holds a private key; give the public key only"));
        }
        if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
            return Self::if_size_fits(
                key,
                Algorithm::RS256,
                |der| modulus_bits(der) >= MIN_RSA_BITS,
                "the RSA key must have at least 2048 bits",
            );
        }
        if let Ok(key) = DecodingKey::from_ec_pem(pem) {
            return Self::if_size_fits(
                key,
                Algorithm::ES256,
                |point| point.len() == P256_POINT_BYTES,
                "the EC key must be on P-256",
            );
        }
        if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            return Ok(Self {
                key,
                algorithm: Algorithm::EdDSA,
            });
        }
        Err(KeyError(
            "it must hold an RSA, P-256 or Ed25519 public key in PEM (-----BEGIN PUBLIC KEY-----)",
        ))
    }

    fn if_size_fits(
        key: DecodingKey,
        algorithm: Algorithm,
        fits: fn(&[u8]) -> bool,
        otherwise: &'static str,
    ) -> Result<Self, KeyError> {
        match key.try_get_as_bytes() {
            Ok(bytes) if fits(bytes) => Ok(Self { key, algorithm }),
            _ => Err(KeyError(otherwise)),
        }
    }
}

/// Signs a token of these claims, for `token` on the command line and `serve --dev`.
pub(crate) fn sign_hs256(secret: &[u8], claims: &Value) -> Result<String, std::io::Error> {
    let key = EncodingKey::from_secret(secret);
    encode(&Header::default(), claims, &key).map_err(std::io::Error::other)
}

/// The size of an RSA key in bits. Its modulus is the first INTEGER in a SEQUENCE (RFC 8017 appendix A.1.1).
fn modulus_bits(der: &[u8]) -> usize {
    /// The content of the first element, if it has this tag.
    fn content(tag: u8, der: &[u8]) -> Option<&[u8]> {
        let (&[found, first], rest) = der.split_first_chunk()?;
        if found != tag {
            return None;
        }
        // A length up to 127 is one byte. For a longer one, this byte says how many bytes of length follow.
        let bytes = if first < 0x80 { 0 } else { usize::from(first & 0x7F) };
        let (length, rest) = rest.split_at_checked(bytes)?;
        let long = length.iter().try_fold(0_usize, |sum, byte| {
            sum.checked_mul(256)?.checked_add(usize::from(*byte))
        })?;
        rest.get(..if bytes == 0 { usize::from(first) } else { long })
    }
    let modulus = content(0x30, der)
        .and_then(|sequence| content(0x02, sequence))
        .unwrap_or_default();
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    modulus
        .get(zeros)
        .map_or(0, |first| (modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
}
