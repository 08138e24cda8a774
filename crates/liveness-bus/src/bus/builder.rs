//! Puts a bus together, and tells every mistake in it at once.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::Bus;
use super::module::{Entry, Module};
use super::registry::Registry;
use crate::audit::AuditSink;
use crate::message::Audit;
use crate::middleware::Middleware;
use crate::observability::Observer;
use crate::pipeline::Pipeline;

impl Bus {
    /// A bus with nothing on it yet.
    pub fn builder() -> BusBuilder {
        BusBuilder::default()
    }
}

/// One mistake in how a bus is put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// Two messages have the same name.
    #[error("two messages are called {0}: give one of them another NAME")]
    DuplicateName(&'static str),
    /// A message has two handlers.
    #[error("{0} has two handlers: remove one")]
    DuplicateHandler(&'static str),
    /// A name that cannot stand in a path.
    #[error("{0:?} is no name for a message: use letters, digits, `_`, `-` and `.`")]
    BadName(&'static str),
    /// A declared message has no handler.
    #[error("the module {module} declares {message} but does not handle it: add `.handle::<{message}>(…)`")]
    NoHandler {
        /// The module.
        module: &'static str,
        /// The message.
        message: &'static str,
    },
    /// An audited message has nowhere to leave its entry.
    #[error("{0} is audited, but the bus has no audit sink: add `.audit_sink(…)`")]
    NoAuditSink(&'static str),
}

/// Every mistake in how a bus is put together.
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

/// Puts a [`Bus`] together.
#[derive(Default)]
pub struct BusBuilder {
    modules: Vec<Module>,
    around: Vec<Arc<dyn Middleware>>,
    inside: Vec<Arc<dyn Middleware>>,
    audit_sink: Option<Box<dyn AuditSink>>,
    observers: Vec<Box<dyn Observer>>,
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

    /// Adds a middleware before the gate: it sees every message, refused ones too. The first added is the outermost.
    #[must_use]
    pub fn around(mut self, middleware: impl Middleware) -> Self {
        self.around.push(Arc::new(middleware));
        self
    }

    /// Adds a middleware behind the gate: it sees messages that are allowed and valid. The first added is the outermost.
    #[must_use]
    pub fn inside(mut self, middleware: impl Middleware) -> Self {
        self.inside.push(Arc::new(middleware));
        self
    }

    /// Where audit entries go.
    #[must_use]
    pub fn audit_sink(mut self, sink: impl AuditSink) -> Self {
        self.audit_sink = Some(Box::new(sink));
        self
    }

    /// Adds one that is told how every message ended.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// The bus.
    ///
    /// # Errors
    ///
    /// [`BuildErrors`]: every mistake, not only the first.
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
        mistakes
    }
}
