//! The keys of an identity provider, as it publishes them (a JWKS): `docs/operations.md#tokens`.
//!
//! A thread of its own fetches them, and known keys are looked up without waiting. So a slow provider holds up one kind of
//! request only: one whose token names an unknown key that no known key verifies. That request does not wait long either.

mod fetcher;
mod key_cache;
mod pace;
mod source;

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;

use self::fetcher::{Fetcher, SharedKeys, read_keys};
use self::source::Source;

pub use self::pace::JwksPace;
pub use self::source::JwksError;

pub(crate) use self::fetcher::probe_jwks;
pub(super) use self::key_cache::{Candidates, Missing};

/// Whether a JWKS can have a key of this algorithm. It never holds a shared secret.
pub(super) fn may_verify(algorithm: Algorithm) -> bool {
    algorithm.family() != AlgorithmFamily::Hmac
}

/// A JWKS that is kept up to date. Cloning it is cheap. The fetching ends when the last clone is dropped.
#[derive(Clone)]
pub struct Jwks(Arc<Inner>);

struct Inner {
    pace: JwksPace,
    shared: Arc<SharedKeys>,
    /// Wakes the thread. The thread ends when this is dropped.
    wake: SyncSender<()>,
    /// Hears of the end of each fetch.
    fetched: watch::Receiver<()>,
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks")
            .field("pace", &self.0.pace)
            .finish_non_exhaustive()
    }
}

#[cfg(fuzzing)]
impl Jwks {
    /// The key id and the algorithm of each key in a document, and what is told of the others, for `fuzz/`.
    #[doc(hidden)]
    pub fn read_document(document: &[u8]) -> Result<(Vec<(Option<String>, Algorithm)>, Vec<String>), &'static str> {
        let set = super::jwk::JwkSet::parse(document)?;
        let keys = set.keys.into_iter().map(|key| (key.kid, key.key.algorithm));
        Ok((keys.collect(), set.rejected))
    }
}

impl Jwks {
    /// Whether keys can be taken from there. A file is read, a URL is not fetched.
    pub(crate) fn check(location: &str) -> Result<(), JwksError> {
        let source = Source::parse(location)?;
        if source.is_file() {
            let keys = read_keys(&source);
            keys.map_err(|reason| JwksError::File(location.to_owned(), reason))?;
        }
        Ok(())
    }

    /// The keys at a location: a file, an `https://` URL, or an `http://` URL of this machine.
    ///
    /// A file is read now. A URL is fetched in the background, and need not be reachable yet. The answer must have status
    /// 200 without a redirect, at most 256 KiB and at most 100 keys, and come from a server that the machine's certificate
    /// authorities trust.
    ///
    /// # Errors
    ///
    /// When it is not such a location, or is a file that cannot be read or has no usable key.
    pub fn open(location: &str) -> Result<Self, JwksError> {
        Self::open_with(location, JwksPace::default())
    }

    /// The same, at another pace.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_with(location: &str, pace: JwksPace) -> Result<Self, JwksError> {
        let source = Source::parse(location)?;
        let is_file = source.is_file();
        let shared = Arc::new(SharedKeys::default());
        let (wake, woken) = sync_channel(1);
        let (announce, fetched) = watch::channel(());
        let mut fetcher = Fetcher::new(source, pace, Arc::clone(&shared), woken, announce);
        if is_file {
            let loaded = fetcher.load();
            loaded.map_err(|reason| JwksError::File(location.to_owned(), reason))?;
        } else {
            // The fetch counts as begun from here on, so that the first request waits for it.
            shared.throttle().begin(Instant::now(), pace.cooldown);
        }
        thread::Builder::new()
            .name("jwks".to_owned())
            .spawn(move || fetcher.run())
            .map_err(JwksError::Thread)?;
        Ok(Self(Arc::new(Inner {
            pace,
            shared,
            wake,
            fetched,
        })))
    }

    /// The keys that may have signed a token whose header names this key and this algorithm.
    pub(super) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Candidates {
        let keys = self.0.shared.keys();
        keys.candidates(kid, algorithm, Instant::now(), self.0.pace.lifetime)
    }

    /// 1 after a fetch that failed, until one succeeds.
    pub(crate) fn is_stale(&self) -> &Gauge {
        self.0.shared.is_stale()
    }

    /// When the known keys were fetched.
    pub(super) fn confirmed(&self) -> Option<Instant> {
        self.0.shared.keys().confirmed()
    }

    /// Fetches the keys, unless that was done a moment ago, and waits a short time for the end of the fetch.
    pub(super) async fn refresh(&self) {
        if let Some(mut fetched) = self.fetch() {
            // After a timeout the old keys are used.
            let _ = tokio::time::timeout(self.0.pace.patience, fetched.changed()).await;
        }
    }

    /// Begins a fetch, if one may begin now. Returns a receiver that hears of the end of the fetch that is under way.
    fn fetch(&self) -> Option<watch::Receiver<()>> {
        // The lock is held until the receiver is ready. Otherwise the fetch could end before it listens.
        let mut throttle = self.0.shared.throttle();
        if throttle.begin(Instant::now(), self.0.pace.cooldown) {
            // The channel has room for one, and the thread has received the last one.
            let _ = self.0.wake.try_send(());
        }
        throttle.is_under_way().then(|| {
            let mut fetched = self.0.fetched.clone();
            fetched.mark_unchanged();
            fetched
        })
    }
}
