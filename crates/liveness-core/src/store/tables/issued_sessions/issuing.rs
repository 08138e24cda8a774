//! Issues sessions, in the transaction of their audit entries.

use diesel::sql_types::{BigInt, Text};

use crate::store::engine::bulk_insert::{self, NoClauses, row};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::new_session::NewSession;
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

/// Issues the sessions among the writes, and notes their outcomes. Nothing limits attempts here, so nobody knows how many are left.
pub(crate) fn issue(
    conn: &mut Connection<'_>,
    writes: &[Write],
    outcomes: &mut [Option<Result<Written, StoreError>>],
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (write, outcome) in writes.iter().zip(outcomes) {
        if let Write::IssueSession(new) = write {
            rows.push(IssuedRow::of(new)?);
            *outcome = Some(Ok(Written::SessionIssued { attempts_left: None }));
        }
    }
    bulk_insert::execute::<_, NoClauses>(conn, rows)
}
