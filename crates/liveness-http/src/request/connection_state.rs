//! What a connection waits for, as a small state machine. Its stream and the handlers of its requests share it.
//!
//! The stream sees bytes but not requests; the handlers see requests but not the stream. The stream reads its deadlines
//! here, and the handlers move the state on.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use liveness_bus::Wait;
use tokio::time::Instant;

use super::expectation::Expectation;

/// How long a connection may be idle between two requests.
pub(crate) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the head of a request may take. The TLS handshake before the first head has the same limit.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may go on sending a body that was answered without being read. Closing at once would reset the
/// connection, and the client would not see the answer.
pub(crate) const LINGERING_TIMEOUT: Duration = Duration::from_secs(5);

/// The shared state of one connection.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionState(Rc<Shared>);

struct Shared {
    phase: Cell<Phase>,
    expectation: Expectation,
    /// How many answers have slices that were not handed over.
    unwritten: Cell<usize>,
    /// Whether the last request has been read.
    is_ended: Cell<bool>,
    /// Whether the client has closed its half of the connection, or all of it.
    has_left: Cell<bool>,
    /// What a request on it waits for.
    wait: Cell<Option<Wait>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

/// An answer of which slices are left. Dropping it means that the last one was handed over.
#[derive(Debug)]
pub(crate) struct UnwrittenAnswer(ConnectionState);

impl Drop for UnwrittenAnswer {
    fn drop(&mut self) {
        let unwritten = &self.0.0.unwritten;
        unwritten.set(unwritten.get() - 1);
    }
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Phase {
    /// For the rest of a head, or for the first byte of the next one.
    Head { until: Instant, has_begun: bool },
    /// For the answer.
    Answer { body_is_read: bool },
    /// For the end of a body that was answered without being read. Nothing more is said on the connection.
    Lingering { until: Instant },
}

impl ConnectionState {
    /// A new connection, which waits for its first head.
    pub(crate) fn new(head_until: Instant) -> Self {
        let phase = Phase::Head {
            until: head_until,
            has_begun: false,
        };
        Self(Rc::new(Shared {
            phase: Cell::new(phase),
            expectation: Expectation::default(),
            unwritten: Cell::new(0),
            is_ended: Cell::new(false),
            has_left: Cell::new(false),
            wait: Cell::default(),
        }))
    }

    pub(crate) fn phase(&self) -> Phase {
        self.0.phase.get()
    }

    /// The first bytes of a head have come. From now on the head has its own time limit.
    pub(crate) fn head_begun(&self) {
        if let Phase::Head {
            until,
            has_begun: false,
        } = self.phase()
        {
            let until = until.min(Instant::now() + HEAD_TIMEOUT);
            self.0.phase.set(Phase::Head { until, has_begun: true });
        }
    }

    /// The head has been read, and the request is being answered.
    pub(crate) fn request_begun(&self, has_body: bool) {
        self.0.phase.set(Phase::Answer {
            body_is_read: !has_body,
        });
    }

    /// Nothing that follows on the connection is a request any more (RFC 9112 section 9.6).
    pub(crate) fn end(&self) {
        self.0.is_ended.set(true);
    }

    /// Whether the last request has been read.
    pub(crate) fn is_ended(&self) -> bool {
        self.0.is_ended.get()
    }

    /// Nothing more comes from the client, who may have gone. So nobody waits for it: who reads on is answered at once.
    pub(crate) fn client_left(&self) {
        self.0.has_left.set(true);
        if let Some(wait) = self.0.wait.take() {
            wait.end();
        }
    }

    /// Whether nothing more comes from the client.
    pub(crate) fn has_left(&self) -> bool {
        self.0.has_left.get()
    }

    /// The request may wait for its answer to change, until the client leaves.
    pub(crate) fn may_wait(&self, wait: Wait) {
        self.0.wait.set(Some(wait));
    }

    /// Whether its client waits until the body is wanted.
    pub(crate) fn expectation(&self) -> &Expectation {
        &self.0.expectation
    }

    /// The body has been read to its end.
    pub(crate) fn body_read(&self) {
        self.0.phase.set(Phase::Answer { body_is_read: true });
    }

    /// The answer is ready. Returns whether it must be the last one on the connection, because its body was not read.
    pub(crate) fn request_answered(&self) -> bool {
        self.0.expectation.end();
        self.0.wait.set(None);
        let is_last = matches!(self.phase(), Phase::Answer { body_is_read: false });
        self.0.phase.set(if is_last {
            Phase::Lingering {
                until: Instant::now() + LINGERING_TIMEOUT,
            }
        } else {
            // Bytes of the next head may have been read already, so its time runs from now.
            Phase::Head {
                until: next_head_deadline(),
                has_begun: false,
            }
        });
        is_last
    }

    /// An answer in slices begins, and lasts until the value is dropped.
    pub(crate) fn answer_begun(&self) -> UnwrittenAnswer {
        self.0.unwritten.set(self.0.unwritten.get() + 1);
        UnwrittenAnswer(self.clone())
    }

    /// Whether slices of an answer are left.
    pub(crate) fn has_unwritten_slices(&self) -> bool {
        self.0.unwritten.get() > 0
    }

    /// A part of the answer was written. The time for the next head runs from the last such part.
    pub(crate) fn answer_written(&self) {
        if let Phase::Head { has_begun, .. } = self.phase() {
            let until = next_head_deadline();
            self.0.phase.set(Phase::Head { until, has_begun });
        }
    }
}

fn next_head_deadline() -> Instant {
    Instant::now() + KEEP_ALIVE_TIMEOUT + HEAD_TIMEOUT
}
