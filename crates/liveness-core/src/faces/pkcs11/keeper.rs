//! The keeper of keys on a token.

use std::ffi::c_ulong;

use aws_lc_rs::aead::NONCE_LEN;
use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState};
use zeroize::Zeroizing;

use super::refusal::{Refusal, is_of_data};
use super::token::{Open, Token};
use super::uri::Pkcs11Uri;
use crate::faces::data_key::fill;
use crate::faces::wrapping::{TAG_BYTES, WRAPPED_BYTES, associated};
use crate::faces::{DataKey, Destroyed, KeeperError, KeyId, KeyKeeper};

/// The length of a key-encryption key.
const KEY_BYTES: c_ulong = 32;
/// The length of a tag, in bits.
const TAG_BITS: c_ulong = 8 * TAG_BYTES as c_ulong;

/// Key-encryption keys on a token. They are made there, and marked as sensitive and not extractable.
///
/// The keys have the label of the URI's `object`, and their names as `CKA_ID`. No key is remembered: each call asks the token
/// which ones there are, so that a key that another process has destroyed is gone for this one too.
///
/// ```no_run
/// use liveness_core::faces::KeyKeeper as _;
/// use liveness_core::faces::pkcs11::{Pkcs11Keeper, Pkcs11Uri, close};
///
/// let uri = "pkcs11:token=liveness?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/liveness/pin";
/// let keeper = Pkcs11Keeper::open(Pkcs11Uri::parse(uri)?)?;
/// println!("{} wraps", keeper.current()?);
/// // Right before the process ends.
/// close(std::time::Duration::from_secs(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pkcs11Keeper {
    token: Token,
}

impl Pkcs11Keeper {
    /// Uses the keys of a token. Makes a first key, if there is none. Blocks.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`] when the token is not there, does not let us in, or has keys that could leave it.
    pub fn open(uri: Pkcs11Uri) -> Result<Self, KeeperError> {
        let keeper = Self::at(uri);
        keeper.token.ask(|open| {
            if keeper.keys(&open.session)?.is_empty() {
                keeper.make(&open.session, 1)?;
            }
            Ok(())
        })?;
        keeper.health()?;
        Ok(keeper)
    }

    /// The keys of a token, which is not asked yet: see [`health`](KeyKeeper::health).
    pub fn at(uri: Pkcs11Uri) -> Self {
        Self { token: Token::new(uri) }
    }

    /// Whether the token has no key yet. Blocks.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`].
    pub fn is_empty(&self) -> Result<bool, KeeperError> {
        self.token.ask(|open| Ok(self.keys(&open.session)?.is_empty()))
    }

    /// What all keys have in common.
    fn template(&self) -> Vec<Attribute> {
        vec![
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(true),
            Attribute::Label(self.token.uri().object().as_bytes().to_vec()),
        ]
    }

    /// The names of the keys, the current one last.
    fn keys(&self, session: &Session) -> Result<Vec<KeyId>, Refusal> {
        let mut ids = Vec::new();
        for key in find_objects(session, &self.template())? {
            for attribute in session.get_attributes(key, &[AttributeType::Id])? {
                if let Attribute::Id(id) = attribute {
                    ids.extend(str::from_utf8(&id).ok().and_then(KeyId::parse));
                }
            }
        }
        KeyId::sort(&mut ids);
        Ok(ids)
    }

    fn newest(&self, session: &Session) -> Result<KeyId, Refusal> {
        let newest = self.keys(session)?.pop();
        newest.ok_or_else(|| {
            let mend = "put the backup of the keys on it, or name the right token and object";
            self.unusable("has no key", mend).into()
        })
    }

    fn find(&self, session: &Session, id: &KeyId) -> Result<ObjectHandle, Refusal> {
        let mut template = self.template();
        template.push(Attribute::Id(id.as_str().as_bytes().to_vec()));
        match find_objects(session, &template)?[..] {
            [] => Err(KeeperError::NoSuchKey(id.clone()).into()),
            [key] => Ok(key),
            _ => {
                let problem = format!("has several keys with the id {id}");
                Err(self.unusable(&problem, "take those away that are not ours").into())
            }
        }
    }

    /// Makes a key on the token. It can do nothing but what it is for.
    fn make(&self, session: &Session, number: u64) -> Result<KeyId, Refusal> {
        let id = KeyId::numbered(number)?;
        let mut template = self.template();
        template.extend([
            Attribute::Id(id.as_str().as_bytes().to_vec()),
            Attribute::ValueLen(KEY_BYTES.into()),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
        ]);
        session.generate_key(&Mechanism::AesKeyGen, &template)?;
        Ok(id)
    }

    /// AES-256-GCM with a random nonce, which is good for 2^32 keys (NIST SP 800-38D, 8.3). Where the token puts a nonce of
    /// its own in the place of ours, that one is kept.
    fn wrap_with(
        &self,
        session: &Session,
        (id, key): (&KeyId, ObjectHandle),
        (data_key, bound_to): (&[u8], &[u8]),
    ) -> Result<Vec<u8>, Refusal> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let associated = associated(id, bound_to);
        let sealed = {
            let parameters = GcmParams::new(&mut nonce, &associated, TAG_BITS.into())?;
            session.encrypt(&Mechanism::AesGcm(parameters), key, data_key)?
        };
        let wrapped = [&nonce[..], &sealed].concat();
        if wrapped.len() != WRAPPED_BYTES {
            return Err(self
                .unusable("does not append a tag of 16 bytes", "use another token")
                .into());
        }
        Ok(wrapped)
    }

    /// Not every token tells a wrong tag from trouble of its own. The one that does not is tried with a key that is good.
    fn unwrap_with(
        &self,
        session: &Session,
        (id, key): (&KeyId, ObjectHandle),
        (wrapped, bound_to): (&[u8], &[u8]),
    ) -> Result<DataKey, Refusal> {
        match decrypt(session, key, wrapped, &associated(id, bound_to)) {
            Ok(opened) => Ok(DataKey::from_slice(&opened).ok_or(KeeperError::Changed)?),
            Err(error) if is_of_data(&error) => Err(KeeperError::Changed.into()),
            Err(error) => {
                let refusal = Refusal::Token(error);
                if refusal.is_of_session() {
                    return Err(refusal);
                }
                self.probe(session, id, key)?;
                Err(KeeperError::Changed.into())
            }
        }
    }

    /// Wraps and unwraps with a key.
    fn probe(&self, session: &Session, id: &KeyId, key: ObjectHandle) -> Result<(), Refusal> {
        let probe = [0; DataKey::BYTES];
        let wrapped = self.wrap_with(session, (id, key), (&probe, b"probe"))?;
        let opened = decrypt(session, key, &wrapped, &associated(id, b"probe"))?;
        if *opened != probe {
            return Err(self
                .unusable("does not decrypt what it has encrypted", "use another token")
                .into());
        }
        Ok(())
    }

    /// Checks that the token can do what it is asked for.
    fn check_mechanisms(&self, open: &Open) -> Result<(), Refusal> {
        let about = |mechanism| open.module.get_mechanism_info(open.slot, mechanism);
        let can_encrypt = about(MechanismType::AES_GCM).is_ok_and(|about| about.encrypt() && about.decrypt());
        if can_encrypt && about(MechanismType::AES_KEY_GEN).is_ok_and(|about| about.generate()) {
            return Ok(());
        }
        let problem = "has no AES-GCM, or makes no AES keys (CKM_AES_GCM, CKM_AES_KEY_GEN)";
        Err(self.unusable(problem, "use another token").into())
    }

    /// Checks that a key cannot leave the token.
    fn check_kept(&self, session: &Session, id: &KeyId) -> Result<(), Refusal> {
        let key = self.find(session, id)?;
        let attributes = session.get_attributes(key, &[AttributeType::Sensitive, AttributeType::Extractable])?;
        if attributes.contains(&Attribute::Sensitive(true)) && attributes.contains(&Attribute::Extractable(false)) {
            return Ok(());
        }
        let problem = format!("would give the key {id} away: it is not sensitive, or is extractable");
        Err(self
            .unusable(&problem, "rotate it away, and let the host make the keys")
            .into())
    }

    fn unusable(&self, problem: &str, mend: &str) -> KeeperError {
        KeeperError::Unusable {
            problem: format!("{} {problem}", self.token.uri()),
            mend: mend.to_owned(),
        }
    }
}

/// The objects of a template. Those of a user who is not logged in any more are not found, without an error.
fn find_objects(session: &Session, template: &[Attribute]) -> Result<Vec<ObjectHandle>, Error> {
    let found = session.find_objects(template)?;
    if found.is_empty() && session.get_session_info()?.session_state() != SessionState::RwUser {
        return Err(Error::Pkcs11(RvError::UserNotLoggedIn, Function::FindObjects));
    }
    Ok(found)
}

fn decrypt(
    session: &Session,
    key: ObjectHandle,
    wrapped: &[u8],
    associated: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (nonce, sealed) = wrapped.split_at(NONCE_LEN);
    let mut nonce = nonce.to_vec();
    let parameters = GcmParams::new(&mut nonce, associated, TAG_BITS.into())?;
    session
        .decrypt(&Mechanism::AesGcm(parameters), key, sealed)
        .map(Zeroizing::new)
}

impl KeyKeeper for Pkcs11Keeper {
    fn current(&self) -> Result<KeyId, KeeperError> {
        self.token.ask(|open| self.newest(&open.session))
    }

    fn wrap(&self, key: &DataKey, bound_to: &[u8]) -> Result<(KeyId, Vec<u8>), KeeperError> {
        let wrapped = self.wrap_all(&[(key, bound_to)])?;
        wrapped.into_iter().next().ok_or(KeeperError::Changed)
    }

    /// Looks for the key-encryption key once.
    fn wrap_all(&self, keys: &[(&DataKey, &[u8])]) -> Result<Vec<(KeyId, Vec<u8>)>, KeeperError> {
        self.token.ask(|open| {
            let id = self.newest(&open.session)?;
            let wrapping = (&id, self.find(&open.session, &id)?);
            let wrap = |(key, bound_to): &(&DataKey, &[u8])| {
                let wrapped = self.wrap_with(&open.session, wrapping, (key.expose(), bound_to))?;
                Ok((id.clone(), wrapped))
            };
            keys.iter().map(wrap).collect()
        })
    }

    fn unwrap(&self, id: &KeyId, wrapped: &[u8], bound_to: &[u8]) -> Result<DataKey, KeeperError> {
        self.token.ask(|open| {
            let key = self.find(&open.session, id)?;
            if wrapped.len() != WRAPPED_BYTES {
                return Err(KeeperError::Changed.into());
            }
            self.unwrap_with(&open.session, (id, key), (wrapped, bound_to))
        })
    }

    fn rotate(&self) -> Result<KeyId, KeeperError> {
        self.token.ask(|open| {
            let number = self.newest(&open.session)?.number();
            self.make(&open.session, number + 1)
        })
    }

    /// What is left of the key is up to the token, and to those who have copied it: see docs/operations.md, Faces.
    fn destroy(&self, id: &KeyId) -> Result<Destroyed, KeeperError> {
        self.token.ask(|open| {
            let session = &open.session;
            if self.newest(session)? == *id {
                let problem = format!("has {id} as its current key");
                return Err(self.unusable(&problem, "rotate first").into());
            }
            match self.find(session, id) {
                Err(Refusal::Keeper(KeeperError::NoSuchKey(_))) => return Ok(Destroyed::Before),
                found => session.destroy_object(found?)?,
            }
            match self.find(session, id) {
                Err(Refusal::Keeper(KeeperError::NoSuchKey(_))) => Ok(Destroyed::Now),
                _ => Err(self
                    .unusable("still has a key that it has destroyed", "see its own log")
                    .into()),
            }
        })
    }

    fn health(&self) -> Result<(), KeeperError> {
        self.token.ask(|open| {
            self.check_mechanisms(open)?;
            let newest = self.newest(&open.session)?;
            for id in self.keys(&open.session)? {
                self.check_kept(&open.session, &id)?;
            }
            let key = self.find(&open.session, &newest)?;
            self.probe(&open.session, &newest, key)
        })
    }
}
