//! Builds a bus, and reports all mistakes in it at once.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use liveness_core::events::EventSubscription;

use super::Bus;
use super::module::{Entry, Module};
use super::registry::Registry;
use crate::audit::AuditSink;
use crate::event::Subscription;
use crate::message::Audit;
use crate::middleware::Middleware;
use crate::observability::Observer;
use crate::pipeline::Pipeline;

impl Bus {
    /// Starts to build a bus.
    pub fn builder() -> BusBuilder {
        BusBuilder::default()
    }
}

/// One mistake in how a bus is built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// Two messages have the same name.
    #[error("two messages are called {0}: give one of them another NAME")]
    DuplicateName(&'static str),
    /// A message has two handlers.
    #[error("{0} has two handlers: remove one")]
    DuplicateHandler(&'static str),
    /// The name cannot be a segment of a URL path.
    #[error("{0:?} cannot be the name of a message: use letters, digits, `_`, `-` and `.`")]
    BadName(&'static str),
    /// A declared message has no handler.
    #[error("the module {module} declares {message} but does not handle it: add `.handle::<{message}>(…)`")]
    NoHandler {
        /// The module.
        module: &'static str,
        /// The message.
        message: &'static str,
    },
    /// A message is audited, but the bus has no audit sink.
    #[error("{0} is audited, but the bus has no audit sink: add `.audit_sink(…)`")]
    NoAuditSink(&'static str),
    /// The name cannot be that of a subscription.
    #[error("{0:?} cannot be the name of a subscription: use 1 to 48 of a-z, 0-9, `.`, `_` and `-`")]
    BadSubscription(&'static str),
    /// Two subscriptions have the same name.
    #[error("two subscriptions are called {0}: give one of them another name")]
    DuplicateSubscription(&'static str),
    /// A subscription has two subscribers for one type of events.
    #[error(
        "the subscription {subscription} has two subscribers for {event}: remove one, or make it a subscription of its own"
    )]
    DuplicateSubscriber {
        /// The subscription.
        subscription: &'static str,
        /// The type of the events.
        event: &'static str,
    },
    /// A subscription has no subscriber.
    #[error("the subscription {0} has no subscriber: add `.on::<…>(…)`")]
    NoSubscriber(&'static str),
    /// The name cannot be the type of an event.
    #[error("{0:?} cannot be the type of an event: use 1 to 64 of a-z, 0-9, `.`, `_` and `-`")]
    BadEvent(&'static str),
}

/// All mistakes in how a bus is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildErrors(Vec<Mistake>);

impl BuildErrors {
    /// The mistakes.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }
}

impl fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(Mistake::to_string).collect();
        f.write_str(&texts.join("; "))
    }
}

impl std::error::Error for BuildErrors {}

/// Builds a [`Bus`].
#[derive(Default)]
pub struct BusBuilder {
    modules: Vec<Module>,
    around: Vec<Arc<dyn Middleware>>,
    inside: Vec<Arc<dyn Middleware>>,
    audit_sink: Option<Box<dyn AuditSink>>,
    observers: Vec<Box<dyn Observer>>,
    subscriptions: Vec<Subscription>,
}

impl fmt::Debug for BusBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusBuilder")
            .field("modules", &self.modules)
            .finish_non_exhaustive()
    }
}

impl BusBuilder {
    /// Adds a module's messages.
    #[must_use]
    pub fn module(mut self, module: Module) -> Self {
        self.modules.push(module);
        self
    }

    /// Adds a middleware before the gate. It sees every message, also those that the gate refuses. The first one added is
    /// the outermost.
    #[must_use]
    pub fn around(mut self, middleware: impl Middleware) -> Self {
        self.around.push(Arc::new(middleware));
        self
    }

    /// Adds a middleware after the gate. It sees only messages that are allowed and valid. The first one added is the
    /// outermost.
    #[must_use]
    pub fn inside(mut self, middleware: impl Middleware) -> Self {
        self.inside.push(Arc::new(middleware));
        self
    }

    /// Sets where audit entries are written.
    #[must_use]
    pub fn audit_sink(mut self, sink: impl AuditSink) -> Self {
        self.audit_sink = Some(Box::new(sink));
        self
    }

    /// Adds an observer, which is told how every message ended.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Adds a subscription to events. The bus delivers none by itself: see `liveness::start_events`.
    #[must_use]
    pub fn subscription(mut self, subscription: Subscription) -> Self {
        self.subscriptions.push(subscription);
        self
    }

    /// Builds the bus.
    ///
    /// # Errors
    ///
    /// [`BuildErrors`] with all mistakes, not only the first.
    pub fn build(self) -> Result<Bus, BuildErrors> {
        let mistakes = self.mistakes();
        if !mistakes.is_empty() {
            return Err(BuildErrors(mistakes));
        }
        let entries: Vec<Entry> = self.modules.into_iter().flat_map(|module| module.entries).collect();
        let by_type = entries
            .iter()
            .map(|entry| (entry.type_id, Arc::clone(&entry.by_type)))
            .collect();
        let by_name = entries
            .into_iter()
            .map(|entry| (entry.meta.name(), (entry.meta, entry.by_name)))
            .collect();
        let pipeline = Pipeline {
            around: self.around.into(),
            inside: self.inside.into(),
            audit_sink: self.audit_sink,
            observers: self.observers.into(),
        };
        Ok(Bus(Arc::new(Registry {
            pipeline,
            by_type,
            by_name,
            subscriptions: self.subscriptions,
        })))
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut types = HashSet::new();
        let mut names = HashSet::new();
        for entry in self.modules.iter().flat_map(|module| &module.entries) {
            let name = entry.meta.name();
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            if name.is_empty() || !name.bytes().all(fits) {
                mistakes.push(Mistake::BadName(name));
            }
            if !types.insert(entry.type_id) {
                mistakes.push(Mistake::DuplicateHandler(name));
            } else if !names.insert(name) {
                mistakes.push(Mistake::DuplicateName(name));
            }
            if entry.meta.audit() != Audit::LogOnly && self.audit_sink.is_none() {
                mistakes.push(Mistake::NoAuditSink(name));
            }
        }
        for module in &self.modules {
            let unhandled = module.declared.iter().filter(|name| !names.contains(*name));
            mistakes.extend(unhandled.map(|message| Mistake::NoHandler {
                module: module.name,
                message,
            }));
        }
        mistakes.extend(self.mistakes_of_subscriptions());
        mistakes
    }

    fn mistakes_of_subscriptions(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut names = HashSet::new();
        for subscription in &self.subscriptions {
            let name = subscription.name();
            if EventSubscription::to_all(name).is_err() {
                mistakes.push(Mistake::BadSubscription(name));
            }
            if !names.insert(name) {
                mistakes.push(Mistake::DuplicateSubscription(name));
            }
            let mut types = HashSet::new();
            for event in subscription.types() {
                if EventSubscription::new("any", [event]).is_err() {
                    mistakes.push(Mistake::BadEvent(event));
                }
                if !types.insert(event) {
                    let subscription = name;
                    mistakes.push(Mistake::DuplicateSubscriber { subscription, event });
                }
            }
            if types.is_empty() {
                mistakes.push(Mistake::NoSubscriber(name));
            }
        }
        mistakes
    }
}
