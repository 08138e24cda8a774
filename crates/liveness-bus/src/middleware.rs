//! Middleware: code that wraps the handling of messages.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use crate::call::Call;
use crate::error::BusError;
use crate::handler::BoxFuture;
use crate::message::{Message, Meta};

/// Wraps the handling of every message. It may measure the message, refuse it, or answer instead of the handler.
///
/// It cannot bypass the gate: only its [`Next`] leads on to the handler, and it cannot set a reply before the gate. Code
/// after `next.run` sees the outcome before the audit entry is written.
///
/// Its future may be dropped at any `await`: that of a query at the deadline, and every one when the process ends.
#[async_trait]
pub trait Middleware: Send + Sync + 'static {
    /// Handles the message, usually by `next.run(frame, call).await`.
    async fn handle(&self, frame: &mut Frame<'_>, call: &Call<'_>, next: Next<'_>) -> Result<(), BusError>;
}

/// A message on its way through the bus, whose type is not known to the middleware.
pub struct Frame<'a> {
    pub(crate) inner: &'a mut dyn ErasedFrame,
}

impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Frame").field(&self.inner.meta().name()).finish()
    }
}

impl Frame<'_> {
    /// What the message declares.
    pub fn meta(&self) -> Meta {
        *self.inner.meta()
    }

    /// The message, if it is an `M`. It is there from when it has passed the gate until the handler takes it.
    pub fn message<M: Message>(&self) -> Option<&M> {
        self.inner.message().and_then(<dyn Any>::downcast_ref)
    }

    /// The reply, if there is one and the message is an `M`.
    pub fn reply<M: Message>(&self) -> Option<&M::Reply> {
        // Two messages may have the same type of reply.
        if self.meta() != Meta::of::<M>() {
            return None;
        }
        self.inner
            .reply()
            .downcast_ref::<Option<M::Reply>>()
            .and_then(Option::as_ref)
    }

    /// Sets the reply, instead of the handler. Returns `false` and sets nothing before the gate, after the handler has
    /// taken the message, or if the message is not an `M`.
    pub fn set_reply<M: Message>(&mut self, reply: M::Reply) -> bool {
        if self.message::<M>().is_none() {
            return false;
        }
        match self.inner.reply_mut().downcast_mut::<Option<M::Reply>>() {
            Some(slot) => {
                *slot = Some(reply);
                true
            }
            None => false,
        }
    }
}

/// What a [`Frame`] holds: a message with its reply and its handler, as a trait object. Only the bus calls its methods, so
/// that middleware cannot skip the gate.
pub(crate) trait ErasedFrame: Send {
    fn meta(&self) -> &'static Meta;
    fn message(&self) -> Option<&dyn Any>;
    fn has_reply(&self) -> bool;
    fn reply(&self) -> &dyn Any;
    fn reply_mut(&mut self) -> &mut dyn Any;
    fn pass_gate(&mut self, call: &Call<'_>) -> Result<(), BusError>;
    fn invoke<'c>(&'c mut self, call: &'c Call<'_>) -> BoxFuture<'c, Result<(), BusError>>;
}

/// The rest of the way to the handler. It can be run only once, because running consumes it.
pub struct Next<'a> {
    pub(crate) around: &'a [Arc<dyn Middleware>],
    pub(crate) inside: &'a [Arc<dyn Middleware>],
    pub(crate) gate: bool,
}

impl std::fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Next").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl<'a> Next<'a> {
    /// Runs the next middleware, the gate or the handler.
    pub fn run<'c>(
        self,
        frame: &'c mut Frame<'_>,
        call: &'c Call<'_>,
    ) -> impl Future<Output = Result<(), BusError>> + Send + use<'a, 'c>
    where
        'a: 'c,
    {
        self.run_boxed(frame, call)
    }

    pub(crate) fn run_boxed<'c>(
        self,
        frame: &'c mut Frame<'_>,
        call: &'c Call<'_>,
    ) -> BoxFuture<'c, Result<(), BusError>>
    where
        'a: 'c,
    {
        if let Some((first, rest)) = self.around.split_first() {
            return first.handle(frame, call, Next { around: rest, ..self });
        }
        if self.gate
            && let Err(refusal) = frame.inner.pass_gate(call)
        {
            return Box::pin(std::future::ready(Err(refusal)));
        }
        match self.inside.split_first() {
            Some((first, rest)) => first.handle(
                frame,
                call,
                Next {
                    around: &[],
                    inside: rest,
                    gate: false,
                },
            ),
            None => frame.inner.invoke(call),
        }
    }
}
