//! Public keys of logs and of witnesses, as C2SP vkeys.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::note::{NameError, check_name, key_id};

/// The kind of a key that signs checkpoints: C2SP signed-note, 0x01.
const LOG: u8 = 0x01;
/// The kind of a key that cosigns them with a time: C2SP tlog-cosignature, 0x04.
const WITNESS: u8 = 0x04;

/// A signature is not that of the key over the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not that of the key over the text")]
pub struct BadSignature;

/// Why a text is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VkeyError {
    /// It is not of the form.
    #[error("a vkey is NAME+ID+KEY: a name, eight digits of lower-case hex, and Base64 of a kind and 32 bytes")]
    Form,
    /// The name cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is a key for another use.
    #[error("the vkey is of kind {found:#04x}, and {wanted:#04x} is needed (0x01 is a log's, 0x04 a witness's)")]
    Kind {
        /// Its kind.
        found: u8,
        /// The kind that is needed.
        wanted: u8,
    },
    /// Its id is not that of its name and key: one of them was changed.
    #[error("the vkey's id does not belong to its name and key: it was copied wrongly")]
    Id,
}

/// A key that signs or cosigns notes.
#[derive(Clone, PartialEq, Eq)]
struct Vkey<const KIND: u8> {
    name: String,
    public: [u8; 32],
}

impl<const KIND: u8> Vkey<KIND> {
    fn id(&self) -> [u8; 4] {
        key_id(&self.name, KIND, &self.public)
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ED25519, self.public)
            .verify(text, signature)
            .map_err(|_| BadSignature)
    }
}

impl<const KIND: u8> fmt::Display for Vkey<KIND> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let key = STANDARD.encode([&[KIND], &self.public[..]].concat());
        write!(formatter, "{}+{id:08x}+{key}", self.name)
    }
}

impl<const KIND: u8> FromStr for Vkey<KIND> {
    type Err = VkeyError;

    fn from_str(vkey: &str) -> Result<Self, VkeyError> {
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VkeyError::Form);
        };
        check_name(name)?;
        let bytes = STANDARD.decode(key).map_err(|_| VkeyError::Form)?;
        let (&found, public) = bytes.split_first().ok_or(VkeyError::Form)?;
        if found != KIND {
            return Err(VkeyError::Kind { found, wanted: KIND });
        }
        let public = public.try_into().map_err(|_| VkeyError::Form)?;
        let read = Self {
            name: name.to_owned(),
            public,
        };
        if format!("{:08x}", u32::from_be_bytes(read.id())) != id {
            return Err(if id.len() == 8 { VkeyError::Id } else { VkeyError::Form });
        }
        Ok(read)
    }
}

/// The public key of a log: C2SP signed-note, Ed25519.
///
/// `to_string` and [`FromStr`] are the vkey.
#[derive(Clone, PartialEq, Eq)]
pub struct TrailVerifier(Vkey<LOG>);

impl TrailVerifier {
    /// The name was checked by the key that has it.
    pub(super) fn new(name: String, public: [u8; 32]) -> Self {
        Self(Vkey { name, public })
    }

    /// The public key of a log with this name.
    ///
    /// # Errors
    ///
    /// When the name cannot be one.
    pub fn named(name: &str, public: [u8; 32]) -> Result<Self, NameError> {
        check_name(name)?;
        Ok(Self::new(name.to_owned(), public))
    }

    /// Reads a vkey.
    ///
    /// # Errors
    ///
    /// When it is not that of a log.
    pub fn parse(vkey: &str) -> Result<Self, VkeyError> {
        vkey.parse().map(Self)
    }

    /// The name of the log, which is the first line of its checkpoints.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.name
    }

    /// The public key: RFC 8032.
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        &self.0.public
    }

    pub(super) fn key_id(&self) -> [u8; 4] {
        self.0.id()
    }

    /// Verifies a signature.
    ///
    /// # Errors
    ///
    /// When it is not that of this key over this text.
    pub fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.0.verify(text, signature)
    }
}

/// The public key of a witness, which cosigns checkpoints with a time: C2SP tlog-cosignature, Ed25519.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessVerifier(Vkey<WITNESS>);

impl WitnessVerifier {
    /// Reads a vkey.
    ///
    /// # Errors
    ///
    /// When it is not that of a witness.
    pub fn parse(vkey: &str) -> Result<Self, VkeyError> {
        vkey.parse().map(Self)
    }

    /// The name of the witness.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn key_id(&self) -> [u8; 4] {
        self.0.id()
    }

    /// Verifies a cosignature, and returns its time in seconds since 1970.
    pub(super) fn verify(&self, text: &str, cosignature: &[u8]) -> Result<u64, BadSignature> {
        let (time, signature) = cosignature.split_first_chunk::<8>().ok_or(BadSignature)?;
        let time = u64::from_be_bytes(*time);
        if time > i64::MAX.unsigned_abs() {
            return Err(BadSignature);
        }
        self.0
            .verify(format!("cosignature/v1\ntime {time}\n{text}").as_bytes(), signature)?;
        Ok(time)
    }
}

macro_rules! shown_as_vkey {
    ($($verifier:ty),*) => {$(
        impl fmt::Display for $verifier {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $verifier {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($verifier), self.0)
            }
        }

        impl FromStr for $verifier {
            type Err = VkeyError;

            fn from_str(vkey: &str) -> Result<Self, VkeyError> {
                Self::parse(vkey)
            }
        }
    )*};
}

shown_as_vkey!(TrailVerifier, WitnessVerifier);

#[cfg(test)]
mod tests {
    use super::super::note::Note;
    use super::*;

    /// The example of C2SP signed-note.
    const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n— example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification_is_verified() {
        let verifier = TrailVerifier::parse(VKEY).unwrap();
        assert_eq!(
            (verifier.origin(), verifier.to_string().as_str()),
            ("example.com/foo", VKEY)
        );
        let note = Note::read(NOTE).unwrap();
        let signature = note.signature_by(verifier.origin(), verifier.key_id()).unwrap();
        assert_eq!(verifier.verify(note.text.as_bytes(), &signature.bytes), Ok(()));
        assert_eq!(
            verifier.verify(b"This is an example message!\n", &signature.bytes),
            Err(BadSignature)
        );
    }

    #[test]
    fn what_is_no_vkey_is_told() {
        let kind = |found| VkeyError::Kind { found, wanted: LOG };
        let cases = [
            ("", VkeyError::Form),
            ("example.com/foo", VkeyError::Form),
            ("example.com/foo+530d903a", VkeyError::Form),
            ("example.com/foo+530d903a+", VkeyError::Form),
            ("example.com/foo+530d903a+AekyeRrm", VkeyError::Form),
            (&VKEY.replace("2k", "2l"), VkeyError::Id),
            (&VKEY.replace("530d903a", "530D903A"), VkeyError::Id),
            (&VKEY.replace("530d903a", "530d903"), VkeyError::Form),
            (&VKEY.replace("530d903a", "530d903b"), VkeyError::Id),
            (&VKEY.replace("foo", "bar"), VkeyError::Id),
            (&VKEY.replace("+Aeky", "+Beky"), kind(5)),
            (&VKEY.replace("+Aeky", "+BOky"), kind(4)),
            (
                &VKEY.replace(".com", " com"),
                VkeyError::Name(NameError("example com/foo".into())),
            ),
        ];
        for (vkey, expected) in cases {
            assert_eq!(TrailVerifier::parse(vkey), Err(expected), "{vkey}");
        }
        assert_eq!(
            WitnessVerifier::parse(VKEY),
            Err(VkeyError::Kind {
                found: LOG,
                wanted: WITNESS
            })
        );
    }
}
