//! Questions of one kind that wait at the same time are asked together: one turn, and one journey to the database, for all.
//!
//! Nothing is waited for to make them many: whoever comes to an idle database is asked for alone, and the busier it is,
//! the more of them share a turn. It is to reading what group commit is to writing.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connection::Connection;
use super::error::StoreError;
use super::pool::{Connections, WAIT};

/// Turns that one kind of question has at once: the next questions are collected while these are asked.
const TURNS: usize = 2;
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
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut state = self.lock();
            state.waiting.push((question, answer));
            let begins = state.turns < TURNS;
            state.turns += usize::from(begins);
            begins
        };
        if begins {
            self.begin(connections);
        }
        match timeout(WAIT, answered).await {
            Ok(answer) => answer.map_err(StoreError::internal)?,
            Err(_) => Err(StoreError::unavailable("no answer of the database within 5 s")),
        }
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
