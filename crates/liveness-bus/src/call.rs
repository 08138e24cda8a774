//! One message on its way through the bus.

use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use liveness_core::{AuditEntry, User};

use crate::access::NO_USER;
use crate::context::Context;
use crate::error::BusError;
use crate::message::Meta;

/// One message on its way: its context, and the trace that it leaves.
#[derive(Debug)]
pub struct Call<'a> {
    context: &'a Context,
    meta: &'static Meta,
    concerns: OnceLock<i64>,
    entry_written: AtomicBool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(context: &'a Context, meta: &'static Meta) -> Self {
        Self {
            context,
            meta,
            concerns: OnceLock::new(),
            entry_written: AtomicBool::new(false),
        }
    }

    /// What the message declares.
    pub fn meta(&self) -> &Meta {
        self.meta
    }

    /// The user of ours behind the principal.
    ///
    /// # Errors
    ///
    /// [`BusError::Forbidden`] when there is none, which the gate has excluded where [`Access::needs_user`].
    ///
    /// [`Access::needs_user`]: crate::Access::needs_user
    pub fn user(&self) -> Result<&User, BusError> {
        self.principal().user().ok_or(BusError::Forbidden(NO_USER))
    }

    /// The audit entry of this message's success, for the handler to write in the transaction of what it records.
    ///
    /// Once that is committed, it says so by [`entry_written`](Self::entry_written).
    pub fn audit_entry(&self) -> AuditEntry {
        self.entry("00")
    }

    /// Says that the entry is committed. Whoever forgets it leaves two entries, never none.
    pub fn entry_written(&self) {
        self.entry_written.store(true, Ordering::Relaxed);
    }

    pub(crate) fn entry_is_written(&self) -> bool {
        self.entry_written.load(Ordering::Relaxed)
    }

    /// Says whose data is touched, where the message does not name them and only what was read tells; the first
    /// word on it counts.
    pub fn set_concerned_user(&self, id: i64) {
        let _is_first = self.concerns.set(id);
    }

    /// The user whose data is touched: the one that the message names, else the one who sends it.
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
            at: self.now(),
            request_id: self.request_id().as_str().to_owned(),
            principal: self.principal().subject().to_owned(),
            roles: self.principal().roles().join(","),
            self_service_user_id: self.concerned_user(),
            message: self.meta.name().into(),
            outcome: outcome.into(),
            client_address: self.client_address(),
        }
    }
}

impl Deref for Call<'_> {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.context
    }
}
