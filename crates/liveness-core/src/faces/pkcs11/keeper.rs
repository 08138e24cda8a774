//! The keeper of keys on a token.

use cryptoki::mechanism::MechanismType;

use super::keys::Keys;
use super::refusal::Refusal;
use super::token::{Open, Token};
use super::uri::Pkcs11Uri;
use crate::faces::{DataKey, Destroyed, KeeperError, KeyId, KeyKeeper};

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
        keeper.ask(|keys, open| {
            // It is told before a key is made that is of no use.
            keeper.check_mechanisms(open)?;
            if keys.ids()?.is_empty() {
                keys.make(1)?;
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
        self.ask(|keys, _| Ok(keys.ids()?.is_empty()))
    }

    fn ask<T>(&self, work: impl Fn(&Keys<'_>, &Open) -> Result<T, Refusal>) -> Result<T, KeeperError> {
        let uri = self.token.uri();
        self.token.ask(|open| work(&Keys::new(&open.session, uri), open))
    }

    /// Checks that the token can do what it is asked for.
    fn check_mechanisms(&self, open: &Open) -> Result<(), Refusal> {
        let about = |mechanism| open.module.get_mechanism_info(open.slot, mechanism);
        let can_encrypt = about(MechanismType::AES_GCM).is_ok_and(|about| about.encrypt() && about.decrypt());
        if can_encrypt && about(MechanismType::AES_KEY_GEN).is_ok_and(|about| about.generate()) {
            return Ok(());
        }
        let problem = "has no AES-GCM, or makes no AES keys (CKM_AES_GCM, CKM_AES_KEY_GEN)";
        Err(self.token.uri().unusable(problem, "use another token").into())
    }
}

impl KeyKeeper for Pkcs11Keeper {
    fn current(&self) -> Result<KeyId, KeeperError> {
        self.ask(|keys, _| keys.newest())
    }

    fn wrap(&self, key: &DataKey, bound_to: &[u8]) -> Result<(KeyId, Vec<u8>), KeeperError> {
        self.ask(|keys, _| {
            let id = keys.newest()?;
            let wrapped = keys.get(&id)?.wrap(key.expose(), bound_to)?;
            Ok((id, wrapped))
        })
    }

    /// Looks for the key-encryption key once.
    fn wrap_all(&self, data_keys: &[(&DataKey, &[u8])]) -> Result<Vec<(KeyId, Vec<u8>)>, KeeperError> {
        self.ask(|keys, _| {
            let id = keys.newest()?;
            let wrapping = keys.get(&id)?;
            let wrap = |(key, bound_to): &(&DataKey, &[u8])| Ok((id.clone(), wrapping.wrap(key.expose(), bound_to)?));
            data_keys.iter().map(wrap).collect()
        })
    }

    fn unwrap(&self, id: &KeyId, wrapped: &[u8], bound_to: &[u8]) -> Result<DataKey, KeeperError> {
        self.ask(|keys, _| keys.get(id)?.unwrap(wrapped, bound_to))
    }

    fn rotate(&self) -> Result<KeyId, KeeperError> {
        self.ask(|keys, _| keys.make(keys.newest()?.number() + 1))
    }

    /// What is left of the key is up to the token, and to those who have copied it: see docs/operations.md, Faces.
    fn destroy(&self, id: &KeyId) -> Result<Destroyed, KeeperError> {
        self.ask(|keys, _| {
            if keys.newest()? == *id {
                let problem = format!("has {id} as its current key");
                return Err(self.token.uri().unusable(&problem, "rotate first").into());
            }
            match keys.destroy(id) {
                Err(Refusal::Keeper(KeeperError::NoSuchKey(_))) => Ok(Destroyed::Before),
                destroyed => destroyed.map(|()| Destroyed::Now),
            }
        })
    }

    fn health(&self) -> Result<(), KeeperError> {
        self.ask(|keys, open| {
            self.check_mechanisms(open)?;
            for id in keys.ids()? {
                keys.check_kept(&id)?;
            }
            keys.get(&keys.newest()?)?.probe()
        })
    }
}
