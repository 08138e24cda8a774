//! Issues sessions, in the transaction of their audit entries.

use std::collections::{HashMap, HashSet};

use diesel::sql_types::{BigInt, Text};

use super::open;
use crate::store::engine::bulk_insert::{self, NoClauses, row};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::attempts::Tallies;
use crate::store::tables::new_session::NewSession;
use crate::store::tables::policy_in_force::PolicyInForce;
use crate::store::tables::write::{Write, Written};

row! {
    struct IssuedRow<'a> of "liveness_issued_sessions", in columns IssuedColumns {
        self_service_user_id: i64 => BigInt,
        session_id: &'a str => Text,
        challenges: String => Text,
        issued_at: i64 => BigInt,
        expires_at: i64 => BigInt,
    }
}

impl<'a> IssuedRow<'a> {
    fn of(new: &'a NewSession) -> Result<Self, StoreError> {
        let session = &new.session;
        Ok(Self {
            self_service_user_id: new.self_service_user_id,
            session_id: &session.session_id,
            challenges: serde_json::to_string(&session.challenges).map_err(StoreError::internal)?,
            issued_at: session.issued_at.unix_millis(),
            expires_at: session.expires_at.unix_millis(),
        })
    }
}

/// Issues the sessions among the writes, and notes their outcomes. One to somebody who has failed too often is refused. Where
/// attempts end, the locks of the users must be held.
pub(crate) fn issue(
    conn: &mut Connection<'_>,
    in_force: &PolicyInForce,
    writes: &[Write],
    outcomes: &mut [Option<Result<Written, StoreError>>],
) -> Result<(), StoreError> {
    let started = writes.iter().filter_map(|write| match write {
        Write::IssueSession(new) => Some(new.self_service_user_id),
        _ => None,
    });
    let tallies = Tallies::load(conn, in_force, started)?;
    let (mut rows, mut most, mut at) = (Vec::new(), HashMap::new(), i64::MAX);
    for (write, outcome) in writes.iter().zip(outcomes) {
        if let Write::IssueSession(new) = write {
            let admitted = tallies.admit_start(new.self_service_user_id, new.session.issued_at);
            if let Ok(left) = admitted {
                rows.push(IssuedRow::of(new)?);
                most.extend(left.map(|left| (new.self_service_user_id, left)));
                at = at.min(new.session.issued_at.unix_millis());
            }
            *outcome = Some(admitted.map(|attempts_left| Written::SessionIssued { attempts_left }));
        }
    }
    let issued: HashSet<_> = rows.iter().map(|row| row.session_id).collect();
    bulk_insert::execute::<_, NoClauses>(conn, rows)?;
    open::close_beyond(conn, &most, &issued, at)
}
