//! Questions of one kind that wait at the same time are asked together: one turn, and one journey to the database, for all.
//!
//! Nothing is waited for to make them many: whoever comes to an idle database is asked for alone, and the busier it is,
//! the more of them share a turn. It is to reading what group commit is to writing.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connection::Connection;
use super::error::StoreError;
use super::pool::{Connections, WAIT};

/// How long a question waits for the turn before its own. Past it another is begun beside: a connection that has gone
/// silent holds up those who were asked for with it, and nobody else.
const PATIENCE: Duration = Duration::from_millis(50);
/// Most turns at once.
const TURNS: usize = 3;
/// Most questions of a turn.
const MOST: usize = 256;

/// One kind of question.
pub(super) struct Together<Q, A> {
    /// The answers to these questions, in their order.
    ask: fn(&mut Connection<'_>, &[Q]) -> Result<Vec<A>, StoreError>,
    state: Mutex<State<Q, A>>,
}

type Answer<A> = oneshot::Sender<Result<A, StoreError>>;

struct State<Q, A> {
    waiting: Vec<(Q, Answer<A>)>,
    turns: usize,
}

impl<Q, A> fmt::Debug for Together<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

impl<Q: Send + 'static, A: Send + 'static> Together<Q, A> {
    pub(super) fn new(ask: fn(&mut Connection<'_>, &[Q]) -> Result<Vec<A>, StoreError>) -> Arc<Self> {
        let state = State {
            waiting: Vec::new(),
            turns: 0,
        };
        Arc::new(Self {
            ask,
            state: Mutex::new(state),
        })
    }

    /// How many questions wait for a turn.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// The answer to a question.
    pub(super) async fn ask(self: &Arc<Self>, connections: &Arc<Connections>, question: Q) -> Result<A, StoreError> {
        let (answer, mut answered) = oneshot::channel();
        if self.add(question, answer) {
            self.begin(connections);
        }
        let in_time = match timeout(PATIENCE, &mut answered).await {
            Ok(answer) => Ok(answer),
            Err(_) => {
                if self.is_held_up() {
                    self.begin(connections);
                }
                timeout(WAIT, answered).await
            }
        };
        match in_time {
            Ok(answer) => answer.map_err(StoreError::internal)?,
            Err(_) => Err(StoreError::unavailable("no answer of the database within 5 s")),
        }
    }

    /// Whether a turn is to be begun for it.
    fn add(&self, question: Q, answer: Answer<A>) -> bool {
        let mut state = self.lock();
        state.waiting.push((question, answer));
        let begins = state.turns == 0;
        state.turns += usize::from(begins);
        begins
    }

    /// Whether a turn is to be begun beside those that are not over yet.
    fn is_held_up(&self) -> bool {
        let mut state = self.lock();
        let begins = !state.waiting.is_empty() && state.turns < TURNS;
        state.turns += usize::from(begins);
        begins
    }

    /// Takes a place in the queue of those who read; each turn anew, so that the others have theirs.
    fn begin(self: &Arc<Self>, connections: &Arc<Connections>) {
        let (questions, with) = (Arc::clone(self), Arc::clone(connections));
        let begun = connections.read_later(move || {
            questions.turn(&with);
            if questions.goes_on() {
                questions.begin(&with);
            }
        });
        if let Err(error) = begun {
            let mut state = self.lock();
            state.turns -= 1;
            let refused = std::mem::take(&mut state.waiting);
            drop(state);
            refuse(refused.into_iter().map(|(_, answer)| answer), &error);
        }
    }

    fn turn(&self, connections: &Connections) {
        let (questions, answers) = self.take();
        if questions.is_empty() {
            return;
        }
        let asked = catch_unwind(AssertUnwindSafe(|| {
            connections.read_here(|conn| (self.ask)(conn, &questions))
        }));
        match asked.unwrap_or_else(|_| Err(StoreError::internal("a read panicked"))) {
            Ok(found) => {
                for (answer, found) in answers.into_iter().zip(found) {
                    // Who has gone away does not want to know.
                    let _ = answer.send(Ok(found));
                }
            }
            Err(error) => refuse(answers, &error),
        }
    }

    /// What is asked next: not what nobody waits for any more.
    fn take(&self) -> (Vec<Q>, Vec<Answer<A>>) {
        let mut state = self.lock();
        let most = state.waiting.len().min(MOST);
        let taken = state.waiting.drain(..most);
        taken.filter(|(_, answer)| !answer.is_closed()).unzip()
    }

    /// Whether there is something left for another turn.
    fn goes_on(&self) -> bool {
        let mut state = self.lock();
        let goes_on = !state.waiting.is_empty();
        state.turns -= usize::from(!goes_on);
        goes_on
    }

    fn lock(&self) -> MutexGuard<'_, State<Q, A>> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse<A>(answers: impl IntoIterator<Item = Answer<A>>, error: &StoreError) {
    for answer in answers {
        let _ = answer.send(Err(error.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::super::Store;
    use super::*;

    /// Runs with the readers of a file.
    fn with_readers<F: Future<Output = ()>>(test: impl FnOnce(Arc<Connections>) -> F) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}", folder.path().join("own.db").display())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(test(Arc::clone(&store.connections)));
    }

    /// Whether a turn that asks for [`HOLDS`] is held up.
    static IS_HELD: AtomicBool = AtomicBool::new(true);
    const HOLDS: i64 = -1;

    /// Answers each number by how many were asked with it.
    fn count(_: &mut Connection<'_>, numbers: &[i64]) -> Result<Vec<usize>, StoreError> {
        while numbers == [HOLDS] && IS_HELD.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        Ok(vec![numbers.len(); numbers.len()])
    }

    #[test]
    fn what_waits_for_a_turn_is_asked_together_and_a_turn_that_hangs_holds_up_nobody_else() {
        with_readers(|connections| async move {
            let questions = Together::new(count);
            let mut first = Box::pin(questions.ask(&connections, HOLDS));
            assert!(
                first
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
            while questions.waiting() > 0 {
                std::thread::yield_now();
            }
            let mut others: Vec<_> = (0..9)
                .map(|number| Box::pin(questions.ask(&connections, number)))
                .collect();
            std::future::poll_fn(|cx| {
                for other in &mut others {
                    assert!(other.as_mut().poll(cx).is_pending());
                }
                Poll::Ready(())
            })
            .await;
            assert_eq!(questions.waiting(), 9);
            // Nobody waits for this one any more: it is not asked.
            drop(others.pop());
            for other in others {
                assert_eq!(other.await.unwrap(), 8);
            }
            IS_HELD.store(false, Ordering::SeqCst);
            assert_eq!(first.await.unwrap(), 1);
        });
    }

    #[test]
    fn a_failure_is_told_to_all_and_the_next_turn_comes() {
        static TURN: AtomicUsize = AtomicUsize::new(0);
        fn fail_twice(_: &mut Connection<'_>, numbers: &[i64]) -> Result<Vec<i64>, StoreError> {
            match TURN.fetch_add(1, Ordering::SeqCst) {
                0 => Err(StoreError::internal("on purpose")),
                1 => panic!("on purpose"),
                _ => Ok(numbers.to_vec()),
            }
        }
        with_readers(|connections| async move {
            let questions = Together::new(fail_twice);
            for _ in 0..2 {
                let failed = questions.ask(&connections, 7).await;
                assert!(matches!(failed, Err(StoreError::Internal(_))), "{failed:?}");
            }
            assert_eq!(questions.ask(&connections, 7).await.unwrap(), 7);
        });
    }
}
