//! What the four commands of an officer and the one of an administrator share: the order that the store gets.

use liveness_core::store::ErasureOrder;
use liveness_core::{AuditSubject, Reason, Shown};

use super::Liveness;
use crate::{BusError, Call, TraceContext};

impl Liveness {
    /// The order of an officer or an administrator. The store writes its audit entry together with what it does.
    /// If it is refused, the entry tells of the record that is meant, and why.
    pub(super) fn order(
        check_id: Option<i64>,
        reason: Option<&String>,
        call: &Call<'_>,
    ) -> Result<ErasureOrder, BusError> {
        let reason = Reason::parse(reason.map_or("", String::as_str));
        let reason = reason.map_err(|violation| BusError::invalid("reason", violation))?;
        let entry = call.audit_entry();
        call.shows(AuditSubject {
            shown: Shown {
                filter: Shown::filter_of([("id", check_id.map(|id| id.to_string()))]),
                purpose: Some(reason.as_str().to_owned()),
                ..Shown::default()
            },
            ..AuditSubject::default()
        });
        Ok(ErasureOrder {
            reason,
            entry,
            traceparent: call.trace().map(TraceContext::traceparent),
        })
    }

    /// Whether the user directory has the user.
    pub(super) async fn knows(&self, user: i64) -> Result<bool, BusError> {
        Ok(!self.users.find(&[user]).await?.is_empty())
    }
}
