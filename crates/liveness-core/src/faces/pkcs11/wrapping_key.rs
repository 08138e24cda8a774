//! A key on a token, as it wraps and unwraps.

use std::ffi::c_ulong;

use aws_lc_rs::aead::NONCE_LEN;
use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use zeroize::Zeroizing;

use super::refusal::{Refusal, is_of_data};
use super::uri::Pkcs11Uri;
use crate::faces::data_key::fill;
use crate::faces::wrapping::{TAG_BYTES, WRAPPED_BYTES, associated};
use crate::faces::{DataKey, KeeperError, KeyId};

/// The length of a tag, in bits.
const TAG_BITS: c_ulong = 8 * TAG_BYTES as c_ulong;

/// A key-encryption key, and the session in which it was found.
pub(super) struct WrappingKey<'a> {
    pub(super) session: &'a Session,
    pub(super) uri: &'a Pkcs11Uri,
    pub(super) id: &'a KeyId,
    pub(super) key: ObjectHandle,
}

impl WrappingKey<'_> {
    /// AES-256-GCM with a random nonce, which is good for 2^32 keys (NIST SP 800-38D, 8.3). Where the token puts a nonce of
    /// its own in the place of ours, that one is kept.
    pub(super) fn wrap(&self, data_key: &[u8; DataKey::BYTES], bound_to: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let associated = associated(self.id, bound_to);
        let sealed = {
            let parameters = GcmParams::new(&mut nonce, &associated, TAG_BITS.into())?;
            self.session
                .encrypt(&Mechanism::AesGcm(parameters), self.key, data_key)?
        };
        let wrapped = [&nonce[..], &sealed].concat();
        if wrapped.len() != WRAPPED_BYTES {
            let problem = format!("does not append a tag of {TAG_BYTES} bytes");
            return Err(self.uri.unusable(&problem, "use another token").into());
        }
        Ok(wrapped)
    }

    /// Not every token tells a wrong tag from trouble of its own. Where it does not, the key is tried with what is good.
    pub(super) fn unwrap(&self, wrapped: &[u8], bound_to: &[u8]) -> Result<DataKey, Refusal> {
        if wrapped.len() != WRAPPED_BYTES {
            return Err(KeeperError::Changed.into());
        }
        match self.decrypt(wrapped, bound_to) {
            Ok(opened) => Ok(DataKey::from_slice(&opened).ok_or(KeeperError::Changed)?),
            Err(error) if is_of_data(&error) => Err(KeeperError::Changed.into()),
            Err(error) => {
                let refusal = Refusal::Token(error);
                if refusal.is_of_session() {
                    return Err(refusal);
                }
                self.probe()?;
                Err(KeeperError::Changed.into())
            }
        }
    }

    /// Wraps and unwraps what is no key.
    pub(super) fn probe(&self) -> Result<(), Refusal> {
        let probe = [0; DataKey::BYTES];
        let wrapped = self.wrap(&probe, b"probe")?;
        if *self.decrypt(&wrapped, b"probe")? != probe {
            let problem = "does not decrypt what it has encrypted";
            return Err(self.uri.unusable(problem, "use another token").into());
        }
        Ok(())
    }

    fn decrypt(&self, wrapped: &[u8], bound_to: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (nonce, sealed) = wrapped.split_at(NONCE_LEN);
        let (mut nonce, associated) = (nonce.to_vec(), associated(self.id, bound_to));
        let parameters = GcmParams::new(&mut nonce, &associated, TAG_BITS.into())?;
        let opened = self.session.decrypt(&Mechanism::AesGcm(parameters), self.key, sealed)?;
        Ok(Zeroizing::new(opened))
    }
}
