//! The bus: a registry of messages, which are sent by their type or by their name.

mod builder;
mod module;
mod registry;
mod reply_writer;

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use liveness_core::events::Event as PublishedEvent;

use self::registry::{RawInput, Registered, Registry};
use crate::context::{Context, Principal};
use crate::error::BusError;
use crate::event::{DeliveryError, Subscription};
use crate::gate::Input;
use crate::message::{Description, Message, Meta};

pub use self::builder::{BuildErrors, BusBuilder, Mistake};
pub use self::module::Module;
pub use self::reply_writer::ReplyWriter;

/// A command/query bus. It is cheap to clone.
#[derive(Clone)]
pub struct Bus(Arc<Registry>);

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.messages().iter().map(Meta::name)).finish()
    }
}

impl Bus {
    /// Sends a typed message, from within the process.
    ///
    /// # Errors
    ///
    /// [`BusError::UnknownMessage`] if it has no handler. Else the error of the gate, a middleware or the handler.
    pub async fn send<M: Message>(&self, message: M, context: &Context) -> Result<M::Reply, BusError> {
        let found = self
            .0
            .by_type
            .get(&TypeId::of::<M>())
            .and_then(|entry| entry.downcast_ref::<Registered<M>>());
        let registered = found.ok_or(BusError::UnknownMessage)?;
        registered.run(&self.0.pipeline, Input::Message(message), context).await
    }

    /// Sends the message with that name. Its fields are decoded from JSON, and its reply is written to `out` as JSON.
    ///
    /// `out` is only changed if the message succeeds. An empty body means `{}`. If the caller passes ownership of the body,
    /// the memory is freed when the body has been decoded, before the handler runs.
    ///
    /// # Errors
    ///
    /// [`BusError::UnknownMessage`] if no message has that name. Else the error of the gate, a middleware or the handler.
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

    /// Ends a message whose body the host did not read, so that it is audited, logged and observed like any other.
    ///
    /// Returns the error for the caller. It is `error`, unless the message is refused for a more important reason, such as
    /// access.
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

    /// What the message with that name declares. A host can use it before it reads a body.
    pub fn meta(&self, name: &str) -> Option<&Meta> {
        self.0.by_name.get(name).map(|(meta, _)| meta)
    }

    /// The description of the message with that name, if it has one.
    pub fn description(&self, name: &str) -> Option<Description> {
        self.0
            .by_name
            .get(name)
            .and_then(|(_, registered)| registered.description())
    }

    /// All messages that can be sent by name, sorted by name.
    pub fn messages(&self) -> Vec<Meta> {
        let by_name: BTreeMap<_, _> = self.0.by_name.values().map(|(meta, _)| (meta.name(), *meta)).collect();
        by_name.into_values().collect()
    }

    /// The subscriptions to events.
    pub fn subscriptions(&self) -> &[Subscription] {
        &self.0.subscriptions
    }

    /// Hands an event to all subscriptions, one after the other. This is for tests, and for events that nobody keeps. Who has a store
    /// starts `liveness::start_events`.
    ///
    /// # Errors
    ///
    /// The first [`DeliveryError`]. The subscriptions behind it did not get the event.
    pub async fn deliver(&self, event: &PublishedEvent) -> Result<(), DeliveryError> {
        for subscription in self.subscriptions() {
            subscription.deliver(event).await?;
        }
        Ok(())
    }

    /// A Markdown table of all messages: who may send each, and how it is audited.
    pub fn access_matrix(&self) -> String {
        let mut table = "| message | kind | who | audit |\n| --- | --- | --- | --- |\n".to_owned();
        for meta in self.messages() {
            let (name, who) = (meta.name(), meta.access().describe());
            // Writing to a String cannot fail.
            let _ = writeln!(table, "| {name} | {:?} | {who} | {:?} |", meta.kind(), meta.audit());
        }
        table
    }

    /// Checks whether the principal's role allows that message. A host can call it before it looks up the user.
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
