//! Runs a message: middleware, gate, handler, then audit entry and log line.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use tokio::time::timeout_at;

use crate::audit::{self, AuditSink};
use crate::call::Call;
use crate::context::Context;
use crate::error::BusError;
use crate::handler::BoxFuture;
use crate::message::{Audit, Kind};
use crate::middleware::{Frame, Middleware, Next};
use crate::observability::{self, Observer};
use crate::span::Span;

/// The part of running a message that does not depend on the message's type.
pub(crate) struct Pipeline {
    pub(crate) around: Box<[Arc<dyn Middleware>]>,
    pub(crate) inside: Box<[Arc<dyn Middleware>]>,
    pub(crate) audit_sink: Option<Box<dyn AuditSink>>,
    pub(crate) observers: Box<[Box<dyn Observer>]>,
}

impl Pipeline {
    pub(crate) async fn run(&self, frame: Frame<'_>, context: &Context) -> Result<(), BusError> {
        let call = Call::new(context, frame.inner.meta());
        // Reading the clock takes a third of the time of a small message, so it is only read for somebody.
        let is_timed = observability::is_logged() || !self.observers.is_empty();
        let started = is_timed.then(Instant::now);
        let span = Span::begin(&call);
        let outcome = span.around(self.outcome(frame, &call)).await;
        span.end(&outcome);
        if let Some(started) = started {
            let took = started.elapsed().saturating_sub(call.waited());
            let code = observability::code(&outcome);
            observability::log(&call, code, took);
            for observer in &self.observers {
                observer.observed(call.meta(), code, took);
            }
        }
        outcome
    }

    /// Runs the middleware, the gate and the handler, and writes the audit entry that is owed then.
    async fn outcome(&self, mut frame: Frame<'_>, call: &Call<'_>) -> Result<(), BusError> {
        let next = Next {
            around: &self.around,
            inside: &self.inside,
            gate: true,
        };
        let work = catch_panics(|| next.run_boxed(&mut frame, call));
        // A query is abandoned at its deadline. A command is not: an abandoned commit has no known outcome.
        let outcome = match deadline(call) {
            Some(deadline) if call.meta().kind() == Kind::Query => timeout_at(deadline.into(), work)
                .await
                .unwrap_or_else(|_| Err(BusError::Unavailable("the deadline passed".into()))),
            _ => work.await,
        };
        let outcome = match outcome {
            // Checked here and not later, so that the audit entry and the log have this outcome.
            Ok(()) if !frame.inner.has_reply() => {
                Err(BusError::Internal("a middleware answered without a reply".into()))
            }
            outcome => outcome,
        };
        if call.meta().audit() == Audit::LogOnly {
            outcome
        } else {
            // Boxed, so that it takes memory when it begins, and not while the handler works or waits.
            Box::pin(audit::write_owed_entry(self.audit_sink.as_deref(), call, outcome)).await
        }
    }
}

/// When the message is abandoned. One that waits for its answer to change has the time of its wait besides.
fn deadline(call: &Call<'_>) -> Option<Instant> {
    let deadline = call.deadline()?;
    match call.wait().filter(|_| call.meta().waits()) {
        Some(wait) => deadline.checked_add(wait.time()),
        None => Some(deadline),
    }
}

/// Turns a panic in a handler or a middleware into [`BusError::Internal`], which is logged and audited like any other error.
fn catch_panics<'c>(
    begin: impl FnOnce() -> BoxFuture<'c, Result<(), BusError>>,
) -> impl Future<Output = Result<(), BusError>> + Send {
    let panicked = || Err(BusError::Internal("a handler or middleware panicked".into()));
    let mut begun = catch_unwind(AssertUnwindSafe(begin)).ok();
    poll_fn(move |cx| match &mut begun {
        Some(work) => {
            catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))).unwrap_or_else(|_| Poll::Ready(panicked()))
        }
        None => Poll::Ready(panicked()),
    })
}
