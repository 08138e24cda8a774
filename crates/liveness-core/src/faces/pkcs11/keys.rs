//! The keys on a token, as a session sees them.

use std::ffi::c_ulong;

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState};

use super::refusal::Refusal;
use super::uri::Pkcs11Uri;
use super::wrapping_key::WrappingKey;
use crate::faces::data_key::random_number;
use crate::faces::{KeeperError, KeyId};

/// The length of a key, in bytes.
const KEY_BYTES: c_ulong = 32;

/// The keys of a URI. Their names are in `CKA_ID`.
pub(super) struct Keys<'a> {
    session: &'a Session,
    uri: &'a Pkcs11Uri,
}

impl<'a> Keys<'a> {
    pub(super) fn new(session: &'a Session, uri: &'a Pkcs11Uri) -> Self {
        Self { session, uri }
    }

    /// What all keys have in common.
    fn template(&self) -> Vec<Attribute> {
        vec![
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(true),
            Attribute::Label(self.uri.object().as_bytes().to_vec()),
        ]
    }

    fn named(&self, id: &KeyId) -> Vec<Attribute> {
        let mut template = self.template();
        template.push(Attribute::Id(id.as_str().as_bytes().to_vec()));
        template
    }

    /// The objects of a template. Those of a user who is not logged in any more are not found, without an error.
    fn objects(&self, template: &[Attribute]) -> Result<Vec<ObjectHandle>, Refusal> {
        let found = self.session.find_objects(template)?;
        if found.is_empty() && self.session.get_session_info()?.session_state() != SessionState::RwUser {
            return Err(Error::Pkcs11(RvError::UserNotLoggedIn, Function::FindObjects).into());
        }
        Ok(found)
    }

    /// The names of the keys, the current one last.
    pub(super) fn ids(&self) -> Result<Vec<KeyId>, Refusal> {
        let mut ids = Vec::new();
        for key in self.objects(&self.template())? {
            for attribute in self.session.get_attributes(key, &[AttributeType::Id])? {
                if let Attribute::Id(id) = attribute {
                    ids.extend(str::from_utf8(&id).ok().and_then(KeyId::parse));
                }
            }
        }
        KeyId::sort(&mut ids);
        Ok(ids)
    }

    /// The name of the current key.
    pub(super) fn newest(&self) -> Result<KeyId, Refusal> {
        let newest = self.ids()?.pop();
        newest.ok_or_else(|| {
            let mend = "put the backup of the keys on it, or name the right token and object";
            self.uri.unusable("has no key", mend).into()
        })
    }

    fn find(&self, id: &KeyId) -> Result<ObjectHandle, Refusal> {
        match self.objects(&self.named(id))?[..] {
            [] => Err(KeeperError::NoSuchKey(id.clone()).into()),
            [key] => Ok(key),
            _ => {
                let problem = format!("has several keys with the id {id}");
                Err(self.uri.unusable(&problem, "take those away that are not ours").into())
            }
        }
    }

    /// A key, to wrap and unwrap with.
    pub(super) fn get<'k>(&self, id: &'k KeyId) -> Result<WrappingKey<'k>, Refusal>
    where
        'a: 'k,
    {
        Ok(WrappingKey {
            session: self.session,
            uri: self.uri,
            id,
            key: self.find(id)?,
        })
    }

    /// Makes a key on the token. It can do nothing but what it is for.
    pub(super) fn make(&self, number: u64) -> Result<KeyId, Refusal> {
        let id = KeyId::numbered(number, random_number()?);
        let mut template = self.named(&id);
        template.extend([
            Attribute::ValueLen(KEY_BYTES.into()),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
        ]);
        self.session.generate_key(&Mechanism::AesKeyGen, &template)?;
        Ok(id)
    }

    /// Destroys a key, and sees that it is gone.
    pub(super) fn destroy(&self, id: &KeyId) -> Result<(), Refusal> {
        self.session.destroy_object(self.find(id)?)?;
        match self.find(id) {
            Err(Refusal::Keeper(KeeperError::NoSuchKey(_))) => Ok(()),
            Err(refusal) => Err(refusal),
            Ok(_) => {
                let problem = "still has a key that it has destroyed";
                Err(self.uri.unusable(problem, "see its own log").into())
            }
        }
    }

    /// Checks that a key cannot leave the token.
    pub(super) fn check_kept(&self, id: &KeyId) -> Result<(), Refusal> {
        let asked = [AttributeType::Sensitive, AttributeType::Extractable];
        let told = self.session.get_attributes(self.find(id)?, &asked)?;
        if told.contains(&Attribute::Sensitive(true)) && told.contains(&Attribute::Extractable(false)) {
            return Ok(());
        }
        let problem = format!("would give the key {id} away: it is not sensitive, or is extractable");
        let mend = "rotate it away, and let the host make the keys";
        Err(self.uri.unusable(&problem, mend).into())
    }
}
