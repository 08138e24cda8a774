//! What surrounds a message: who sends it, from where, when, under which request id.

mod principal;

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

use liveness_core::{AuditEntry, Clock, DeviceInfo, IdempotencyKey, SystemClock, Timestamp, User};
use uuid::Uuid;

use crate::message::NO_USER;
use crate::{BusError, Meta};

pub use self::principal::Principal;

/// Names one request in the answer, the log and the audit entry: 1 to 64 of `A-Za-z0-9._-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// Takes an id that a caller sent, or `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let good = (1..=64).contains(&text.len()) && text.bytes().all(fits);
        good.then(|| Self(text.to_owned()))
    }

    /// A new one.
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What surrounds a message. It comes from the host, never from the message, and does not change on the way.
#[derive(Debug, Clone)]
pub struct Context {
    principal: Principal,
    request_id: RequestId,
    client_address: Option<IpAddr>,
    device: Option<DeviceInfo>,
    idempotency_key: Option<IdempotencyKey>,
    deadline: Option<Instant>,
    clock: Arc<dyn Clock>,
}

impl Context {
    /// A context for what this principal sends.
    pub fn builder(principal: Principal) -> ContextBuilder {
        static CLOCK: LazyLock<Arc<dyn Clock>> = LazyLock::new(|| Arc::new(SystemClock));
        ContextBuilder {
            request_id: None,
            context: Self {
                principal,
                request_id: RequestId(String::new()),
                client_address: None,
                device: None,
                idempotency_key: None,
                deadline: None,
                clock: Arc::clone(&CLOCK),
            },
        }
    }

    /// Who sends it.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The request's id.
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Where it comes from.
    pub fn client_address(&self) -> Option<IpAddr> {
        self.client_address
    }

    /// The device that sends it.
    pub fn device(&self) -> Option<&DeviceInfo> {
        self.device.as_ref()
    }

    /// The key under which a command may be repeated.
    pub fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.idempotency_key.as_ref()
    }

    /// When the caller stops waiting.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The present instant, by the context's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Builds a [`Context`].
#[derive(Debug)]
pub struct ContextBuilder {
    request_id: Option<RequestId>,
    context: Context,
}

impl ContextBuilder {
    /// The request's id; a new one is made where none is given.
    #[must_use]
    pub fn request_id(mut self, id: RequestId) -> Self {
        self.request_id = Some(id);
        self
    }

    /// Where it comes from.
    #[must_use]
    pub fn client_address(mut self, address: Option<IpAddr>) -> Self {
        self.context.client_address = address;
        self
    }

    /// The device that sends it.
    #[must_use]
    pub fn device(mut self, device: DeviceInfo) -> Self {
        self.context.device = Some(device);
        self
    }

    /// The key under which a command may be repeated.
    #[must_use]
    pub fn idempotency_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.context.idempotency_key = key;
        self
    }

    /// When the caller stops waiting: a query is abandoned then, a command is not begun after it.
    #[must_use]
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.context.deadline = Some(deadline);
        self
    }

    /// Where "now" comes from; the machine's clock where none is given.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.context.clock = clock;
        self
    }

    /// The context.
    pub fn build(self) -> Context {
        let request_id = self.request_id.unwrap_or_else(RequestId::random);
        Context {
            request_id,
            ..self.context
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_short_and_plain() {
        for good in ["a", "A-1_b.c", &"x".repeat(64)] {
            assert!(RequestId::parse(good).is_some(), "{good}");
        }
        for bad in ["", "a b", "a\n", "ä", "a/b", &"x".repeat(65)] {
            assert!(RequestId::parse(bad).is_none(), "{bad:?}");
        }
    }
}
