//! What an audit entry says: `docs/api.md#audit`.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::Timestamp;

/// The trace that one message leaves: who did what, concerning whom, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// The request's id, as in the answer's `X-Request-Id` and in the log.
    pub request_id: String,
    /// Who asked: the token's subject.
    pub principal: String,
    /// The roles it held, joined by commas.
    pub roles: String,
    /// `SelfServiceUser.Id` of the user whose data was touched, where one is named.
    pub self_service_user_id: Option<i64>,
    /// The message's name.
    pub message: Cow<'static, str>,
    /// The two-digit code of `docs/api.md#status-codes`.
    pub outcome: Cow<'static, str>,
    /// Where the request came from.
    pub client_address: Option<IpAddr>,
}
