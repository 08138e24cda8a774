//! The sessions that the server has issued, and the binding of reports to them.
//!
//! A report is bound in the transaction of its record, which holds the lock of its user. So of many reports that name one
//! session, one uses it up.

pub(crate) mod door;
pub(crate) mod issuing;
pub(crate) mod open;
pub(crate) mod unused;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};

use super::due_report::DueReport;
use super::new_session::PREFIX;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::store::engine::clock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_issued_sessions::dsl;
use crate::verdict::{IssuedSession, SessionBinding, Unbound};
use crate::{NewLivenessCheck, Timestamp};

/// The issued session that a report names: in a field of its own, or as its session.
pub(crate) fn named(check: &NewLivenessCheck) -> Option<&str> {
    let own_field = check.issued_session_id.as_ref().map(|id| id.as_str());
    own_field.or_else(|| Some(check.session_id.as_str()).filter(|id| id.starts_with(PREFIX)))
}

/// The user and the time of a report, and the issued session that it names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naming<'a> {
    pub(crate) user: i64,
    pub(crate) id: Option<&'a str>,
    /// By the clock of the node.
    pub(crate) at: Timestamp,
}

impl<'a> Naming<'a> {
    pub(crate) fn of(check: &'a NewLivenessCheck) -> Self {
        Self {
            user: check.user.id,
            id: named(check),
            at: check.created_at,
        }
    }
}

/// Issued sessions by user and id.
pub(crate) type Sessions = HashMap<(i64, String), SessionRow>;

#[derive(Queryable, QueryableByName, Selectable, Debug)]
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
            issued_at: clock::stored(self.issued_at)?,
            expires_at: clock::stored(self.expires_at)?,
        })
    }
}

/// The issued sessions that reports name, if they are of the user of the report.
pub(crate) fn of_reports(conn: &mut Connection<'_>, reports: &[DueReport<'_>]) -> Result<Sessions, StoreError> {
    let named = reports.iter().filter_map(|report| {
        let check = report.dated.check();
        Some((check.user.id, named(check)?.to_owned()))
    });
    Ok(by_id(find(conn, named.unzip())?))
}

/// The session that a report names, if it is of the user of the report.
pub(crate) fn of_naming(conn: &mut Connection<'_>, naming: Naming<'_>) -> Result<Sessions, StoreError> {
    let named = naming.id.map(|id| (naming.user, id.to_owned()));
    Ok(by_id(find(conn, named.into_iter().unzip())?))
}

fn by_id(rows: Vec<SessionRow>) -> Sessions {
    let keyed = rows
        .into_iter()
        .map(|row| ((row.self_service_user_id, row.session_id.clone()), row));
    keyed.collect()
}

/// The sessions of these users and ids, in any order. The user of an id is at its place.
///
/// PostgreSQL is a network away, and gets one statement. It joins pair by pair: two lists would have it look for each user with
/// each id. Citus has to be told the users as a list, to know the shards.
pub(crate) fn find(
    conn: &mut Connection<'_>,
    (users, ids): (Vec<i64>, Vec<String>),
) -> Result<Vec<SessionRow>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(match conn {
        Connection::Sqlite(conn) => {
            let mut found = Vec::new();
            for (user, id) in users.into_iter().zip(ids) {
                let row = dsl::liveness_issued_sessions.find((user, id));
                found.extend(row.select(SessionRow::as_select()).first(*conn).optional()?);
            }
            found
        }
        Connection::Postgres(conn) => sql_query(
            "SELECT liveness_issued_sessions.* FROM unnest($1::bigint[], $2::text[]) AS named (user_id, id) \
             JOIN liveness_issued_sessions ON self_service_user_id = named.user_id AND session_id = named.id",
        )
        .bind::<Array<BigInt>, _>(users)
        .bind::<Array<Text>, _>(ids)
        .load(*conn)?,
        Connection::Citus(conn) => dsl::liveness_issued_sessions
            .filter(eq_any(dsl::self_service_user_id, users)?)
            .filter(eq_any(dsl::session_id, ids)?)
            .select(SessionRow::as_select())
            .load(*conn)?,
    })
}

/// Binds a report to the session that it names. A session expires by the clock of the node, whatever the record's time: that is
/// never before the user's newest record, which a clock may have put in the future.
///
/// # Errors
///
/// [`StoreError::Refused`] if the policy requires a session, and the report cannot be bound.
pub(crate) fn bind(sessions: &Sessions, naming: Naming<'_>, policy: &Policy) -> Result<SessionBinding, StoreError> {
    let unbound = match naming.id {
        None => Unbound::NotNamed,
        Some(id) => match sessions.get(&(naming.user, id.to_owned())) {
            None => Unbound::NotIssued,
            Some(row) if row.used_by.is_some() => Unbound::UsedUp,
            Some(row) if row.expires_at <= naming.at.unix_millis() => Unbound::Expired,
            Some(row) => return row.session().map(SessionBinding::Bound),
        },
    };
    if policy.session().required {
        return Err(StoreError::Refused(Refusal::Session(unbound)));
    }
    Ok(SessionBinding::Unbound(unbound))
}

/// Notes that records have used up sessions: the user, the session, and the record. One statement on PostgreSQL.
pub(crate) fn use_up<'a>(
    conn: &mut Connection<'_>,
    used: impl Iterator<Item = (i64, &'a str, i64)>,
) -> Result<(), StoreError> {
    let used: Vec<_> = used.collect();
    if used.is_empty() {
        return Ok(());
    }
    let changed = match conn {
        Connection::Postgres(conn) => {
            let (users, (ids, checks)): (Vec<_>, (Vec<_>, Vec<_>)) =
                used.iter().map(|(user, id, check)| (*user, (*id, *check))).unzip();
            sql_query(
                "UPDATE liveness_issued_sessions SET used_by = used.check_id \
                 FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS used (user_id, id, check_id) \
                 WHERE self_service_user_id = used.user_id AND session_id = used.id",
            )
            .bind::<Array<BigInt>, _>(users)
            .bind::<Array<Text>, _>(ids)
            .bind::<Array<BigInt>, _>(checks)
            .execute(*conn)?
        }
        Connection::Sqlite(_) | Connection::Citus(_) => {
            let mut changed = 0;
            for (user, id, check) in &used {
                let row = dsl::liveness_issued_sessions.find((user, id));
                changed += on_either!(conn, |conn| diesel::update(row)
                    .set(dsl::used_by.eq(check))
                    .execute(*conn))?;
            }
            changed
        }
    };
    if changed == used.len() {
        Ok(())
    } else {
        Err(StoreError::internal("a session that was found is gone"))
    }
}

/// Deletes all sessions that were issued to a user.
pub(crate) fn erase(conn: &mut Connection<'_>, user: i64) -> Result<(), StoreError> {
    let of_user = dsl::liveness_issued_sessions.filter(dsl::self_service_user_id.eq(user));
    on_either!(conn, |conn| diesel::delete(of_user).execute(*conn))?;
    Ok(())
}
