//! What the messages ask of the tables, each question once, whatever is recorded: to see that the database takes it.

use super::checks::completing::{completing, completing_each};
use super::checks::filter::Conditions;
use super::checks::find;
use super::checks::page::{self, CheckPage, PageRequest};
use super::faces;
use super::sessions::{self, SessionRange};
use super::trail::entries;
use super::users::changes;
use super::users::rows as users;
use crate::CompletionRule::{AnySuccessful, LatestVerified};
use crate::store::engine::connection::Connection;
use crate::store::engine::diagnosis::Question;
use crate::store::engine::error::StoreError;

pub(crate) const ALL: [Question; 12] = [
    ("the status of a user", |conn| {
        completing(conn, 1, AnySuccessful)?;
        completing(conn, 1, LatestVerified).map(drop)
    }),
    ("the status of two users", |conn| {
        let asked = [1, 2].map(|user| [(user, AnySuccessful), (user, LatestVerified)]);
        completing_each(conn, asked.as_flattened()).map(drop)
    }),
    ("a page of all", |conn| page_of(conn, None, None, None).map(drop)),
    ("a page of a pre-registration", |conn| {
        page_of(conn, Some(1), None, None).map(drop)
    }),
    ("a page of a user", |conn| page_of(conn, None, Some(1), None).map(drop)),
    ("a page of a session", |conn| {
        sessions::range(conn, SESSION)?;
        // As if there were one of that name.
        let range = SessionRange {
            self_service_user_id: 1,
            oldest: 0,
            newest: 0,
        };
        page_of(conn, None, Some(1), Some((SESSION, range))).map(drop)
    }),
    ("a record", |conn| find::with_details(conn, 1).map(drop)),
    ("a face", |conn| faces::get(conn, 1, 1).map(drop)),
    ("an idempotency key", |conn| {
        find::under_keys(conn, &["1 c k".into()]).map(drop)
    }),
    ("a user", |conn| users::find(conn, &[1]).map(drop)),
    ("whether users have records", |conn| {
        changes::with_records(conn, &[1, 2]).map(drop)
    }),
    ("the audit trail", |conn| entries::newest(conn, 1).map(drop)),
];

const SESSION: &str = "session";

fn page_of(
    conn: &mut Connection<'_>,
    pre_registration_id: Option<i64>,
    self_service_user_id: Option<i64>,
    session: Option<(&str, SessionRange)>,
) -> Result<CheckPage, StoreError> {
    let conditions = Conditions {
        pre_registration_id,
        self_service_user_id,
        session,
    };
    page::of(conn, &conditions, PageRequest { number: 1, size: 1 })
}
