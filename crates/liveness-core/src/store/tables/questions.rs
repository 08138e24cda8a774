//! Every query of the messages. `doctor` runs each once, to check that the database accepts it, whatever is recorded.

use super::attempts;
use super::checks::completing::{Completion, completing, completing_each};
use super::checks::filter::Conditions;
use super::checks::find;
use super::checks::page::{self, Order, PageRequest};
use super::dating;
use super::erasure_rows;
use super::events;
use super::faces;
use super::issued_sessions;
use super::jobs;
use super::sessions;
use super::trail::entries;
use super::trail::filter::{TrailFilter, TrailPageRequest};
use super::trail::find as trail;
use super::trail::looks;
use super::users::changes;
use super::users::rows as users;
use crate::CompletionRule;
use crate::CompletionRule::{AnySuccessful, LatestVerified};
use crate::jobs::JobKind;
use crate::store::engine::connection::Connection;
use crate::store::engine::diagnosis::Question;
use crate::store::engine::error::StoreError;

const fn completion(rule: CompletionRule, has_to_stand: bool) -> Completion {
    Completion { rule, has_to_stand }
}

const COMPLETIONS: [Completion; 3] = [
    completion(AnySuccessful, false),
    completion(LatestVerified, false),
    completion(AnySuccessful, true),
];

pub(crate) const ALL: [Question; 24] = [
    ("the status of a user", |conn| {
        completing(conn, 1, COMPLETIONS[0])?;
        completing(conn, 1, COMPLETIONS[1])?;
        completing(conn, 1, COMPLETIONS[2]).map(drop)
    }),
    ("the status of two users", |conn| {
        let asked = [1, 2].map(|user| COMPLETIONS.map(|completion| (user, completion)));
        completing_each(conn, asked.as_flattened()).map(drop)
    }),
    ("the newest records of two users", |conn| {
        dating::newest(conn, &[1, 2]).map(drop)
    }),
    ("a page of all", |conn| page_of(conn, &ALL_RECORDS)),
    ("a page of a time and an outcome", |conn| {
        let failed = Conditions {
            span: Some((0, 1)),
            is_successful: Some(false),
            has_image: Some(true),
            ..ALL_RECORDS
        };
        page_of(conn, &failed)
    }),
    ("a page of a pre-registration", |conn| {
        let of_pre_registration = Conditions {
            pre_registration_id: Some(1),
            ..ALL_RECORDS
        };
        page_of(conn, &of_pre_registration)
    }),
    ("a page of a user", |conn| {
        let of_user = Conditions {
            self_service_user_id: Some(1),
            ..ALL_RECORDS
        };
        page_of(conn, &of_user)
    }),
    ("a page of a session", |conn| {
        sessions::range(conn, SESSION)?;
        // As if there were one of that name.
        let of_session = Conditions {
            self_service_user_id: Some(1),
            session_id: Some(SESSION),
            span: Some((0, 1)),
            ..ALL_RECORDS
        };
        page_of(conn, &of_session)
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
    ("entries of a user", |conn| {
        let of_user = TrailFilter {
            self_service_user_id: Some(1),
            ..TrailFilter::default()
        };
        trail::search(conn, &of_user, SECOND_PAGE).map(drop)
    }),
    ("entries of a sender and a message", |conn| {
        let of_sender = TrailFilter {
            principal: Some("sender".to_owned()),
            message: Some("message".to_owned()),
            ..TrailFilter::default()
        };
        trail::search(conn, &of_sender, SECOND_PAGE).map(drop)
    }),
    ("entries that tell of a record", |conn| {
        let of_record = TrailFilter {
            liveness_check_id: Some(1),
            ..TrailFilter::default()
        };
        trail::search(conn, &of_record, SECOND_PAGE).map(drop)
    }),
    ("an issued session", |conn| {
        issued_sessions::find(conn, (vec![1], vec![SESSION.to_owned()])).map(drop)
    }),
    ("what two users have failed", |conn| {
        attempts::of_users(conn, &[1, 2]).map(drop)
    }),
    ("the erasure of a face", |conn| erasure_rows::face(conn, 1).map(drop)),
    ("a legal hold", |conn| erasure_rows::held_since(conn, 1).map(drop)),
    ("looks at a face", |conn| looks::of(conn, 1, &[1], &[]).map(drop)),
    ("events that are due", |conn| {
        events::due::longest_due(conn, "a-name", &[1], 1, 0)?;
        events::due::firsts(conn, "a-name", &[1, 2]).map(drop)
    }),
    ("jobs", |conn| {
        jobs::operating::count(conn, &[JobKind::new("a.kind")], 0).map(drop)
    }),
];

const SESSION: &str = "session";

const SECOND_PAGE: TrailPageRequest = TrailPageRequest {
    before: None,
    skip: 1,
    size: 1,
};

const ALL_RECORDS: Conditions<'_> = Conditions {
    pre_registration_id: None,
    self_service_user_id: None,
    session_id: None,
    span: None,
    is_successful: None,
    has_image: None,
    verdict: None,
    decision: None,
};

fn page_of(conn: &mut Connection<'_>, conditions: &Conditions<'_>) -> Result<(), StoreError> {
    page::of(conn, conditions, PageRequest { number: 1, size: 1 }, Order::NewestFirst).map(drop)
}
