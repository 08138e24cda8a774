//! The read pool. Reads run on threads of the pool, one thread for each connection that reads. A call waits as a
//! future. When a thread has finished a read, it takes the next read from the queue, so no other thread has to be
//! woken.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::spans::{QUERY, STORE_READ, Span};
use crate::store::engine::connection::Connection;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::engine::timeouts::WAIT;

/// The threads that read, and the connections that they read from.
#[derive(Debug)]
pub(crate) struct ReadPool {
    connections: Arc<Connections>,
    threads: BlockingThreads,
}

impl ReadPool {
    pub(crate) fn new(connections: &Arc<Connections>) -> Self {
        Self {
            connections: Arc::clone(connections),
            threads: BlockingThreads::new(connections.readers() as usize, "the database"),
        }
    }

    /// The connections that it reads from.
    pub(crate) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Runs a read on one of the threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connections = Arc::clone(&self.connections);
        let span = Span::begin(STORE_READ);
        let origin = span.origin();
        let reading = move || {
            let query = origin.begin(QUERY, connections.system());
            let found = connections.read(operation);
            query.end(&found);
            found
        };
        let found = self.threads.read(reading).await;
        span.end(&found);
        found
    }

    /// Runs a job on one of the threads. The caller does not wait, and the job must not panic.
    pub(crate) fn spawn(&self, job: impl FnOnce(&Connections) + Send + 'static) -> Result<(), StoreError> {
        let connections = Arc::clone(&self.connections);
        self.threads.spawn(move || job(&connections))
    }

    /// How many reads wait for a thread.
    pub(crate) fn waiting(&self) -> usize {
        self.threads.waiting()
    }
}

/// Threads for what blocks. When this value is dropped, the threads empty the queue and end.
#[derive(Debug)]
pub(crate) struct BlockingThreads(Arc<Queue>);

impl BlockingThreads {
    /// Allows at most `most` threads. A thread starts when it is first needed. `what` is what they wait for.
    pub(crate) fn new(most: usize, what: &'static str) -> Self {
        Self(Arc::new(Queue {
            most,
            what,
            state: Mutex::default(),
            arrived: Condvar::new(),
        }))
    }

    fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
    }

    fn spawn(&self, job: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        self.0.add(Box::new(job)).map(drop)
    }

    /// Runs an operation that blocks on one of the threads. A call ends within twice [`WAIT`].
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        operation: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, mut answered) = oneshot::channel();
        let job = Box::new(move || {
            let done = catch_unwind(AssertUnwindSafe(operation));
            // The caller may have gone away.
            let _ = answer.send(done.unwrap_or_else(|_| Err(StoreError::internal("a read panicked"))));
        });
        let mut turn = Turn {
            ticket: self.0.add(job)?,
            queue: Arc::clone(&self.0),
            is_over: false,
        };
        let answer = match timeout(WAIT, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if turn.withdraw() => {
                let what = self.0.what;
                return Err(StoreError::unavailable(format!(
                    "a call to {what} waited for more than 5 s"
                )));
            }
            // The read has begun.
            Err(_) => timeout(WAIT, answered)
                .await
                .map_err(|_| StoreError::unavailable(format!("no answer from {} within 5 s", self.0.what)))?,
        };
        turn.is_over = true;
        answer.map_err(StoreError::internal)?
    }
}

impl Drop for BlockingThreads {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.arrived.notify_all();
    }
}

type Job = Box<dyn FnOnce() + Send>;

struct Queue {
    most: usize,
    what: &'static str,
    state: Mutex<State>,
    arrived: Condvar,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, Job)>,
    last_ticket: u64,
    threads: usize,
    /// The threads that wait for a read.
    idle: usize,
    /// The idle threads that have been woken and do not run yet.
    woken: usize,
    is_closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>, job: Job) -> Result<u64, StoreError> {
        let mut state = self.lock();
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.waiting.push_back((ticket, job));
        // A thread that has already been woken will take the job.
        if state.waiting.len() <= state.woken {
            return Ok(ticket);
        }
        if state.idle > state.woken {
            state.woken += 1;
            drop(state);
            self.arrived.notify_one();
        } else if state.threads < self.most {
            state.threads += 1;
            drop(state);
            self.start_thread()?;
        }
        Ok(ticket)
    }

    /// Starts another thread.
    fn start_thread(self: &Arc<Self>) -> Result<(), StoreError> {
        let queue = Arc::clone(self);
        let started = thread::Builder::new()
            .name("liveness-reader".to_owned())
            .spawn(move || {
                while let Some(job) = queue.take() {
                    job();
                }
            });
        let Err(error) = started else { return Ok(()) };
        let mut state = self.lock();
        state.threads -= 1;
        // If there are other threads, they will take the job.
        if state.threads > 0 {
            Ok(())
        } else {
            Err(StoreError::unavailable(error))
        }
    }

    /// Waits for the next read. Returns `None` once the queue is closed and empty.
    fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some((_, job)) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            state.idle += 1;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            state.woken = state.woken.saturating_sub(1);
        }
    }
}

/// A place in the queue. The place is given up when this value is dropped.
struct Turn {
    queue: Arc<Queue>,
    ticket: u64,
    is_over: bool,
}

impl Turn {
    /// Gives the place up. Returns false when the read has already begun.
    fn withdraw(&mut self) -> bool {
        self.is_over = true;
        let mut state = self.queue.lock();
        let place = state.waiting.binary_search_by_key(&self.ticket, |(ticket, _)| *ticket);
        place.is_ok_and(|place| state.waiting.remove(place).is_some())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_over {
            self.withdraw();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    }

    #[test]
    fn no_more_reads_at_once_than_threads_and_all_are_answered() {
        let readers = BlockingThreads::new(3, "the database");
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        runtime().block_on(async {
            let reads = (0..200).map(|number| {
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                readers.read(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(Duration::from_micros(200));
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(number)
                })
            });
            let mut reads: Vec<_> = reads.map(Box::pin).collect();
            // Begins all reads before it waits for any of them.
            std::future::poll_fn(|cx| {
                for read in &mut reads {
                    assert!(read.as_mut().poll(cx).is_pending());
                }
                std::task::Poll::Ready(())
            })
            .await;
            for (number, read) in reads.into_iter().enumerate() {
                assert_eq!(read.await.unwrap(), number);
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_read_that_nobody_waits_for_any_more_is_not_begun() {
        let readers = BlockingThreads::new(1, "the database");
        let ((tell, told), (release, released)) = (mpsc::channel(), mpsc::channel());
        let has_run = Arc::new(AtomicUsize::new(0));
        runtime().block_on(async {
            let mut first = Box::pin(readers.read(move || {
                tell.send(()).map_err(StoreError::internal)?;
                released.recv().map_err(StoreError::internal)?;
                Ok(())
            }));
            let counted = Arc::clone(&has_run);
            let mut second = Box::pin(readers.read(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }));
            std::future::poll_fn(|cx| {
                let _ = first.as_mut().poll(cx);
                told.recv().unwrap();
                let _ = second.as_mut().poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
            assert_eq!(readers.waiting(), 1);
            drop(second);
            assert_eq!(readers.waiting(), 0);
            release.send(()).unwrap();
            first.await.unwrap();
            readers.read(|| Ok(())).await.unwrap();
        });
        assert_eq!(has_run.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_panic_is_an_error_and_the_thread_goes_on() {
        let readers = BlockingThreads::new(1, "the database");
        runtime().block_on(async {
            let failed = readers.read::<()>(|| panic!("on purpose")).await;
            assert!(matches!(failed, Err(StoreError::Internal(_))), "{failed:?}");
            assert_eq!(readers.read(|| Ok(7)).await.unwrap(), 7);
        });
    }
}
