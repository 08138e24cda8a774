//! Reads the keys of a provider, again and again.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;

use super::super::jwk::JwkSet;
use super::key_cache::{FetchThrottle, KeyCache};
use super::pace::JwksPace;
use super::source::Source;

/// What the fetching thread writes and the requests read.
#[derive(Default)]
pub(super) struct SharedKeys {
    keys: RwLock<KeyCache>,
    throttle: Mutex<FetchThrottle>,
    is_stale: Gauge,
}

// A poisoned lock is fine: nothing panics while it is held.
impl SharedKeys {
    pub(super) fn keys(&self) -> RwLockReadGuard<'_, KeyCache> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn throttle(&self) -> MutexGuard<'_, FetchThrottle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 1 after a fetch that failed, until one succeeds.
    pub(super) fn is_stale(&self) -> &Gauge {
        &self.is_stale
    }

    fn replace(&self, keys: KeyCache) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

/// Fetches the keys on a thread of its own.
pub(super) struct Fetcher {
    source: Source,
    pace: JwksPace,
    shared: Arc<SharedKeys>,
    /// Wakes the thread before its time. The thread ends when the sender is gone.
    wake: Receiver<()>,
    /// Announces the end of each fetch.
    fetched: watch::Sender<()>,
    /// The rejected keys that were logged, so that each is logged once.
    logged: Vec<String>,
    /// The failure that was logged, so that it is logged once.
    failure: Option<String>,
}

impl Fetcher {
    pub(super) fn new(
        source: Source,
        pace: JwksPace,
        shared: Arc<SharedKeys>,
        wake: Receiver<()>,
        fetched: watch::Sender<()>,
    ) -> Self {
        Self {
            source,
            pace,
            shared,
            wake,
            fetched,
            logged: Vec::new(),
            failure: None,
        }
    }

    /// Reads the keys of a file before the thread is started.
    pub(super) fn load(&mut self) -> Result<(), String> {
        self.replace_keys(read_keys(&self.source)?);
        Ok(())
    }

    /// Fetches for as long as there is a [`Jwks`](super::Jwks).
    pub(super) fn run(mut self) {
        if self.shared.throttle().is_under_way() {
            self.fetch();
        }
        loop {
            match self.wake.recv_timeout(self.pace.period) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => {
                    if !self.shared.throttle().begin(Instant::now(), self.pace.cooldown) {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.fetch();
        }
    }

    /// Fetches the keys. A document that cannot be used changes nothing.
    fn fetch(&mut self) {
        match read_keys(&self.source) {
            Ok(set) => {
                self.replace_keys(set);
                self.shared.is_stale.set(0);
                if self.failure.take().is_some() {
                    log::info!("JWKS: the keys are fetched again");
                }
            }
            Err(reason) => {
                self.shared.is_stale.set(1);
                if self.failure.as_ref() != Some(&reason) {
                    log::warn!("JWKS: the keys cannot be fetched, and the known ones are used for a while: {reason}");
                    self.failure = Some(reason);
                }
            }
        }
        // The lock is held while the end is announced. See `Jwks::fetch`.
        let mut throttle = self.shared.throttle();
        throttle.end();
        self.fetched.send_replace(());
    }

    fn replace_keys(&mut self, set: JwkSet) {
        for line in set.rejected.iter().filter(|line| !self.logged.contains(line)) {
            log::warn!("JWKS: not used: {line}");
        }
        self.logged = set.rejected;
        self.shared.replace(KeyCache::new(set.keys, Instant::now()));
    }
}

/// What a JWKS holds now.
pub(crate) struct JwksProbe {
    /// How many of its keys can be used.
    pub(crate) usable: usize,
    /// A line for each key that cannot be used.
    pub(crate) rejected: Vec<String>,
}

/// Reads a JWKS once, for `doctor`.
///
/// # Errors
///
/// One line that says why there are no keys.
pub(crate) fn probe_jwks(location: &str) -> Result<JwksProbe, String> {
    let source = Source::parse(location).map_err(|error| error.to_string())?;
    let set = read_keys(&source)?;
    Ok(JwksProbe {
        usable: set.keys.len(),
        rejected: set.rejected,
    })
}

/// The keys that are there now. A set without a usable key is an error: it is the provider's mistake more likely than its
/// will.
pub(super) fn read_keys(source: &Source) -> Result<JwkSet, String> {
    let set = JwkSet::parse(&source.read()?)?;
    if set.keys.is_empty() {
        let rejected = set.rejected.iter().take(3).map(|line| format!("; {line}"));
        return Err(format!(
            "it holds no key that can be used{}",
            rejected.collect::<String>()
        ));
    }
    Ok(set)
}
