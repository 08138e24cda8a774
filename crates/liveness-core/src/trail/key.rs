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
mod tests {
    use super::*;
    use crate::trail::BadSignature;

    /// Made by `openssl genpkey -algorithm ED25519`. The values of the tests were computed by Python's cryptography.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIIBNth4hK/goKFkxK4ahm47SYjJ+D/dIE6TXzGslgZcr
-----END PRIVATE KEY-----
";
    const VKEY: &str = "liveness.log/9916e469e235e8ca+51475751+AcDoSH8AGJyQRjDVy1Jyca7aET7A0AVMIEiZG9hl2qwN";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAwOhIfwAYnJBGMNXLUnJxrtoRPsDQBUwgSJkb2GXarA0=
-----END PUBLIC KEY-----
";
    const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhf2uBBe2IzwgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEDPV7Tj8jmFDqo9Gdua0v0UEQNet
n+TcJG1iHXaF68dehYXuZ/WMuXKMERpiUAtDm+z9r4bq3238d3TJgVq4FdEkHOtR
LHw/A1FQYPsFEQnkNn0=
-----END ENCRYPTED PRIVATE KEY-----
";
    const EC: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggSfhXfDKy97khLkR
9/AebMIz3fJ+hXlPsBv/C8DoM5ehRANCAAT3ygLG7W1nQdyHkqVXBAh+g0pjsFvJ
PHL8/0o/8wcVrb66qf7sIjlFK6VFQuIAenqXSbx5XwQlj3Sd0+3GZT55
-----END PRIVATE KEY-----
";
    const EC_OLD: &str = "-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIP93Uwe9wbFoaJ0m6KV/3/tJF0OeVHeNtC1yH0wyMeiLoAoGCCqGSM49
AwEHoUQDQgAE4RtdNNMaVeL79JSI/WayEqslG2EabzjVHgg3i9OJgGKnp4L81RJF
dCoaPk9bABg3DqXmGRpZ+s6qTNbo73Gyhw==
-----END EC PRIVATE KEY-----
";
    /// It is cut, which nobody gets to see: the algorithm is told first.
    const RSA: &str = "-----BEGIN PRIVATE KEY-----
MIIBUwIBADANBgkqhkiG9w0BAQEFAASCAT0wggE5AgEAAkEAqlkKhSq1ESw6gQCN
-----END PRIVATE KEY-----
";
    const X25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIBCAaeBPrt4wnkSxoPCS/2PoWr37grzecwQX3P+gLh91
-----END PRIVATE KEY-----
";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_key_of_openssl_signs_as_another_library_does() {
        let key = TrailKey::from_pem(PEM).unwrap();
        assert_eq!(key.vkey(), VKEY);
        assert_eq!(
            hex(&key.sign(b"a text")),
            "9c95410e3732bb8d77e5185cb4e8da075e4ce428dd9c479e224c8723c425768d\
             4cfd7076578873d0db096ad113a473faf891df7dbdb253e5bddb727bdfffb800"
        );
        let mac = key.entry_mac_key().unwrap().mac(b"an entry");
        assert_eq!(
            hex(&mac),
            "ef0eaea61a15434b5fb9afe9d9616c12f4e4b51bb6bc6e46ddb0f5fe05acc08a"
        );
    }

    #[test]
    fn a_new_key_is_read_again_with_its_name() {
        for new in [
            TrailKey::generate().unwrap(),
            TrailKey::generate_named("bank.example/trail").unwrap(),
        ] {
            let read = TrailKey::from_pem(new.pem.as_str()).unwrap();
            assert_eq!(read.verifier(), new.key.verifier());
            // From Windows, and between other text.
            let other = format!("Made on a day.\n{}\nmore\n", new.pem.as_str()).replace('\n', "\r\n");
            assert_eq!(TrailKey::from_pem(&other).unwrap().verifier(), new.key.verifier());
        }
        assert_eq!(
            TrailKey::generate_named("bank.example/trail").unwrap().key.origin(),
            "bank.example/trail"
        );
    }

    #[test]
    fn what_is_no_key_is_told_by_what_it_is() {
        let other = |name: &str| KeyError::Other(name.to_owned());
        let cases = [
            ("", KeyError::Missing),
            ("MC4CAQAwBQYDK2VwBCIEIIBNth4h", KeyError::Missing),
            (
                "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
                KeyError::Missing,
            ),
            (PUBLIC, KeyError::Public),
            (ENCRYPTED, KeyError::Encrypted),
            (RSA, other("RSA")),
            (EC, other("ECDSA or ECDH")),
            (X25519, other("X25519")),
            (EC_OLD, other("a program that calls it \"EC PRIVATE KEY\"")),
            (&format!("{PEM}{EC}"), KeyError::Several(2)),
            (&PEM[..60], KeyError::Broken),
            (&PEM.replace("MC4C", "MC4!"), KeyError::Broken),
            (&PEM.replace("MC4C", "MD4C"), KeyError::Broken),
            (&format!("Origin: a\nOrigin: b\n{PEM}"), KeyError::Origins(2)),
            (&format!("Origin: a b\n{PEM}"), KeyError::Name(NameError("a b".into()))),
            (&format!("Origin:\n{PEM}"), KeyError::Name(NameError(String::new()))),
        ];
        for (pem, expected) in cases {
            assert_eq!(TrailKey::from_pem(pem).map(|_| ()), Err(expected), "{pem}");
        }
        // A public key beside it does no harm.
        assert_eq!(TrailKey::from_pem(&format!("{PUBLIC}{PEM}")).unwrap().vkey(), VKEY);
    }

    #[test]
    fn a_name_is_one_that_a_note_can_have() {
        for name in ["a", "bank.example/log", "Zürich/α", &"n".repeat(255)] {
            assert_eq!(TrailKey::generate_named(name).unwrap().key.origin(), name);
        }
        for name in ["", "a b", "a\nb", "a+b", "a\u{a0}b", "a\tb", "a\0", &"n".repeat(256)] {
            assert!(
                matches!(TrailKey::generate_named(name), Err(KeyError::Name(_))),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_mac_is_that_of_its_key_and_text() {
        let key = |pem| TrailKey::from_pem(pem).unwrap().entry_mac_key().unwrap();
        let mac = key(PEM).mac(b"an entry");
        assert_eq!(key(PEM).verify(b"an entry", &mac), Ok(()));
        assert_eq!(key(PEM).verify(b"another", &mac), Err(BadSignature));
        assert_eq!(key(PEM).verify(b"an entry", &mac[..31]), Err(BadSignature));
        let other = TrailKey::generate().unwrap();
        assert_eq!(key(other.pem.as_str()).verify(b"an entry", &mac), Err(BadSignature));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let new = TrailKey::from_pem(PEM).unwrap();
        let mac = new.entry_mac_key().unwrap();
        assert_eq!(format!("{new:?} {mac:?}"), format!("TrailKey({VKEY}) MacKey(secret)"));
        let new = TrailKey::generate().unwrap();
        let secret = new.pem.as_str().lines().nth(1).unwrap();
        assert!(!format!("{new:?}").contains(&secret[22..]));
    }
}
