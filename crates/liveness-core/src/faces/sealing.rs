//! The format of a sealed face, after message format 2 of the AWS Encryption SDK (suite 0x0478).
//!
//! ```text
//! version (1) | suite (2) | id of the data key (16) | commitment (32) | nonce (12) | ciphertext | tag (16)
//! ```
//!
//! HKDF-SHA-512 makes two keys out of the data key, with its id as the salt: one encrypts by AES-256-GCM, and the other is
//! the commitment. It is compared before anything is decrypted, so a sealed face opens with one key only: with GCM alone, one
//! ciphertext could be made that opens to two faces under two keys.
//!
//! What is in front of the nonce is authenticated, and so is what the face is of: the id of its record, the id of the user
//! and the media type. The record's id is bound, and not only user and session, because a session may have several records:
//! so no face opens in the place of another, even of the same session. It is known only once the record is inserted, so a face
//! is sealed within the transaction.
//!
//! A face in an object store is sealed before, because its object is put before the transaction. It is bound to the random
//! name of its object, the user and the media type. The SHA-256 of the object is sealed within the transaction with the same
//! key, and is bound as a face in the database is. So only the record for which an object was put leads to it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Prk, Salt};
use zeroize::Zeroizing;

use super::data_key::{DataKey, FaceKeyId, fill};
use super::error::KeeperError;
use super::object_name::ObjectName;

const VERSION: u8 = 1;
/// `ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY`
const SUITE: [u8; 2] = [0x04, 0x78];
const COMMITMENT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const ID_AT: usize = 1 + SUITE.len();
const COMMITMENT_AT: usize = ID_AT + FaceKeyId::BYTES;
const NONCE_AT: usize = COMMITMENT_AT + COMMITMENT_BYTES;
const FACE_AT: usize = NONCE_AT + NONCE_LEN;

/// What a face is of.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) check_id: i64,
    pub(crate) user_id: i64,
    pub(crate) media_type: &'a str,
}

/// What a face in an object store is of.
#[derive(Clone, Copy)]
pub(crate) struct ObjectSubject<'a> {
    pub(crate) name: &'a ObjectName,
    pub(crate) user_id: i64,
    pub(crate) media_type: &'a str,
}

/// The associated data, which is authenticated together with the face.
pub(crate) trait BoundTo {
    fn append_to(&self, associated: &mut Vec<u8>);
}

impl BoundTo for Subject<'_> {
    fn append_to(&self, associated: &mut Vec<u8>) {
        associated.extend(b"liveness face\n");
        associated.extend(self.check_id.to_be_bytes());
        associated.extend(self.user_id.to_be_bytes());
        associated.extend(self.media_type.as_bytes());
    }
}

impl BoundTo for ObjectSubject<'_> {
    fn append_to(&self, associated: &mut Vec<u8>) {
        associated.extend(b"liveness face object\n");
        associated.extend(self.name.as_bytes());
        associated.extend(self.user_id.to_be_bytes());
        associated.extend(self.media_type.as_bytes());
    }
}

/// Why a sealed face does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOpened {
    #[error("it is in a format that this program does not know")]
    Format,
    #[error("it is sealed with another key")]
    OtherKey,
    #[error("it was changed, or put in another's place")]
    Changed,
}

/// Seals a face.
pub(crate) fn seal(key: &DataKey, id: &FaceKeyId, subject: impl BoundTo, face: &[u8]) -> Result<Vec<u8>, KeeperError> {
    let Derived { key, commitment } = Derived::of(key, id).map_err(|_| refused())?;
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce)?;
    let mut sealed = Vec::with_capacity(FACE_AT + face.len() + TAG_BYTES);
    sealed.push(VERSION);
    sealed.extend(SUITE);
    sealed.extend(id.as_bytes());
    sealed.extend(commitment);
    let associated = associated(&sealed, &subject);
    sealed.extend(nonce);
    sealed.extend(face);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let encrypted = key.seal_in_place_separate_tag(nonce, Aad::from(associated), &mut sealed[FACE_AT..]);
    sealed.extend(encrypted.map_err(|_| refused())?.as_ref());
    Ok(sealed)
}

/// Opens a sealed face, in place.
pub(crate) fn open(key: &DataKey, subject: impl BoundTo, mut sealed: Vec<u8>) -> Result<Vec<u8>, NotOpened> {
    let id = key_id_of(&sealed).ok_or(NotOpened::Format)?;
    let derived = Derived::of(key, &id).map_err(|_| NotOpened::OtherKey)?;
    verify_slices_are_equal(&sealed[COMMITMENT_AT..NONCE_AT], &derived.commitment).map_err(|_| NotOpened::OtherKey)?;
    let associated = associated(&sealed[..NONCE_AT], &subject);
    let nonce = Nonce::try_assume_unique_for_key(&sealed[NONCE_AT..FACE_AT]).map_err(|_| NotOpened::Format)?;
    let opened = derived
        .key
        .open_in_place(nonce, Aad::from(associated), &mut sealed[FACE_AT..]);
    let length = opened.map_err(|_| NotOpened::Changed)?.len();
    sealed.copy_within(FACE_AT..FACE_AT + length, 0);
    sealed.truncate(length);
    Ok(sealed)
}

/// The id of the data key that a sealed face names, if it is one.
pub(crate) fn key_id_of(sealed: &[u8]) -> Option<FaceKeyId> {
    let is_known = sealed.len() >= FACE_AT + TAG_BYTES && sealed[0] == VERSION && sealed[1..ID_AT] == SUITE;
    is_known.then(|| FaceKeyId::from_slice(&sealed[ID_AT..COMMITMENT_AT]))?
}

/// What HKDF makes of a data key. The labels are those of the AWS Encryption SDK.
struct Derived {
    key: LessSafeKey,
    commitment: [u8; COMMITMENT_BYTES],
}

impl Derived {
    fn of(key: &DataKey, id: &FaceKeyId) -> Result<Self, Unspecified> {
        let extracted = Salt::new(HKDF_SHA512, id.as_bytes()).extract(key.expose());
        let encrypting = Zeroizing::new(expand(&extracted, &[&SUITE, b"DERIVEKEY"])?);
        Ok(Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, encrypting.as_slice())?),
            commitment: expand(&extracted, &[b"COMMITKEY"])?,
        })
    }
}

fn expand(extracted: &Prk, info: &[&[u8]]) -> Result<[u8; 32], Unspecified> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    let mut out = [0; 32];
    extracted.expand(info, Length)?.fill(&mut out)?;
    Ok(out)
}

fn associated(header: &[u8], subject: &impl BoundTo) -> Vec<u8> {
    let mut associated = header.to_vec();
    subject.append_to(&mut associated);
    associated
}

fn refused() -> KeeperError {
    KeeperError::Unusable {
        problem: "the library of cryptography refused to seal a face".to_owned(),
        mend: "report this".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    const OF: Subject<'_> = Subject {
        check_id: 7,
        user_id: 1234,
        media_type: "image/jpeg",
    };

    fn sealed(face: &[u8]) -> (DataKey, Vec<u8>) {
        let (key, id) = (
            DataKey::random().unwrap(),
            FaceKeyId::new(Timestamp::from_unix_millis(0).unwrap()).unwrap(),
        );
        let sealed = seal(&key, &id, OF, face).unwrap();
        assert_eq!(key_id_of(&sealed), Some(id));
        (key, sealed)
    }

    #[test]
    fn a_face_of_any_length_opens_to_what_was_sealed() {
        for length in [0, 1, 15, 16, 17, 70_000] {
            let face = vec![b'a'; length];
            let (key, sealed) = sealed(&face);
            assert_eq!(sealed.len(), length + FACE_AT + TAG_BYTES);
            assert!(!sealed.windows(8).any(|part| part == b"aaaaaaaa"));
            assert_eq!(open(&key, OF, sealed).unwrap(), face);
        }
    }

    #[test]
    fn a_face_opens_only_as_what_it_was_sealed_for() {
        let (key, sealed) = sealed(b"a face");
        let others = [
            Subject { check_id: 8, ..OF },
            Subject { user_id: 1235, ..OF },
            Subject {
                check_id: 1234,
                user_id: 7,
                ..OF
            },
            Subject {
                media_type: "image/png",
                ..OF
            },
        ];
        for other in others {
            assert_eq!(open(&key, other, sealed.clone()), Err(NotOpened::Changed));
        }
    }

    #[test]
    fn a_face_of_an_object_opens_only_as_that_object() {
        let (key, _) = sealed(b"a face");
        let id = FaceKeyId::new(Timestamp::from_unix_millis(0).unwrap()).unwrap();
        let names = [(); 2].map(|()| ObjectName::random().unwrap());
        let of = |name| ObjectSubject {
            name,
            user_id: OF.user_id,
            media_type: OF.media_type,
        };
        let sealed = seal(&key, &id, of(&names[0]), b"a face").unwrap();
        assert_eq!(open(&key, of(&names[0]), sealed.clone()).unwrap(), b"a face");
        assert_eq!(open(&key, of(&names[1]), sealed.clone()), Err(NotOpened::Changed));
        assert_eq!(open(&key, OF, sealed), Err(NotOpened::Changed));
    }

    #[test]
    fn no_changed_or_missing_byte_goes_unseen() {
        let (key, sealed) = sealed(b"a face");
        for place in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[place] ^= 1 << bit;
                open(&key, OF, changed).unwrap_err();
            }
            open(&key, OF, sealed[..place].to_vec()).unwrap_err();
        }
    }

    #[test]
    fn another_key_is_refused_by_the_commitment_before_anything_is_decrypted() {
        let (_, sealed) = sealed(b"a face");
        assert_eq!(open(&DataKey::random().unwrap(), OF, sealed), Err(NotOpened::OtherKey));
    }

    /// What another program must do to open a face, with HKDF and AES-GCM as the standards have them.
    #[test]
    fn the_format_is_what_the_documentation_says() {
        use aws_lc_rs::hmac;
        let (key, mut sealed) = sealed(b"a face");
        let hmac_of = |key: &[u8], parts: &[&[u8]]| {
            let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, key));
            parts.iter().for_each(|part| context.update(part));
            context.sign()
        };
        // RFC 5869, with one block of output.
        let extracted = hmac_of(&sealed[3..19], &[key.expose()]);
        let encrypting = hmac_of(extracted.as_ref(), &[&[0x04, 0x78], b"DERIVEKEY", &[1]]);
        let commitment = hmac_of(extracted.as_ref(), &[b"COMMITKEY", &[1]]);
        assert_eq!(sealed[..3], [1, 0x04, 0x78]);
        assert_eq!(sealed[19..51], commitment.as_ref()[..32]);
        let mut associated = sealed[..51].to_vec();
        associated.extend(b"liveness face\n\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\x04\xD2image/jpeg");
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &encrypting.as_ref()[..32]).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&sealed[51..63]).unwrap();
        let opened = key
            .open_in_place(nonce, Aad::from(associated), &mut sealed[63..])
            .unwrap();
        assert_eq!(opened, b"a face");
    }

    #[test]
    fn debug_shows_no_key() {
        let key = DataKey::from_slice(&[0xAB; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "DataKey(…)");
    }
}
