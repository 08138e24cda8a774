//! Limits how many faces a principal may look at in 24 hours.
//!
//! The entry of the look is written in the transaction that counts, and transactions of the same principal wait for each
//! other. So there is never a look too many, on however many nodes.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use crate::AuditEntry;
use crate::store::engine::advisory_lock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl;
use crate::trail::leaf::sha256;

/// Milliseconds of 24 hours.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// The kind of our advisory locks for those who look. The number has no meaning.
const LOCK: i32 = 549_671_204;
/// The outcome of a look that is refused.
const REFUSED: &str = "65";

/// How many looks at faces a principal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookLimit {
    /// The most looks in 24 hours.
    pub faces_a_day: u32,
    /// The messages that show faces.
    pub messages: &'static [&'static str],
}

/// Whether a look is within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// It is, and its entry is written.
    Allowed,
    /// It is one too many. The entry of the refusal is written.
    Refused {
        /// How long until the next look is allowed.
        retry_after: Duration,
    },
}

/// A look at a face, before anybody knows whether it is within the limit.
#[derive(Debug)]
pub(crate) struct LimitedLook {
    pub(crate) entry: AuditEntry,
    /// The entry if the look is one too many. It names the record, and no face.
    pub(crate) refusal: AuditEntry,
    limit: LookLimit,
}

impl LimitedLook {
    pub(crate) fn new(entry: AuditEntry, limit: LookLimit) -> Self {
        let mut refusal = entry.clone();
        refusal.outcome = REFUSED.into();
        refusal.subject.face_digest = None;
        Self { entry, refusal, limit }
    }

    /// Who looks: the subject, and who vouches for it.
    fn principal(&self) -> Principal<'_> {
        (self.entry.issuer.as_deref(), &self.entry.principal)
    }
}

type Principal<'a> = (Option<&'a str>, &'a str);

/// Decides about looks, in their order. Waits for the transactions that decide about looks of the same principals, so nothing
/// may be locked before.
pub(crate) fn decide<'a>(
    conn: &mut Connection<'_>,
    looks: impl Iterator<Item = Option<&'a LimitedLook>> + Clone,
) -> Result<Vec<Option<Looked>>, StoreError> {
    let keys: BTreeSet<_> = looks.clone().flatten().map(|look| key(look.principal())).collect();
    advisory_lock::lock(conn, LOCK, keys)?;
    let mut earlier = HashMap::new();
    let mut decide = |look: &'a LimitedLook| {
        let known = match earlier.remove(&look.principal()) {
            Some(known) => known,
            None => newest(conn, look)?,
        };
        let (looked, known) = with(known, look);
        earlier.insert(look.principal(), known);
        Ok(looked)
    };
    looks.map(|look| look.map(&mut decide).transpose()).collect()
}

/// The lock of a principal.
fn key((issuer, principal): Principal<'_>) -> i32 {
    let digest = sha256(&[issuer.unwrap_or_default().as_bytes(), b"\n", principal.as_bytes()]);
    advisory_lock::key_of(&digest)
}

/// Decides about a look after earlier ones, whose times are newest first. Returns them with this one.
fn with(mut earlier: Vec<i64>, look: &LimitedLook) -> (Looked, Vec<i64>) {
    let at = look.entry.at.unix_millis();
    // The look that has to be a day old, so that there are fewer than the limit.
    let oldest = earlier.get(look.limit.faces_a_day.saturating_sub(1) as usize);
    match oldest.map(|oldest| oldest + DAY - at) {
        Some(wait) if wait > 0 => {
            let retry_after = Duration::from_millis(wait.unsigned_abs());
            (Looked::Refused { retry_after }, earlier)
        }
        _ => {
            let place = earlier.partition_point(|other| *other > at);
            earlier.insert(place, at);
            (Looked::Allowed, earlier)
        }
    }
}

/// The times of the newest looks of who looks, newest first: as many as the limit, and none that is a day old.
pub(crate) fn newest(conn: &mut Connection<'_>, look: &LimitedLook) -> Result<Vec<i64>, StoreError> {
    let (issuer, principal) = look.principal();
    let messages = eq_any(dsl::message, look.limit.messages.to_vec())?;
    Ok(on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(dsl::principal.eq(principal))
        .filter(dsl::at.gt(look.entry.at.unix_millis() - DAY))
        // What the index is of: faces that were shown, not recorded.
        .filter(dsl::face_digest.is_not_null())
        .filter(dsl::record_digest.is_null())
        .filter(sql::<Bool>("issuer IS NOT DISTINCT FROM ").bind::<Nullable<Text>, _>(issuer))
        .filter(dsl::outcome.eq("00"))
        .filter(messages)
        .order((dsl::principal.desc(), dsl::at.desc()))
        .limit(i64::from(look.limit.faces_a_day))
        .select(dsl::at)
        .load(*conn))?)
}
