//! What all requests of an API share.

use std::sync::Arc;

use liveness_bus::Bus;
use liveness_core::{Clock, UserDirectory};

use super::client_address::{ForwardedHeader, TrustedProxies};
use super::limits::admission::AdmissionControl;
use super::limits::rate_limit::RateLimiters;
use super::limits::waiting_room::WaitingRoom;
use crate::metrics::Metrics;
use crate::token::TokenVerifier;

/// The shared state, as [`LivenessApiBuilder`](super::LivenessApiBuilder) puts it together.
pub(super) struct ApiState {
    pub(super) bus: Bus,
    pub(super) verifier: TokenVerifier,
    pub(super) users: Arc<dyn UserDirectory>,
    pub(super) trusted_proxies: TrustedProxies,
    pub(super) forwarded_header: ForwardedHeader,
    pub(super) rate_limiters: Option<RateLimiters>,
    pub(super) max_command_bytes: usize,
    pub(super) admission: AdmissionControl,
    pub(super) waiting_room: WaitingRoom,
    pub(super) metrics: Metrics,
    pub(super) clock: Arc<dyn Clock>,
}
