//! The private key of a trail: Ed25519, as a PKCS#8 PEM file.

mod pem;

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::pem::{BEGIN, MARKER, PRIVATE_KEY, other_algorithm, read_pem};
use super::mac_key::MacKey;
use super::note::{NameError, check_name};
use super::verifier::TrailVerifier;

/// The line before the key that names its log.
const ORIGIN: &str = "Origin:";

/// Why a file is no key of a trail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No private key is in it.
    #[error("there is no private key in it: an Ed25519 key as PKCS#8 PEM is needed (-----BEGIN PRIVATE KEY-----)")]
    Missing,
    /// A public key is in it.
    #[error("it is a public key: the private key is needed, which signs")]
    Public,
    /// More than one private key is in it.
    #[error("there are {0} private keys in it: which one signs cannot be told")]
    Several(usize),
    /// The key is encrypted.
    #[error("the key is encrypted: liveness asks for no password (openssl pkey -in FILE decrypts it)")]
    Encrypted,
    /// It is the key of another algorithm, or in another form.
    #[error("it is a key for {0}: an Ed25519 key as PKCS#8 PEM is needed")]
    Other(String),
    /// The PEM has no end, or what it encloses is not the Base64 of a key.
    #[error("the key is broken: what is between its -----BEGIN and -----END is not an Ed25519 key")]
    Broken,
    /// The log has two names.
    #[error("there are {0} lines that begin with {ORIGIN}")]
    Origins(usize),
    /// The name of the log cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The system has no randomness, or the library of cryptography has failed.
    #[error("the library of cryptography has failed")]
    Cryptography,
}

/// A new key, and the file that it is read from again.
#[derive(Debug)]
pub struct NewKey {
    /// The key.
    pub key: TrailKey,
    /// PKCS#8 PEM. It is wiped from memory when it is dropped, and `Debug` does not show it.
    pub pem: Pem,
}

/// The text of a private key.
pub struct Pem(Zeroizing<String>);

impl Pem {
    /// The text. It is secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pem(secret)")
    }
}

/// The private key that signs checkpoints and receipts.
///
/// The library of cryptography wipes it from memory when it is dropped.
pub struct TrailKey {
    pair: Ed25519KeyPair,
    verifier: TrailVerifier,
}

impl TrailKey {
    /// Makes a key. Its log is named `liveness.log/` and 16 hex digits of the public key's SHA-256.
    ///
    /// # Errors
    ///
    /// `Cryptography`.
    pub fn generate() -> Result<NewKey, KeyError> {
        Self::make(None)
    }

    /// Makes a key whose log has a name of your choice, such as a URL without its scheme.
    ///
    /// # Errors
    ///
    /// `Name`, `Cryptography`.
    pub fn generate_named(origin: &str) -> Result<NewKey, KeyError> {
        Self::make(Some(origin))
    }

    fn make(origin: Option<&str>) -> Result<NewKey, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Cryptography)?;
        // Version 1, without the public key: what every OpenSSL reads.
        let document = pair.to_pkcs8v1().map_err(|_| KeyError::Cryptography)?;
        let name = origin.map_or_else(String::new, |origin| format!("{ORIGIN} {origin}\n"));
        let encoded = Zeroizing::new(STANDARD.encode(document.as_ref()));
        let pem = format!(
            "{name}{BEGIN}{PRIVATE_KEY}{MARKER}\n{}\n-----END {PRIVATE_KEY}{MARKER}\n",
            *encoded
        );
        Ok(NewKey {
            key: Self::new(pair, origin)?,
            pem: Pem(Zeroizing::new(pem)),
        })
    }

    fn new(pair: Ed25519KeyPair, origin: Option<&str>) -> Result<Self, KeyError> {
        let public: [u8; 32] = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| KeyError::Cryptography)?;
        let name = origin.map_or_else(|| default_origin(&public), str::to_owned);
        check_name(&name)?;
        Ok(Self {
            pair,
            verifier: TrailVerifier::new(name, public),
        })
    }

    /// Reads a key from the text of its file.
    ///
    /// A line `Origin: NAME` before the key names the log, as RFC 7468 allows; other text there is not read.
    ///
    /// # Errors
    ///
    /// When there is not exactly one private key in it, in PKCS#8 PEM, for Ed25519 and not encrypted, or the name cannot
    /// be one.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der = read_pem(pem)?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| other_algorithm(&der))?;
        let before = pem.lines().take_while(|line| !line.starts_with(BEGIN));
        let names: Vec<&str> = before
            .filter_map(|line| line.strip_prefix(ORIGIN))
            .map(str::trim)
            .collect();
        match names[..] {
            [] => Self::new(pair, None),
            [name] => Self::new(pair, Some(name)),
            _ => Err(KeyError::Origins(names.len())),
        }
    }

    /// The name of the log, which is the first line of its checkpoints.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.verifier.origin()
    }

    /// The public key.
    #[must_use]
    pub fn verifier(&self) -> &TrailVerifier {
        &self.verifier
    }

    /// The public key as a C2SP vkey.
    #[must_use]
    pub fn vkey(&self) -> String {
        self.verifier.to_string()
    }

    /// Signs a text: RFC 8032.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(text).as_ref());
        signature
    }

    /// The key of the MACs of entries. It is the same for each process that has this key.
    ///
    /// # Errors
    ///
    /// `Cryptography`.
    pub fn entry_mac_key(&self) -> Result<MacKey, KeyError> {
        // It is wiped, as `Ed25519KeyPair::seed` is not, and the private key is its end: RFC 8410, section 7.
        let document = self.pair.to_pkcs8v1().map_err(|_| KeyError::Cryptography)?;
        let seed = document.as_ref().last_chunk::<32>().ok_or(KeyError::Cryptography)?;
        let derived = hkdf::Salt::none(hkdf::HKDF_SHA256).extract(seed);
        let key = derived.expand(&[b"liveness trail entry mac v1"], hmac::HMAC_SHA256);
        Ok(MacKey(key.map_err(|_| KeyError::Cryptography)?.into()))
    }
}

impl fmt::Debug for TrailKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TrailKey({})", self.verifier)
    }
}

fn default_origin(public: &[u8; 32]) -> String {
    let hash = Sha256::digest(public);
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("liveness.log/{digits}")
}

#[cfg(test)]
mod tests;
