//! Commits batches: one transaction for a batch, and one for each write if the batch fails.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::queue::Waiting;
use super::{GroupWrite, Outcome, WriterSession as _};
use crate::store::engine::connection::Purpose;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::engine::timeouts::WAIT;
use crate::store::queue::spans::{BatchSpans, COMMIT};
use crate::store::queue::stats::Counters;

/// How many times a transaction is tried when transactions of other nodes interrupt it.
const ATTEMPTS: u32 = 5;

/// The reason why nothing of a transaction was committed.
struct Failed {
    error: StoreError,
    /// Whether one write may have caused the error. It is false when the connection or the commit failed.
    is_of_a_write: bool,
}

/// The database that one writer thread commits to, and the session of the thread.
pub(super) struct Target<W: GroupWrite> {
    pub(super) tools: Arc<W::Tools>,
    pub(super) connections: Arc<Connections>,
    pub(super) counters: Arc<Counters>,
    /// The number of the thread, from 0.
    pub(super) number: u32,
    pub(super) session: W::Session,
}

impl<W: GroupWrite> Target<W> {
    /// Commits a batch and answers each caller. If one write may have caused an error, each write is tried again in a
    /// transaction of its own.
    pub(super) fn commit(&mut self, batch: Vec<Waiting<W>>) {
        let origins = batch.iter().map(|waiting| &waiting.origin);
        let spans = BatchSpans::begin(COMMIT, self.connections.system(), origins);
        let (writes, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.write, waiting.answer)).unzip();
        let deadline = Instant::now() + WAIT;
        let outcomes: Vec<Outcome<W>> = match self.transaction(&writes, deadline) {
            Ok(outcomes) => outcomes,
            Err(failed) if failed.is_of_a_write && writes.len() > 1 => {
                writes.iter().map(|write| self.alone(write, deadline)).collect()
            }
            Err(failed) => writes.iter().map(|_| Err(failed.error.clone())).collect(),
        };
        spans.end(outcomes.iter().map(|outcome| outcome.as_ref().err()));
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // The caller may have gone away.
            let _ = answer.send(outcome);
        }
    }

    fn alone(&mut self, write: &W, deadline: Instant) -> Outcome<W> {
        if Instant::now() > deadline {
            return Err(StoreError::unavailable(
                "the database refused the batch, and no time was left to try each write alone",
            ));
        }
        let outcomes = self.transaction(std::slice::from_ref(write), deadline);
        let mut outcomes = outcomes.map_err(|failed| failed.error)?;
        outcomes
            .pop()
            .unwrap_or_else(|| Err(StoreError::internal("a write came back without an outcome")))
    }

    fn transaction(&mut self, writes: &[W], deadline: Instant) -> Result<Vec<Outcome<W>>, Failed> {
        let begun = Instant::now();
        let mut attempt = 1;
        loop {
            let mut has_failed_inside = false;
            let (tools, session) = (&*self.tools, &mut self.session);
            let committed = self.connections.write(|conn| {
                // If a connection broke, this is done again on the next one.
                session.rolled_back();
                conn.transaction(Purpose::Write, |conn| {
                    let written = W::write_batch(conn, tools, session, writes);
                    has_failed_inside = written.is_err();
                    written
                })
            });
            let error = match committed {
                Ok(outcomes) => {
                    self.session.committed();
                    self.counters.committed(writes.len(), begun.elapsed());
                    return Ok(outcomes);
                }
                Err(error) => error,
            };
            match error {
                StoreError::OutcomeUnknown(_) => self.session.is_unknown(),
                _ => self.session.rolled_back(),
            }
            let is_repeated = self.connections.can_collide() && error.is_worth_repeating() && Instant::now() < deadline;
            if attempt == ATTEMPTS || !is_repeated {
                self.counters.failed();
                let is_of_a_write = has_failed_inside && !error.is_of_the_connection();
                return Err(Failed { error, is_of_a_write });
            }
            // Two nodes that have collided must not try again at the same moment.
            thread::sleep(Duration::from_millis(u64::from(attempt * 2 + self.number % 8)));
            attempt += 1;
        }
    }
}
