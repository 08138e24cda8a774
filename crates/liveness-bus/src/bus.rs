//! The bus: a registry of messages, and the one pipeline that both doors lead through.

mod builder;

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use rustc_hash::FxHashMap;
use tokio::time::timeout_at;

use crate::gate::{ByName, Input, RawInput, Registered};
use crate::middleware::{BoxFuture, Frame, Middleware, Next};
use crate::{Audit, AuditSink, BusError, Call, Context, Description, Kind, Message, Meta, Observer, Principal, audit};

pub use self::builder::{BuildErrors, BusBuilder, Mistake, Module};

/// Where [`Bus::dispatch`] writes a reply. A `Vec<u8>` takes its JSON alone; a host may put it into an envelope.
pub trait ReplyWriter: Send {
    /// Called before the reply's JSON, with the sentence that tells what it means.
    fn begin(&mut self, _summary: Option<&'static str>) {}

    /// What the JSON is appended to.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Called after the reply's JSON.
    fn end(&mut self) {}
}

impl ReplyWriter for Vec<u8> {
    fn buffer(&mut self) -> &mut Self {
        self
    }
}

/// What every message passes through, whatever its type.
pub(crate) struct Pipeline {
    pub(crate) around: Box<[Arc<dyn Middleware>]>,
    pub(crate) inside: Box<[Arc<dyn Middleware>]>,
    pub(crate) audit_sink: Option<Box<dyn AuditSink>>,
    pub(crate) observers: Box<[Box<dyn Observer>]>,
}

impl Pipeline {
    pub(crate) async fn run(&self, mut frame: Frame<'_>, context: &Context) -> Result<(), BusError> {
        let call = Call::new(context, frame.inner.meta());
        // A clock that nobody reads would take a third of the time.
        let is_timed = audit::is_logged() || !self.observers.is_empty();
        let started = is_timed.then(Instant::now);
        let next = Next {
            around: &self.around,
            inside: &self.inside,
            gate: true,
        };
        let work = caught(|| next.begin(&mut frame, &call));
        // A query is abandoned at its deadline. A command is not: an abandoned commit has no known outcome.
        let outcome = match call.deadline() {
            Some(deadline) if call.meta().kind() == Kind::Query => timeout_at(deadline.into(), work)
                .await
                .unwrap_or_else(|_| Err(BusError::Unavailable("the deadline passed".into()))),
            _ => work.await,
        };
        let outcome = match outcome {
            // Found here, so that its trace says so too.
            Ok(()) if !frame.inner.has_reply() => {
                Err(BusError::Internal("a middleware answered without a reply".into()))
            }
            outcome => outcome,
        };
        let outcome = if call.meta().audit() == Audit::LogOnly {
            outcome
        } else {
            audit::settle(self.audit_sink.as_deref(), &call, outcome).await
        };
        if let Some(started) = started {
            let (code, took) = (audit::code(&outcome), started.elapsed());
            audit::log(&call, code, took);
            for observer in &self.observers {
                observer.observed(call.meta(), code, took);
            }
        }
        outcome
    }
}

/// A panic in a handler or a middleware is a fault of ours, told, logged and audited like any other.
fn caught<'c>(
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

/// Its keys are the program's own, so that nothing is gained by hashing them in secret.
pub(crate) struct Registry {
    pub(crate) pipeline: Pipeline,
    pub(crate) by_type: FxHashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    pub(crate) by_name: FxHashMap<&'static str, (Meta, Arc<dyn ByName>)>,
}

/// A command/query bus. Cloning it is cheap.
#[derive(Clone)]
pub struct Bus(pub(crate) Arc<Registry>);

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.messages().iter().map(Meta::name)).finish()
    }
}

impl Bus {
    /// A bus with nothing on it yet.
    pub fn builder() -> BusBuilder {
        BusBuilder::default()
    }

    /// Sends a message from within the process.
    ///
    /// # Errors
    ///
    /// [`BusError::UnknownMessage`] when it has no handler; else what the pipeline or the handler says.
    pub async fn send<M: Message>(&self, message: M, context: &Context) -> Result<M::Reply, BusError> {
        let found = self
            .0
            .by_type
            .get(&TypeId::of::<M>())
            .and_then(|entry| entry.downcast_ref::<Registered<M>>());
        let registered = found.ok_or(BusError::UnknownMessage)?;
        registered.run(&self.0.pipeline, Input::Message(message), context).await
    }

    /// Sends the message of that name, read from JSON; its reply is written to `out` as JSON.
    ///
    /// `out` is not touched unless the message succeeds. An empty body stands for `{}`. A body that is given away, and not
    /// lent, is freed as soon as it is read: before the handler is waited for.
    ///
    /// # Errors
    ///
    /// [`BusError::UnknownMessage`] when there is none of that name; else what the pipeline or the handler says.
    pub async fn dispatch<'b>(
        &self,
        name: &str,
        body: impl Into<Cow<'b, [u8]>>,
        context: &Context,
        out: &mut dyn ReplyWriter,
    ) -> Result<(), BusError> {
        let (_, registered) = self.0.by_name.get(name).ok_or(BusError::UnknownMessage)?;
        registered
            .dispatch(&self.0.pipeline, RawInput::Json(body.into()), context, out)
            .await
    }

    /// Ends a message whose body a host could not or would not read, so that it leaves its trace like any other.
    ///
    /// Gives back the error to answer with: `error`, unless the message is refused for a weightier reason.
    pub async fn refuse(&self, name: &str, error: BusError, context: &Context) -> BusError {
        let Some((_, registered)) = self.0.by_name.get(name) else {
            return BusError::UnknownMessage;
        };
        let refused = registered
            .dispatch(&self.0.pipeline, RawInput::Failed(error), context, &mut Vec::new())
            .await;
        refused
            .err()
            .unwrap_or_else(|| BusError::Internal("a middleware answered a refused message".into()))
    }

    /// What the message of that name declares, for a host that decides before it reads a body.
    pub fn meta(&self, name: &str) -> Option<&Meta> {
        self.0.by_name.get(name).map(|(meta, _)| meta)
    }

    /// What the message of that name looks like on the wire, where it says so.
    pub fn description(&self, name: &str) -> Option<Description> {
        self.0
            .by_name
            .get(name)
            .and_then(|(_, registered)| registered.description())
    }

    /// All messages that can be sent by name, in the order of their names.
    pub fn messages(&self) -> Vec<Meta> {
        let by_name: BTreeMap<_, _> = self.0.by_name.values().map(|(meta, _)| (meta.name(), *meta)).collect();
        by_name.into_values().collect()
    }

    /// Who may send what, and which trace it leaves, as a Markdown table.
    pub fn access_matrix(&self) -> String {
        let mut table = "| message | kind | who | audit |\n| --- | --- | --- | --- |\n".to_owned();
        for meta in self.messages() {
            let (name, who) = (meta.name(), meta.access().describe());
            // Writing to a String cannot fail.
            let _ = writeln!(table, "| {name} | {:?} | {who} | {:?} |", meta.kind(), meta.audit());
        }
        table
    }

    /// Whether the principal may send that message, user or not: what a host asks before it looks the user up.
    ///
    /// # Errors
    ///
    /// [`BusError::UnknownMessage`], [`BusError::Unauthenticated`] or [`BusError::Forbidden`].
    pub fn check_role(&self, name: &str, principal: &Principal) -> Result<Meta, BusError> {
        let meta = self.meta(name).ok_or(BusError::UnknownMessage)?;
        meta.access().check_role(principal)?;
        Ok(*meta)
    }
}
