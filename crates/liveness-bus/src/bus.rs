//! The bus: a registry of messages, and the one pipeline that both doors lead through.

mod builder;
mod module;
mod registry;
mod reply_writer;

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use self::registry::{RawInput, Registered, Registry};
use crate::context::{Context, Principal};
use crate::error::BusError;
use crate::gate::Input;
use crate::message::{Description, Message, Meta};

pub use self::builder::{BuildErrors, BusBuilder, Mistake};
pub use self::module::Module;
pub use self::reply_writer::ReplyWriter;

/// A command/query bus. Cloning it is cheap.
#[derive(Clone)]
pub struct Bus(Arc<Registry>);

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.messages().iter().map(Meta::name)).finish()
    }
}

impl Bus {
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
