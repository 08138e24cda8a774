//! What is asked of records: the status of users, their newest records, keys, and single records.

use crate::CompletionRule;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::plans::Case;
use crate::store::plans::indexes::{CHECK, IMAGE_DIGEST, OF_USER, PASSED, STANDS, SUBSCRIPTION, TOTAL};
use crate::store::tables::checks::completing::{Completion, completing, completing_each};
use crate::store::tables::checks::find;
use crate::store::tables::{dating, decision_rows as decisions, image_digests, totals};

pub(super) const CASES: &[Case] = &[
    (
        "the newest record",
        |conn| find::newest_check(conn).map(drop),
        &[("liveness_checks_by_time", "liveness_checks_by_time")],
    ),
    (
        "any successful record",
        |conn| completing(conn, 1, by(CompletionRule::AnySuccessful)).map(drop),
        &[("liveness_checks_passed (self_service_user_id=?)", PASSED)],
    ),
    (
        "the latest record",
        |conn| completing(conn, 1, by(CompletionRule::LatestVerified)).map(drop),
        &[("liveness_checks_of_user (self_service_user_id=?)", OF_USER)],
    ),
    (
        "any record that stands",
        |conn| completing(conn, 1, STANDING).map(drop),
        &[STANDS],
    ),
    ("any records that stand", |conn| statuses(conn, STANDING), &[STANDS]),
    (
        "earlier records of images",
        |conn| image_digests::find(conn, &[(&[1; 32], 1)]).map(drop),
        &[IMAGE_DIGEST],
    ),
    (
        "any successful records",
        |conn| statuses(conn, by(CompletionRule::AnySuccessful)),
        &[("liveness_checks_passed (self_service_user_id=?)", PASSED)],
    ),
    (
        "the latest records",
        |conn| statuses(conn, by(CompletionRule::LatestVerified)),
        &[("liveness_checks_of_user (self_service_user_id=?)", OF_USER)],
    ),
    (
        "the newest records",
        |conn| dating::newest(conn, &[1, 2]).map(drop),
        &[
            ("liveness_checks_of_user (self_service_user_id=?)", OF_USER),
            SUBSCRIPTION,
        ],
    ),
    (
        "the decisions about records",
        |conn| decisions::rows_of(conn, &[1, 2]).map(drop),
        &[("liveness_decisions USING PRIMARY KEY", "liveness_decisions_pkey")],
    ),
    (
        "an idempotency key",
        |conn| find::under_keys(conn, &["1 c k".into()]).map(drop),
        &[(
            "liveness_checks_idempotency_key (idempotency_key=?)",
            "liveness_checks_idempotency_key",
        )],
    ),
    (
        "idempotency keys",
        |conn| find::under_keys(conn, &["1 c k".into(), "1 c l".into()]).map(drop),
        &[(
            "liveness_checks_idempotency_key (idempotency_key=?)",
            "liveness_checks_idempotency_key",
        )],
    ),
    (
        "a record by its id",
        |conn| find::with_details(conn, 1).map(drop),
        &[CHECK],
    ),
    (
        "how many records have no verdict",
        |conn| totals::unjudged(conn).map(drop),
        &[TOTAL],
    ),
];

const fn by(rule: CompletionRule) -> Completion {
    Completion {
        rule,
        has_to_stand: false,
    }
}

/// The same, if records have to stand.
const STANDING: Completion = Completion {
    rule: CompletionRule::AnySuccessful,
    has_to_stand: true,
};

/// Reads the status of some users: two users on PostgreSQL, one on SQLite, which is asked for one user at a time.
fn statuses(conn: &mut Connection<'_>, completion: Completion) -> Result<(), StoreError> {
    let asked = [(1, completion), (2, completion)];
    let at_once = if matches!(conn, Connection::Sqlite(_)) { 1 } else { 2 };
    completing_each(conn, &asked[..at_once]).map(drop)
}
