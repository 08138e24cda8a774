//! The interface to what keeps the key-encryption keys: a folder, a hardware security module, a key service.

use std::fmt;

use super::data_key::DataKey;
use super::error::KeeperError;
use super::key_id::KeyId;

/// Keeps key-encryption keys, and wraps and unwraps data keys with them.
///
/// A keeper may be shared with other processes, and each of them may rotate and destroy keys. So a keeper must not
/// remember a key that another process has destroyed.
///
/// An embedding backend can bring a keeper of its own:
///
/// ```
/// use liveness_core::faces::{DataKey, Destroyed, KeeperError, KeyId, KeyKeeper};
///
/// /// Wraps keys with the client of a key service.
/// #[derive(Debug)]
/// struct OfService(Client);
///
/// impl KeyKeeper for OfService {
///     fn current(&self) -> Result<KeyId, KeeperError> {
///         self.0.newest_key().map_err(unusable)
///     }
///
///     fn wrap(&self, key: &DataKey, bound_to: &[u8]) -> Result<(KeyId, Vec<u8>), KeeperError> {
///         let id = self.current()?;
///         let wrapped = self.0.encrypt(&id, key.expose(), bound_to).map_err(unusable)?;
///         Ok((id, wrapped))
///     }
///
///     fn unwrap(&self, id: &KeyId, wrapped: &[u8], bound_to: &[u8]) -> Result<DataKey, KeeperError> {
///         let key = self.0.decrypt(id, wrapped, bound_to).map_err(unusable)?;
///         DataKey::from_slice(&key).ok_or(KeeperError::Changed)
///     }
///
///     fn rotate(&self) -> Result<KeyId, KeeperError> {
///         self.0.make_key().map_err(unusable)
///     }
///
///     fn destroy(&self, id: &KeyId) -> Result<Destroyed, KeeperError> {
///         self.0.destroy_key(id).map(|()| Destroyed::Now).map_err(unusable)
///     }
///
///     fn health(&self) -> Result<(), KeeperError> {
///         self.current().map(drop)
///     }
/// }
///
/// fn unusable(problem: String) -> KeeperError {
///     KeeperError::Unusable { problem, mend: "see the service's log".to_owned() }
/// }
///
/// # #[derive(Debug)]
/// # struct Client;
/// # impl Client {
/// #     fn newest_key(&self) -> Result<KeyId, String> { Ok(KeyId::parse("key-1").unwrap()) }
/// #     fn encrypt(&self, _: &KeyId, key: &[u8], _: &[u8]) -> Result<Vec<u8>, String> { Ok(key.to_vec()) }
/// #     fn decrypt(&self, _: &KeyId, wrapped: &[u8], _: &[u8]) -> Result<Vec<u8>, String> { Ok(wrapped.to_vec()) }
/// #     fn make_key(&self) -> Result<KeyId, String> { self.newest_key() }
/// #     fn destroy_key(&self, _: &KeyId) -> Result<(), String> { Ok(()) }
/// # }
/// let keeper: std::sync::Arc<dyn KeyKeeper> = std::sync::Arc::new(OfService(Client));
/// keeper.health()?;
/// # Ok::<(), KeeperError>(())
/// ```
pub trait KeyKeeper: fmt::Debug + Send + Sync {
    /// The key that wraps from now on.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`].
    fn current(&self) -> Result<KeyId, KeeperError>;

    /// Wraps a data key with the current key. What `bound_to` says must be said again to unwrap it.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`].
    fn wrap(&self, key: &DataKey, bound_to: &[u8]) -> Result<(KeyId, Vec<u8>), KeeperError>;

    /// Wraps data keys with the current key, each bound to what stands beside it. A keeper that must go a long way to its key
    /// can go once.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`].
    fn wrap_all(&self, keys: &[(&DataKey, &[u8])]) -> Result<Vec<(KeyId, Vec<u8>)>, KeeperError> {
        keys.iter().map(|(key, bound_to)| self.wrap(key, bound_to)).collect()
    }

    /// Unwraps a data key.
    ///
    /// # Errors
    ///
    /// [`KeeperError::NoSuchKey`] when the key-encryption key is gone, [`KeeperError::Changed`] when the wrapped key was
    /// changed or bound to something else, and [`KeeperError::Unusable`].
    fn unwrap(&self, id: &KeyId, wrapped: &[u8], bound_to: &[u8]) -> Result<DataKey, KeeperError>;

    /// Makes a new key, which is the current one when this returns. The others still unwrap.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`]: nothing has changed.
    fn rotate(&self) -> Result<KeyId, KeeperError>;

    /// Destroys a key for good. It must not be the current one.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`].
    fn destroy(&self, id: &KeyId) -> Result<Destroyed, KeeperError>;

    /// Looks whether keys can be used, and are nobody else's.
    ///
    /// # Errors
    ///
    /// [`KeeperError`], which says what would mend it.
    fn health(&self) -> Result<(), KeeperError>;
}

/// Whether a key was there to be destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destroyed {
    /// It was there, and is no more.
    Now,
    /// It was not there: it had been destroyed before.
    Before,
}
