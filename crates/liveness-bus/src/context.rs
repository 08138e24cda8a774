//! What a message is sent with: principal, client address, device, attestation, request id, trace, idempotency key, deadline, wait and
//! clock.

mod principal;
mod request_id;
mod trace_context;
mod wait;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use liveness_core::{Attestation, AuditEntry, AuditSubject, Clock, DeviceInfo, IdempotencyKey, SystemClock, Timestamp};

pub use self::principal::Principal;
pub use self::request_id::RequestId;
pub use self::trace_context::TraceContext;
pub use self::wait::{EndOfWaits, Wait};

/// What a message is sent with. The host sets it, never the message, and it does not change on the way.
#[derive(Debug, Clone)]
pub struct Context {
    principal: Principal,
    request_id: RequestId,
    trace: Option<TraceContext>,
    client_address: Option<IpAddr>,
    device: Option<DeviceInfo>,
    attestation: Option<Attestation>,
    idempotency_key: Option<IdempotencyKey>,
    deadline: Option<Instant>,
    wait: Option<Wait>,
    clock: Arc<dyn Clock>,
}

impl Context {
    /// Starts a context for a message of this principal.
    pub fn builder(principal: Principal) -> ContextBuilder {
        static CLOCK: LazyLock<Arc<dyn Clock>> = LazyLock::new(|| Arc::new(SystemClock));
        ContextBuilder {
            request_id: None,
            context: Self {
                principal,
                request_id: RequestId(String::new()),
                trace: None,
                client_address: None,
                device: None,
                attestation: None,
                idempotency_key: None,
                deadline: None,
                wait: None,
                clock: Arc::clone(&CLOCK),
            },
        }
    }

    /// Who sends the message.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The request's id.
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Where the request stands in a trace, if it does. A handler that asks another service passes it on.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref()
    }

    /// The address of the client that sent the request.
    pub fn client_address(&self) -> Option<IpAddr> {
        self.client_address
    }

    /// The device that sent the request.
    pub fn device(&self) -> Option<&DeviceInfo> {
        self.device.as_ref()
    }

    /// What another service attests of the phone and the app.
    pub fn attestation(&self) -> Option<&Attestation> {
        self.attestation.as_ref()
    }

    /// The key that makes it safe to repeat a command.
    pub fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.idempotency_key.as_ref()
    }

    /// When the caller stops waiting.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long the caller likes to wait for the answer of a query to change.
    pub fn wait(&self) -> Option<&Wait> {
        self.wait.as_ref()
    }

    /// The current time by the context's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An audit entry of something that this principal did now, such as a message. `user` is the self-service user whom it
    /// concerns.
    ///
    /// A handler takes [`Call::audit_entry`](crate::Call::audit_entry). This one is for what a host does besides.
    pub fn audit_entry_of(&self, done: impl Into<Cow<'static, str>>, user: Option<i64>) -> AuditEntry {
        AuditEntry {
            at: self.now(),
            request_id: self.request_id.as_str().to_owned(),
            principal: self.principal.subject().to_owned(),
            issuer: self.principal.issuer().map(str::to_owned),
            actor: self.principal.actor().map(str::to_owned),
            roles: self.principal.roles().join(","),
            self_service_user_id: user,
            message: done.into(),
            outcome: "00".into(),
            client_address: self.client_address,
            subject: AuditSubject::default(),
        }
    }
}

/// Builds a [`Context`].
#[derive(Debug)]
pub struct ContextBuilder {
    request_id: Option<RequestId>,
    context: Context,
}

impl ContextBuilder {
    /// Sets the request's id. The default is a random one.
    #[must_use]
    pub fn request_id(mut self, id: RequestId) -> Self {
        self.request_id = Some(id);
        self
    }

    /// Sets where the request stands in a trace. The default is nowhere.
    #[must_use]
    pub fn trace(mut self, trace: Option<TraceContext>) -> Self {
        self.context.trace = trace;
        self
    }

    /// Sets the address of the client.
    #[must_use]
    pub fn client_address(mut self, address: Option<IpAddr>) -> Self {
        self.context.client_address = address;
        self
    }

    /// Sets the device that sent the request.
    #[must_use]
    pub fn device(mut self, device: DeviceInfo) -> Self {
        self.context.device = Some(device);
        self
    }

    /// Sets what another service attests of the phone and the app, such as Play Integrity or App Attest. The rule
    /// `attestation.failed` of the verdict looks at it. Verify it before: nothing here does. Without it, the rule says nothing.
    ///
    /// ```
    /// use liveness_bus::{Context, Principal};
    /// use liveness_core::Attestation;
    ///
    /// let (provider, passed) = ("play_integrity".to_owned(), false);
    /// let context = Context::builder(Principal::new("1234"))
    ///     .attestation(Some(Attestation { provider, passed }))
    ///     .build();
    /// assert!(context.attestation().is_some_and(|attestation| !attestation.passed));
    /// ```
    #[must_use]
    pub fn attestation(mut self, attestation: Option<Attestation>) -> Self {
        self.context.attestation = attestation;
        self
    }

    /// Sets the key that makes it safe to repeat a command.
    #[must_use]
    pub fn idempotency_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.context.idempotency_key = key;
        self
    }

    /// Sets when the caller stops waiting. A query is abandoned at that time, or so much later as it [may wait](Self::wait) for
    /// its answer to change. A command is not begun after it.
    #[must_use]
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.context.deadline = Some(deadline);
        self
    }

    /// Sets how long the caller likes to wait for the answer to change. Only messages that [say so](crate::Message::WAITS) wait.
    /// The default is that nobody waits. Make a context of its own for each message: a wait that is over stays over.
    #[must_use]
    pub fn wait(mut self, wait: Option<Wait>) -> Self {
        self.context.wait = wait;
        self
    }

    /// Sets the clock. The default is the machine's clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.context.clock = clock;
        self
    }

    /// Builds the context.
    pub fn build(self) -> Context {
        let request_id = self.request_id.unwrap_or_else(RequestId::random);
        Context {
            request_id,
            ..self.context
        }
    }
}
