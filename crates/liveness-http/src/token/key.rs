//! The keys that verify tokens. Each is checked for its one algorithm before it is used.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use serde_json::Value;

const MIN_SECRET_BYTES: usize = 32;
pub(super) const MIN_RSA_BITS: usize = 2048;

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
        Ok(Self::of(DecodingKey::from_secret(secret), Algorithm::HS256))
    }

    /// A public key in PEM: RSA for RS256, P-256 for ES256, P-384 for ES384, Ed25519 for EdDSA.
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
            let is_large = key
                .try_get_as_bytes()
                .is_ok_and(|der| modulus_bits(der) >= MIN_RSA_BITS);
            return is_large
                .then_some(Self::of(key, Algorithm::RS256))
                .ok_or(KeyError("the RSA key must have at least 2048 bits"));
        }
        if let Ok(key) = DecodingKey::from_ec_pem(pem) {
            let curve = key.try_get_as_bytes().ok().and_then(Curve::of_point);
            return curve
                .map(|curve| Self::of(key, curve.algorithm))
                .ok_or(KeyError("the EC key must be on P-256 or P-384"));
        }
        if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            return Ok(Self::of(key, Algorithm::EdDSA));
        }
        Err(KeyError(
            "it must hold an RSA, P-256, P-384 or Ed25519 public key in PEM (-----BEGIN PUBLIC KEY-----)",
        ))
    }

    pub(super) fn of(key: DecodingKey, algorithm: Algorithm) -> Self {
        Self { key, algorithm }
    }
}

/// A curve for ECDSA. It decides on the algorithm (RFC 7518 section 3.4).
pub(super) struct Curve {
    /// Its `crv` in a JWK.
    pub(super) name: &'static str,
    /// The length of a coordinate of a point.
    pub(super) bytes: usize,
    pub(super) algorithm: Algorithm,
    points: &'static EcdsaVerificationAlgorithm,
}

impl Curve {
    pub(super) const ALL: [Self; 2] = [
        Self {
            name: "P-256",
            bytes: 32,
            algorithm: Algorithm::ES256,
            points: &ECDSA_P256_SHA256_FIXED,
        },
        Self {
            name: "P-384",
            bytes: 48,
            algorithm: Algorithm::ES384,
            points: &ECDSA_P384_SHA384_FIXED,
        },
    ];

    /// The curve on which a point lies, which is not compressed. Points of other curves may have the same length.
    fn of_point(point: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.has(point))
    }

    pub(super) fn has(&self, point: &[u8]) -> bool {
        point.len() == 1 + 2 * self.bytes && ParsedPublicKey::new(self.points, point).is_ok()
    }
}

/// The `iss` of the tokens that we make ourselves, unless the settings name another issuer.
pub(crate) const OWN_ISSUER: &str = "liveness-http";

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
