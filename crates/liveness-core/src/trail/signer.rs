//! The interface to what signs for a log: a key in memory, a hardware security module, a key service.

use std::fmt;
use std::sync::Arc;

use super::key::{KeyError, TrailKey};
use super::mac_key::MacKey;
use super::verifier::TrailVerifier;

/// Why a signer has not signed. No message holds a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {mend}")]
pub struct SignerError {
    /// What is wrong.
    pub problem: String,
    /// What would mend it.
    pub mend: String,
}

/// Signs checkpoints and receipts for one log, and knows the key of the MACs of its entries.
///
/// [`TrailKey`] is one. A signer may be far away, and so may fail: entries go on to be put into the log, and the next checkpoint
/// is signed once the signer answers again. A receipt is refused meanwhile. Only [`sign`](Self::sign) may take its time; it is
/// called on threads that may block, without a connection to the database. It must end by itself within a few seconds, because
/// [`TrailKeeper::stop`](crate::store::TrailKeeper::stop) waits for it.
///
/// An embedding backend can bring a signer of its own:
///
/// ```
/// use liveness_core::trail::{KeyError, MacKey, SignerError, TrailSigner, TrailVerifier};
///
/// /// Signs with the client of a key service, which has an Ed25519 key.
/// #[derive(Debug)]
/// struct OfService {
///     client: Client,
///     verifier: TrailVerifier,
///     entries: MacKey,
/// }
///
/// impl TrailSigner for OfService {
///     fn verifier(&self) -> &TrailVerifier {
///         &self.verifier
///     }
///
///     fn sign(&self, text: &[u8]) -> Result<[u8; 64], SignerError> {
///         self.client.sign(text).map_err(|problem| SignerError {
///             problem,
///             mend: "see the service's log".to_owned(),
///         })
///     }
///
///     // Each entry needs it, so it is here and not far away.
///     fn entry_mac_key(&self) -> Result<MacKey, KeyError> {
///         Ok(self.entries.clone())
///     }
/// }
///
/// # #[derive(Debug)]
/// # struct Client(aws_lc_rs::signature::Ed25519KeyPair);
/// # impl Client {
/// #     fn public_key(&self) -> [u8; 32] {
/// #         use aws_lc_rs::signature::KeyPair as _;
/// #         self.0.public_key().as_ref().try_into().unwrap()
/// #     }
/// #     fn sign(&self, text: &[u8]) -> Result<[u8; 64], String> { Ok(self.0.sign(text).as_ref().try_into().unwrap()) }
/// # }
/// # let client = Client(aws_lc_rs::signature::Ed25519KeyPair::generate()?);
/// # let secret = [7; 32];
/// let signer = OfService {
///     verifier: TrailVerifier::named("bank.example/trail", client.public_key())?,
///     entries: MacKey::new(&secret),
///     client,
/// };
/// let store = liveness_core::store::Store::in_memory()?;
/// let keeper = store.trail().keep(signer, false)?;
/// keeper.stop();
/// assert_eq!(keeper.state().unsigned, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait TrailSigner: fmt::Debug + Send + Sync {
    /// The public key, and the name of the log. It stays the same.
    fn verifier(&self) -> &TrailVerifier;

    /// Signs a text: Ed25519, RFC 8032. Blocks.
    ///
    /// # Errors
    ///
    /// [`SignerError`], which says what would mend it.
    fn sign(&self, text: &[u8]) -> Result<[u8; 64], SignerError>;

    /// The key of the MACs of entries. Each process that writes or verifies entries of the log needs the same.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it cannot be had.
    fn entry_mac_key(&self) -> Result<MacKey, KeyError>;
}

impl TrailSigner for TrailKey {
    fn verifier(&self) -> &TrailVerifier {
        self.verifier()
    }

    fn sign(&self, text: &[u8]) -> Result<[u8; 64], SignerError> {
        Ok(self.sign(text))
    }

    fn entry_mac_key(&self) -> Result<MacKey, KeyError> {
        self.entry_mac_key()
    }
}

impl<S: TrailSigner + ?Sized> TrailSigner for Arc<S> {
    fn verifier(&self) -> &TrailVerifier {
        (**self).verifier()
    }

    fn sign(&self, text: &[u8]) -> Result<[u8; 64], SignerError> {
        (**self).sign(text)
    }

    fn entry_mac_key(&self) -> Result<MacKey, KeyError> {
        (**self).entry_mac_key()
    }
}
