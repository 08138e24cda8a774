//! The keys of an identity provider, as it publishes them (a JWKS): `docs/operations.md#tokens`.
//!
//! A thread of its own fetches them, so that nothing else ever waits for a slow provider but a request whose token names
//! a key that is not known yet, and that not for long. Whatever is known is looked up without waiting.

mod known;
mod source;

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use tokio::sync::watch;

pub use self::source::JwksError;

use self::known::{Fetches, KnownKeys};
use self::source::Source;
use super::jwk::ReadSet;
use super::key::VerificationKey;

/// Whether a key of a JWKS can be of that algorithm: a secret never stands in one.
pub(super) fn may_verify(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA)
}

/// How often a provider is asked, and how long its last word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwksPace {
    /// The keys are fetched again this long after they were: how long a key may be good that was withdrawn.
    pub period: Duration,
    /// Between the beginnings of two fetches there is at least this time, whatever tokens come in.
    pub cooldown: Duration,
    /// How long keys are good that were not confirmed, because the provider is away.
    pub lifetime: Duration,
    /// How long a request with an unknown key waits for a fetch.
    pub patience: Duration,
}

impl Default for JwksPace {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(45),
            cooldown: Duration::from_secs(30),
            lifetime: Duration::from_secs(24 * 60 * 60),
            patience: Duration::from_secs(2),
        }
    }
}

/// A JWKS that is kept up to date. Cloning it is cheap; the fetching ends with the last clone.
#[derive(Clone)]
pub struct Jwks(Arc<Inner>);

struct Inner {
    pace: JwksPace,
    shared: Arc<Shared>,
    /// Wakes the thread; it ends when this is gone.
    wake: SyncSender<()>,
    /// Hears of the end of each fetch.
    fetched: watch::Receiver<()>,
}

/// What the thread writes and the requests read.
struct Shared {
    keys: RwLock<KnownKeys>,
    fetches: Mutex<Fetches>,
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks")
            .field("pace", &self.0.pace)
            .finish_non_exhaustive()
    }
}

impl Jwks {
    /// The keys at a location: a file, an `https://` URL, or an `http://` URL of this machine.
    ///
    /// A URL is fetched in the background from now on, and need not be reached yet. Such are the rules: an answer of
    /// 200 without a redirect, at most 256 KiB and 100 keys, from a server that the machine's authorities vouch for.
    ///
    /// # Errors
    ///
    /// When it is no such location, a file that cannot be read, or one without a key that can be used.
    pub fn open(location: &str) -> Result<Self, JwksError> {
        Self::open_with(location, JwksPace::default())
    }

    /// The same at another pace.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_with(location: &str, pace: JwksPace) -> Result<Self, JwksError> {
        let source = Source::parse(location)?;
        let mut known = KnownKeys::default();
        let mut fetches = Fetches::default();
        let mut warned = Vec::new();
        if source.is_file() {
            let set = source.read().and_then(|document| usable(&document));
            let set = set.map_err(|reason| JwksError::File(location.to_owned(), reason))?;
            warn_of_dropped(&set, &mut warned);
            known = KnownKeys::of(set.keys, Instant::now());
        } else {
            // From here on a fetch is under way: the first request waits for it.
            fetches.begin(Instant::now(), pace.cooldown);
        }
        let shared = Arc::new(Shared {
            keys: RwLock::new(known),
            fetches: Mutex::new(fetches),
        });
        let (wake, woken) = sync_channel(1);
        let (announce, fetched) = watch::channel(());
        let fetcher = Fetcher {
            source,
            pace,
            shared: Arc::clone(&shared),
            woken,
            announce,
            warned,
            failure: None,
        };
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

    /// The key that a token names by its `kid` and algorithm, or, where it names none, the only one of its algorithm.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<VerificationKey> {
        let keys = self.0.shared.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.find(kid, algorithm, Instant::now(), self.0.pace.lifetime).cloned()
    }

    /// Waits, but not for long, for a fetch that is under way, or for one that is begun now unless there was one just
    /// before.
    pub(super) async fn refresh(&self) {
        if let Some(mut fetched) = self.fetch() {
            // Whether it was heard or not: the keys are what they are then.
            let _ = tokio::time::timeout(self.0.pace.patience, fetched.changed()).await;
        }
    }

    /// Begins a fetch, where there is none and one may be; gives back what hears of the end of it.
    fn fetch(&self) -> Option<watch::Receiver<()>> {
        // Held until the receiver is there: the end of the fetch cannot slip through in between.
        let mut fetches = self.0.shared.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if fetches.begin(Instant::now(), self.0.pace.cooldown) {
            // There is room for one: whoever began the last one has been heard.
            let _ = self.0.wake.try_send(());
        }
        fetches.is_under_way().then(|| {
            let mut fetched = self.0.fetched.clone();
            fetched.mark_unchanged();
            fetched
        })
    }
}

/// What the thread does.
struct Fetcher {
    source: Source,
    pace: JwksPace,
    shared: Arc<Shared>,
    woken: Receiver<()>,
    announce: watch::Sender<()>,
    /// What was said of keys that are not used, so that it is said once.
    warned: Vec<String>,
    /// Likewise of the provider.
    failure: Option<String>,
}

impl Fetcher {
    fn run(mut self) {
        let fetches = |shared: &Shared| *shared.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if fetches(&self.shared).is_under_way() {
            self.fetch();
        }
        loop {
            match self.woken.recv_timeout(self.pace.period) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => {
                    let mut fetches = self.shared.fetches.lock().unwrap_or_else(PoisonError::into_inner);
                    if !fetches.begin(Instant::now(), self.pace.cooldown) {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.fetch();
        }
    }

    /// Fetches and takes over what there is; what cannot be read changes nothing.
    fn fetch(&mut self) {
        match self.source.read().and_then(|document| usable(&document)) {
            Ok(set) => {
                warn_of_dropped(&set, &mut self.warned);
                if self.failure.take().is_some() {
                    log::info!("JWKS: the keys are there again");
                }
                let known = KnownKeys::of(set.keys, Instant::now());
                *self.shared.keys.write().unwrap_or_else(PoisonError::into_inner) = known;
            }
            Err(reason) => {
                if self.failure.as_ref() != Some(&reason) {
                    log::warn!("JWKS: no keys, those known before go on for a while: {reason}");
                    self.failure = Some(reason);
                }
            }
        }
        let mut fetches = self.shared.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        fetches.end();
        self.announce.send_replace(());
    }
}

/// What stands at a location now.
pub(crate) struct Survey {
    /// How many of its keys can be used.
    pub(crate) used: usize,
    /// A line for each that cannot.
    pub(crate) dropped: Vec<String>,
}

/// Looks once, for whoever wants to know before the host is started.
///
/// # Errors
///
/// Why there are no keys, in a line.
pub(crate) fn survey(location: &str) -> Result<Survey, String> {
    let source = Source::parse(location).map_err(|error| error.to_string())?;
    let set = usable(&source.read()?)?;
    Ok(Survey {
        used: set.keys.len(),
        dropped: set.dropped,
    })
}

/// The keys of a document; a set without any is taken for a fault of the provider's, not for the end of all keys.
fn usable(document: &[u8]) -> Result<ReadSet, String> {
    let set = ReadSet::of(document)?;
    if set.keys.is_empty() {
        let dropped = set.dropped.iter().take(3).map(|line| format!("; {line}"));
        return Err(format!(
            "it holds no key that can be used{}",
            dropped.collect::<String>()
        ));
    }
    Ok(set)
}

/// Says once of each key that it is not used.
fn warn_of_dropped(set: &ReadSet, warned: &mut Vec<String>) {
    for line in set.dropped.iter().filter(|line| !warned.contains(line)) {
        log::warn!("JWKS: not used: {line}");
    }
    warned.clone_from(&set.dropped);
}
