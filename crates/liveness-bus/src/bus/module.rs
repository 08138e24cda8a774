//! A module of a bus: messages that belong together, with their handlers.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::registry::{JsonDispatch, Registered};
use crate::handler::Handler;
use crate::message::{Message, Meta};

pub(super) struct Entry {
    pub(super) meta: Meta,
    pub(super) type_id: TypeId,
    pub(super) by_type: Arc<dyn Any + Send + Sync>,
    pub(super) by_name: Arc<dyn JsonDispatch>,
}

/// Messages that belong together, with their handlers.
pub struct Module {
    pub(super) name: &'static str,
    pub(super) declared: Vec<&'static str>,
    pub(super) entries: Vec<Entry>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Module {
    /// An empty module. The name is used in reports of mistakes.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            declared: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Declares the messages of this module. A declared message without a handler is a mistake that
    /// [`BusBuilder::build`](crate::BusBuilder::build) reports.
    #[must_use]
    pub fn declare(mut self, messages: &[Meta]) -> Self {
        self.declared.extend(messages.iter().map(Meta::name));
        self
    }

    /// Adds the handler of `M`.
    #[must_use]
    pub fn handle<M>(mut self, handler: impl Handler<M>) -> Self
    where
        M: Message + DeserializeOwned,
        M::Reply: Serialize,
    {
        let registered = Arc::new(Registered::<M>::new(handler));
        self.entries.push(Entry {
            meta: Meta::of::<M>(),
            type_id: TypeId::of::<M>(),
            by_type: Arc::clone(&registered) as Arc<dyn Any + Send + Sync>,
            by_name: registered,
        });
        self
    }
}
