//! The fields of an audit entry: `docs/api.md#audit`.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::Timestamp;

/// The trace of one message: who sent it, which user it concerned, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The time of the message.
    pub at: Timestamp,
    /// The request's id, as in the answer's `X-Request-Id` and in the log.
    pub request_id: String,
    /// The sender: the token's subject.
    pub principal: String,
    /// Who vouches for the sender: the token's `iss`. `None` for the command line.
    pub issuer: Option<String>,
    /// Who acted for the sender, if it was somebody else: the `act` claim of the token (RFC 8693, section 4.1).
    pub actor: Option<String>,
    /// The roles of the sender, joined by commas.
    pub roles: String,
    /// `SelfServiceUser.Id` of the user whose data was touched, if the message names one.
    pub self_service_user_id: Option<i64>,
    /// The message's name.
    pub message: Cow<'static, str>,
    /// The two-digit code of `docs/api.md#status-codes`.
    pub outcome: Cow<'static, str>,
    /// The address that the request came from.
    pub client_address: Option<IpAddr>,
}
