//! The order of an erasure, kept as a job until the erasure is committed. Keys of faces are destroyed just before that. If the
//! commit fails then, or the process ends, the job completes the erasure, so that the trail tells of it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::order::ErasureOrder;
use crate::jobs::{COMPLETE_ERASURES, NewJob};
use crate::store::engine::clock;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::jobs::adding;
use crate::{AuditEntry, AuditSubject, Reason, Timestamp};

/// How long an erasure may take, in milliseconds, before the job looks whether it was committed.
const PATIENCE: i64 = 60_000;

/// What is erased.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum Target {
    Face { id: i64 },
    Record { id: i64 },
    User { id: i64 },
}

impl Target {
    /// The key of the job.
    fn key(self) -> String {
        match self {
            Self::Face { id } => format!("face {id}"),
            Self::Record { id } => format!("record {id}"),
            Self::User { id } => format!("user {id}"),
        }
    }
}

/// The payload of the job. It is deleted with the job when the erasure is committed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeptOrder {
    target: Target,
    reason: String,
    at: Timestamp,
    request_id: String,
    principal: String,
    issuer: Option<String>,
    actor: Option<String>,
    roles: String,
    message: String,
    outcome: String,
    client_address: Option<IpAddr>,
}

/// Keeps an order. It counts once the transaction is committed.
pub(super) fn keep(conn: &mut Connection<'_>, target: Target, order: &ErasureOrder) -> Result<(), StoreError> {
    let entry = &order.entry;
    let kept = KeptOrder {
        target,
        reason: order.reason.as_str().to_owned(),
        at: entry.at,
        request_id: entry.request_id.clone(),
        principal: entry.principal.clone(),
        issuer: entry.issuer.clone(),
        actor: entry.actor.clone(),
        roles: entry.roles.clone(),
        message: entry.message.clone().into_owned(),
        outcome: entry.outcome.clone().into_owned(),
        client_address: entry.client_address,
    };
    let payload = serde_json::to_value(kept).map_err(StoreError::internal)?;
    let due = Timestamp::from_unix_millis(clock::now(conn)?.saturating_add(PATIENCE));
    let job = NewJob::of(COMPLETE_ERASURES)
        .with_key(target.key())
        .with_payload(payload);
    let job = match due {
        Some(due) => job.due_at(due),
        None => job,
    };
    adding::enqueue(conn, &[job])
}

/// Forgets the order, together with the erasure that is committed.
pub(super) fn forget(conn: &mut Connection<'_>, target: Target) -> Result<(), StoreError> {
    adding::withdraw(conn, COMPLETE_ERASURES, &target.key())
}

/// The order that a job keeps.
///
/// # Errors
///
/// [`StoreError::Internal`] when the payload is none of ours.
pub(super) fn read(payload: &Value) -> Result<(Target, ErasureOrder), StoreError> {
    let not_ours = || StoreError::internal("the payload of the job is not the order of an erasure");
    let kept = KeptOrder::deserialize(payload).map_err(|_| not_ours())?;
    let entry = AuditEntry {
        at: kept.at,
        request_id: kept.request_id,
        principal: kept.principal,
        issuer: kept.issuer,
        actor: kept.actor,
        roles: kept.roles,
        self_service_user_id: None,
        message: kept.message.into(),
        outcome: kept.outcome.into(),
        client_address: kept.client_address,
        subject: AuditSubject::default(),
    };
    let reason = Reason::parse(&kept.reason).map_err(|_| not_ours())?;
    Ok((
        kept.target,
        ErasureOrder {
            reason,
            entry,
            traceparent: None,
        },
    ))
}
