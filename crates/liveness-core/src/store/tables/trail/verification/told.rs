//! Finds decisions, erasures and legal holds that no entry tells of.

use super::super::verified::TrailPart;
use super::super::{verified_decisions, verified_erasures, verified_holds, verified_records, verified_user_erasures};
use super::{ROWS, Verifier};
use crate::store::engine::connection::Purpose;
use crate::store::engine::error::StoreError;
use crate::store::tables::erasure_rows;

impl Verifier<'_> {
    /// Finds decisions that no entry tells of, and records whose decision does not follow from them.
    pub(super) fn decisions(&mut self, part: TrailPart) -> Result<(), StoreError> {
        let last = self.connections.read(|conn| {
            let last = verified_records::last_id(conn)?;
            Ok(last.max(verified_decisions::last_id(conn)?))
        })?;
        let of = |id: i64| format!("a decision about record {id}");
        self.each_id(part, last, of, |verifier, conn, ids| {
            verified_decisions::verify_records(conn, verifier.trust, ids, ROWS, &mut verifier.done)
        })
    }

    /// Finds erasures of faces that no entry tells of.
    pub(super) fn erasures(&mut self, part: TrailPart) -> Result<(), StoreError> {
        let last = self.connections.read(erasure_rows::last_face)?;
        let of = |id: i64| format!("the erasure of the face of record {id}");
        self.each_id(part, last, of, |verifier, conn, ids| {
            verified_erasures::verify_rows(conn, verifier.trust, ids, ROWS, &mut verifier.done)
        })
    }

    /// Verifies the holds that are there, in the first part: they are few.
    pub(super) fn holds(&mut self, part: TrailPart) -> Result<(), StoreError> {
        if part.number > 0 {
            return Ok(());
        }
        let connections = self.connections;
        for user in connections.read(verified_holds::users_under_hold)? {
            let verified = connections.read(|conn| {
                conn.transaction(Purpose::Read, |conn| {
                    verified_holds::verify(conn, self.trust, &[user].into(), &mut self.done)
                })
            });
            self.unless_unreadable(verified, || format!("the legal hold on user {user}"))?;
        }
        Ok(())
    }

    /// Verifies the erasures of users that are there, in the first part: they are few.
    pub(super) fn erased_users(&mut self, part: TrailPart) -> Result<(), StoreError> {
        if part.number > 0 {
            return Ok(());
        }
        let connections = self.connections;
        let mut last = i64::MIN;
        loop {
            let users = connections.read(|conn| erasure_rows::next_users(conn, last, ROWS))?;
            let Some(newest) = users.last() else {
                return Ok(());
            };
            last = *newest;
            for user in users {
                let verified = connections.read(|conn| {
                    conn.transaction(Purpose::Read, |conn| {
                        verified_user_erasures::verify(conn, self.trust, &[user].into(), &mut self.done)
                    })
                });
                self.unless_unreadable(verified, || format!("the erasure of user {user}"))?;
            }
        }
    }
}
