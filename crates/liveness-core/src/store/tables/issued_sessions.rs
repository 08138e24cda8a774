//! The sessions that the server has issued, and the binding of reports to them.
//!
//! A report is bound in the transaction of its record, which holds the lock of its user. So of many reports that name one
//! session, one uses it up.

use std::collections::HashMap;

use diesel::prelude::*;

use super::judging::DueReport;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_issued_sessions::dsl;
use crate::verdict::{IssuedSession, SessionBinding, Unbound};
use crate::{NewLivenessCheck, Timestamp};

/// What the id of an issued session begins with.
pub(crate) const PREFIX: &str = "lvs_";

/// The issued session that a report names: in a field of its own, or as its session.
pub(crate) fn named(check: &NewLivenessCheck) -> Option<&str> {
    let own_field = check.issued_session_id.as_ref().map(|id| id.as_str());
    own_field.or_else(|| Some(check.session_id.as_str()).filter(|id| id.starts_with(PREFIX)))
}

/// Issued sessions by user and id.
pub(crate) type Sessions = HashMap<(i64, String), SessionRow>;

#[derive(Queryable, Selectable, Debug)]
#[diesel(table_name = crate::store::tables::schema::liveness_issued_sessions)]
pub(crate) struct SessionRow {
    self_service_user_id: i64,
    session_id: String,
    challenges: String,
    issued_at: i64,
    expires_at: i64,
    used_by: Option<i64>,
}

impl SessionRow {
    fn session(&self) -> Result<IssuedSession, StoreError> {
        Ok(IssuedSession {
            session_id: self.session_id.clone(),
            challenges: serde_json::from_str(&self.challenges).map_err(StoreError::internal)?,
            issued_at: instant(self.issued_at)?,
            expires_at: instant(self.expires_at)?,
        })
    }
}

fn instant(millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_unix_millis(millis).ok_or_else(|| StoreError::internal("a stored time is out of range"))
}

/// The issued sessions that reports name, if they are of the user of the report.
pub(crate) fn of_reports(conn: &mut Connection<'_>, reports: &[DueReport<'_>]) -> Result<Sessions, StoreError> {
    let named = reports.iter().filter_map(|report| {
        let check = report.dated.check();
        Some((check.user.id, named(check)?.to_owned()))
    });
    let (users, ids): (Vec<_>, Vec<_>) = named.unzip();
    if ids.is_empty() {
        return Ok(Sessions::new());
    }
    let (users, ids) = (eq_any(dsl::self_service_user_id, users)?, eq_any(dsl::session_id, ids)?);
    let rows: Vec<SessionRow> = on_either!(conn, |conn| dsl::liveness_issued_sessions
        .filter(users)
        .filter(ids)
        .select(SessionRow::as_select())
        .load(*conn))?;
    let keyed = rows
        .into_iter()
        .map(|row| ((row.self_service_user_id, row.session_id.clone()), row));
    Ok(keyed.collect())
}

/// Binds a report to the session that it names.
///
/// # Errors
///
/// [`StoreError::Refused`] if the policy requires a session, and the report cannot be bound.
pub(crate) fn bind(sessions: &Sessions, report: &DueReport<'_>, policy: &Policy) -> Result<SessionBinding, StoreError> {
    let check = report.dated.check();
    let unbound = match named(check) {
        None => Unbound::NotNamed,
        Some(id) => match sessions.get(&(check.user.id, id.to_owned())) {
            None => Unbound::NotIssued,
            Some(row) if row.used_by.is_some() => Unbound::UsedUp,
            Some(row) if row.expires_at <= report.dated.created_at.unix_millis() => Unbound::Expired,
            Some(row) => return row.session().map(SessionBinding::Bound),
        },
    };
    if policy.session().required {
        return Err(StoreError::Refused(Refusal::Session(unbound)));
    }
    Ok(SessionBinding::Unbound(unbound))
}

/// Notes that records have used up sessions: the user, the session, and the record.
pub(crate) fn use_up<'a>(
    conn: &mut Connection<'_>,
    used: impl Iterator<Item = (i64, &'a str, i64)>,
) -> Result<(), StoreError> {
    for (user, session, check_id) in used {
        let row = dsl::liveness_issued_sessions.find((user, session));
        let changed = on_either!(conn, |conn| diesel::update(row)
            .set(dsl::used_by.eq(check_id))
            .execute(*conn))?;
        if changed != 1 {
            return Err(StoreError::internal("a session that was found is gone"));
        }
    }
    Ok(())
}
