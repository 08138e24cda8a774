//! What surrounds a message: who sends it, from where, when, under which request id.

mod principal;
mod request_id;

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use liveness_core::{Clock, DeviceInfo, IdempotencyKey, SystemClock, Timestamp};

pub use self::principal::Principal;
pub use self::request_id::RequestId;

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
