//! One message on its way through the bus.

use std::ops::Deref;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use liveness_core::{AuditEntry, AuditSubject, User};

use crate::access::NO_USER;
use crate::context::Context;
use crate::error::BusError;
use crate::message::Meta;

/// One message on its way through the bus: its context, and what its audit entry will say.
#[derive(Debug)]
pub struct Call<'a> {
    context: &'a Context,
    meta: &'static Meta,
    concerns: OnceLock<i64>,
    subject: OnceLock<AuditSubject>,
    entry_written: AtomicBool,
    waited_micros: AtomicU64,
}

impl<'a> Call<'a> {
    pub(crate) fn new(context: &'a Context, meta: &'static Meta) -> Self {
        Self {
            context,
            meta,
            concerns: OnceLock::new(),
            subject: OnceLock::new(),
            entry_written: AtomicBool::new(false),
            waited_micros: AtomicU64::new(0),
        }
    }

    /// What the message declares.
    pub fn meta(&self) -> &Meta {
        self.meta
    }

    /// The self-service user of the principal.
    ///
    /// # Errors
    ///
    /// [`BusError::Forbidden`] if there is none. This cannot happen if [`Access::needs_user`], because the gate checks it.
    ///
    /// [`Access::needs_user`]: crate::Access::needs_user
    pub fn user(&self) -> Result<&User, BusError> {
        self.principal().user().ok_or(BusError::Forbidden(NO_USER))
    }

    /// The audit entry for the success of this message. The handler writes it in the same transaction as its record.
    ///
    /// When the transaction is committed, the handler calls [`entry_written`](Self::entry_written).
    pub fn audit_entry(&self) -> AuditEntry {
        self.entry("00")
    }

    /// Tells the bus that the handler's entry is committed.
    ///
    /// If the handler forgets to call it, there are two entries, never zero.
    pub fn entry_written(&self) {
        self.entry_written.store(true, Ordering::Relaxed);
    }

    pub(crate) fn entry_is_written(&self) -> bool {
        self.entry_written.load(Ordering::Relaxed)
    }

    /// Tells the bus whose data is read or changed. A handler calls this if the message itself does not name the user.
    /// Only the first call counts.
    pub fn set_concerned_user(&self, id: i64) {
        let _is_first = self.concerns.set(id);
    }

    /// Tells the bus what the reply shows, and why. The audit entry says so, and is durable before the reply leaves. Only
    /// the first call counts.
    ///
    /// A handler also calls this for what it looked for and did not find. An entry whose outcome is an error tells what
    /// was looked for, and showed nothing.
    pub fn shows(&self, subject: AuditSubject) {
        let _is_first = self.subject.set(subject);
    }

    /// Waits for what may have changed the answer, as long as the sender [likes to wait](Context::wait). Returns true when it has
    /// come. Returns false when the wait is over, and at once if nobody waits. Then answer with what is.
    ///
    /// The handler first begins to listen for the change, then reads, and then waits. So no change is lost. How long a message has
    /// waited is not in its time in the log, nor in what an [`Observer`](crate::Observer) sees.
    pub async fn wait_for(&self, change: impl Future<Output = ()>) -> bool {
        let Some(wait) = self.context.wait().filter(|_| self.meta.waits()) else {
            return false;
        };
        let begun = Instant::now();
        let has_come = wait.change(pin!(change)).await;
        let waited = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(waited, Ordering::Relaxed);
        has_come
    }

    /// How long it has waited for its answer to change.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_micros(self.waited_micros.load(Ordering::Relaxed))
    }

    /// The user whose data is read or changed: the user that the message names, or else the user who sends it.
    pub(crate) fn concerned_user(&self) -> Option<i64> {
        let named = self.concerns.get().copied();
        let sender = || self.principal().user().map(|user| user.id);
        named.or_else(|| {
            if self.meta.access().needs_user() {
                sender()
            } else {
                None
            }
        })
    }

    pub(crate) fn entry(&self, outcome: &'static str) -> AuditEntry {
        AuditEntry {
            outcome: outcome.into(),
            subject: self.subject.get().cloned().unwrap_or_default(),
            ..self.context.audit_entry_of(self.meta.name(), self.concerned_user())
        }
    }
}

impl Deref for Call<'_> {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.context
    }
}
