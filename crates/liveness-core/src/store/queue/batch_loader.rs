//! Batch loaders: one statement loads the values of all keys that wait at the same time.
//!
//! No key is held back to make a batch larger. When the database is idle, a key is loaded alone. The busier the
//! database is, the more keys share a turn. A key that several wait for is loaded once in a turn. Batch loaders do for reads
//! what group commit does for writes.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::read_pool::ReadPool;
use super::spans::{BatchSpans, Origin, QUERY, STORE_READ, Span};
use crate::store::engine::connection::Connection;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::engine::timeouts::WAIT;

/// How long a key waits for the turn that runs before its own. After that, another turn begins in parallel. So a
/// connection that has gone silent delays only the keys of its own turn.
const PATIENCE: Duration = Duration::from_millis(50);
/// The most turns at once.
const TURNS: usize = 3;
/// The most keys in one turn.
const BATCH: usize = 256;

/// Loads values by their keys, in batches.
pub(crate) struct BatchLoader<K, V> {
    reads: Arc<ReadPool>,
    /// Loads the value of each key, in the order of the keys.
    load_batch: fn(&mut Connection<'_>, &[K]) -> Result<Vec<V>, StoreError>,
    state: Mutex<State<K, V>>,
}

type Answer<V> = oneshot::Sender<Result<V, StoreError>>;
/// Who waits for one key, and the spans of their calls.
type Callers<V> = Vec<(Answer<V>, Origin)>;

/// A key that waits for a turn.
struct Waiting<K, V> {
    key: K,
    answer: Answer<V>,
    origin: Origin,
}

struct State<K, V> {
    waiting: Vec<Waiting<K, V>>,
    turns: usize,
}

impl<K, V> fmt::Debug for BatchLoader<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchLoader").finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> BatchLoader<K, V> {
    pub(crate) fn new(
        reads: &Arc<ReadPool>,
        load_batch: fn(&mut Connection<'_>, &[K]) -> Result<Vec<V>, StoreError>,
    ) -> Arc<Self> {
        let state = State {
            waiting: Vec::new(),
            turns: 0,
        };
        Arc::new(Self {
            reads: Arc::clone(reads),
            load_batch,
            state: Mutex::new(state),
        })
    }

    /// How many keys wait for a turn.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Loads the value of a key.
    pub(crate) async fn load(self: &Arc<Self>, key: K) -> Result<V, StoreError> {
        let span = Span::begin(STORE_READ);
        let found = self.queue(key, span.origin()).await;
        span.end(&found);
        found
    }

    async fn queue(self: &Arc<Self>, key: K, origin: Origin) -> Result<V, StoreError> {
        let (answer, mut answered) = oneshot::channel();
        if self.add(Waiting { key, answer, origin }) {
            self.begin_turn();
        }
        let in_time = match timeout(PATIENCE, &mut answered).await {
            Ok(answer) => Ok(answer),
            Err(_) => {
                if self.adds_turn() {
                    self.begin_turn();
                }
                timeout(WAIT, answered).await
            }
        };
        match in_time {
            Ok(answer) => answer.map_err(StoreError::internal)?,
            Err(_) => Err(StoreError::unavailable("no answer from the database within 5 s")),
        }
    }

    /// Adds a key. Returns true when the caller has to begin a turn for it.
    fn add(&self, waiting: Waiting<K, V>) -> bool {
        let mut state = self.lock();
        state.waiting.push(waiting);
        let begins = state.turns == 0;
        state.turns += usize::from(begins);
        begins
    }

    /// Counts another turn if keys still wait and there may be one more turn. Returns true when the caller has to begin
    /// that turn.
    fn adds_turn(&self) -> bool {
        let mut state = self.lock();
        let begins = !state.waiting.is_empty() && state.turns < TURNS;
        state.turns += usize::from(begins);
        begins
    }

    /// Takes a place in the queue of the read pool. Each turn takes a new place, so that other reads are not kept out.
    fn begin_turn(self: &Arc<Self>) {
        let loader = Arc::clone(self);
        let begun = self.reads.spawn(move |connections| {
            loader.turn(connections);
            if loader.goes_on() {
                loader.begin_turn();
            }
        });
        if let Err(error) = begun {
            let mut state = self.lock();
            state.turns -= 1;
            let refused = std::mem::take(&mut state.waiting);
            drop(state);
            refuse(refused.into_iter().map(|waiting| waiting.answer), &error);
        }
    }

    fn turn(&self, connections: &Connections) {
        let (keys, callers) = self.take();
        if keys.is_empty() {
            return;
        }
        let origins = callers.iter().flatten().map(|(_, origin)| origin);
        let spans = BatchSpans::begin(QUERY, connections.system(), origins);
        let loaded = catch_unwind(AssertUnwindSafe(|| {
            connections.read(|conn| (self.load_batch)(conn, &keys))
        }));
        let loaded = loaded.unwrap_or_else(|_| Err(StoreError::internal("a read panicked")));
        spans.end(callers.iter().flatten().map(|_| loaded.as_ref().err()));
        match loaded {
            Ok(values) => {
                for (callers, value) in callers.into_iter().zip(values) {
                    answer(callers.into_iter().map(|(answer, _)| answer), &value);
                }
            }
            Err(error) => refuse(callers.into_iter().flatten().map(|(answer, _)| answer), &error),
        }
    }

    /// Takes the next batch, without the keys that nobody waits for any more. Each key is there once, with all who wait for it.
    fn take(&self) -> (Vec<K>, Vec<Callers<V>>) {
        let mut state = self.lock();
        let most = state.waiting.len().min(BATCH);
        let taken: Vec<_> = state.waiting.drain(..most).collect();
        drop(state);
        let (mut keys, mut callers) = (Vec::with_capacity(most), Vec::<Callers<V>>::with_capacity(most));
        let mut places = HashMap::with_capacity(most);
        for waiting in taken.into_iter().filter(|waiting| !waiting.answer.is_closed()) {
            let place = *places.entry(waiting.key.clone()).or_insert(keys.len());
            let caller = (waiting.answer, waiting.origin);
            if place == keys.len() {
                keys.push(waiting.key);
                callers.push(vec![caller]);
            } else {
                callers[place].push(caller);
            }
        }
        (keys, callers)
    }

    /// Returns whether keys are left for another turn. If not, the turn is over and no longer counted.
    fn goes_on(&self) -> bool {
        let mut state = self.lock();
        let goes_on = !state.waiting.is_empty();
        state.turns -= usize::from(!goes_on);
        goes_on
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a value to all who wait for it.
fn answer<V: Clone>(answers: impl IntoIterator<Item = Answer<V>>, value: &V) {
    for answer in answers {
        // The caller may have gone away.
        let _ = answer.send(Ok(value.clone()));
    }
}

fn refuse<V>(answers: impl IntoIterator<Item = Answer<V>>, error: &StoreError) {
    for answer in answers {
        let _ = answer.send(Err(error.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::store::engine::database_file::DatabaseFile;
    use crate::store::engine::pool::Pool;
    use crate::store::engine::sqlite;

    /// Runs a test with the read pool of a new SQLite file.
    fn with_read_pool<F: Future<Output = ()>>(test: impl FnOnce(Arc<ReadPool>) -> F) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.db");
        let (readers, writer) = sqlite::open_file(&path, true).unwrap();
        let file = DatabaseFile::at(&path).unwrap();
        let connections = Connections::new(Pool::Sqlite(readers), Pool::Sqlite(writer), Some(file));
        let reads = Arc::new(ReadPool::new(&Arc::new(connections)));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(test(reads));
    }

    /// Whether a turn that loads only [`HOLDS`] has to wait.
    static IS_HELD: AtomicBool = AtomicBool::new(true);
    const HOLDS: i64 = -1;

    /// The value of each number is the number of keys in its turn.
    fn count(_: &mut Connection<'_>, numbers: &[i64]) -> Result<Vec<usize>, StoreError> {
        while numbers == [HOLDS] && IS_HELD.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        Ok(vec![numbers.len(); numbers.len()])
    }

    #[test]
    fn keys_that_wait_share_a_turn_and_a_turn_that_hangs_holds_up_no_other() {
        with_read_pool(|reads| async move {
            let loader = BatchLoader::new(&reads, count);
            let mut first = Box::pin(loader.load(HOLDS));
            assert!(
                first
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
            while loader.waiting() > 0 {
                std::thread::yield_now();
            }
            let mut others: Vec<_> = (0..9).map(|number| Box::pin(loader.load(number))).collect();
            std::future::poll_fn(|cx| {
                for other in &mut others {
                    assert!(other.as_mut().poll(cx).is_pending());
                }
                Poll::Ready(())
            })
            .await;
            assert_eq!(loader.waiting(), 9);
            // Nobody waits for this key any more, so it is not loaded.
            drop(others.pop());
            let mut same = Box::pin(loader.load(0));
            assert!(same.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            others.push(same);
            for other in others {
                assert_eq!(other.await.unwrap(), 8);
            }
            IS_HELD.store(false, Ordering::SeqCst);
            assert_eq!(first.await.unwrap(), 1);
        });
    }

    #[test]
    fn a_failure_reaches_all_of_a_turn_and_the_next_turn_comes() {
        static TURN: AtomicUsize = AtomicUsize::new(0);
        fn fail_twice(_: &mut Connection<'_>, numbers: &[i64]) -> Result<Vec<i64>, StoreError> {
            match TURN.fetch_add(1, Ordering::SeqCst) {
                0 => Err(StoreError::internal("on purpose")),
                1 => panic!("on purpose"),
                _ => Ok(numbers.to_vec()),
            }
        }
        with_read_pool(|reads| async move {
            let loader = BatchLoader::new(&reads, fail_twice);
            for _ in 0..2 {
                let failed = loader.load(7).await;
                assert!(matches!(failed, Err(StoreError::Internal(_))), "{failed:?}");
            }
            assert_eq!(loader.load(7).await.unwrap(), 7);
        });
    }
}
