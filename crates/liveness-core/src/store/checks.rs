//! The records.

mod span;

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::value::RawValue;

use super::connection::{Connection, Purpose, cannot_be_stored, in_statements, on_either};
use super::error::StoreError;
use super::recording::Recording;
use super::schema::liveness_checks::{self, dsl};
use super::{counts, sessions};
use crate::{CheckDetails, CompletionRule, LivenessCheck, ReceivedObject, Timestamp};

pub use self::span::CheckSpan;
pub(super) use self::span::after;

/// Which records a list holds: those to which everything given applies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckFilter {
    /// Records of users of this pre-registration.
    pub pre_registration_id: Option<i64>,
    /// Records of this user.
    pub self_service_user_id: Option<i64>,
    /// Records of this session of the SDK.
    pub session_id: Option<String>,
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1.
    pub number: i64,
    /// Records a page.
    pub size: i64,
}

/// The records that a filter lets through, newest first: a query for either engine.
///
/// Conditions are given as ranges of one value, and the narrowest leads the order: then there is one index that gives the
/// order, and no statistics make an engine walk down the newest records of all, or sort a campaign's, in search of a few.
macro_rules! matching {
    ($filter:expr) => {{
        let CheckFilter {
            pre_registration_id,
            self_service_user_id,
            session_id,
        } = $filter;
        let mut query = dsl::liveness_checks.into_boxed();
        if let Some(session) = session_id {
            query = query.filter(dsl::session_id.between(session, session));
        }
        if let Some(user) = *self_service_user_id {
            query = query.filter(dsl::self_service_user_id.between(user, user));
        }
        if let Some(id) = *pre_registration_id {
            query = query.filter(dsl::pre_registration_id.between(id, id));
        }
        query = match (session_id, self_service_user_id, pre_registration_id) {
            (Some(_), _, _) => query.order(dsl::session_id.desc()),
            (None, Some(_), _) => query.order(dsl::self_service_user_id.desc()),
            (None, None, Some(_)) => query.order(dsl::pre_registration_id.desc()),
            (None, None, None) => query,
        };
        query.then_order_by((dsl::created_at.desc(), dsl::id.desc()))
    }};
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckPage {
    /// Its records, newest first.
    pub items: Vec<LivenessCheck>,
    /// Records on all pages.
    pub total: i64,
}

/// The records, in any order: no two are of one session.
pub(super) fn insert(conn: &mut Connection<'_>, recordings: &[&Recording]) -> Result<Vec<LivenessCheck>, StoreError> {
    let keys: Vec<_> = recordings.iter().map(|recording| recording.scoped_key()).collect();
    let rows = recordings
        .iter()
        .zip(&keys)
        .map(|(recording, key)| NewCheckRow::of(recording, key.as_deref()));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let inserted = in_statements!(conn, rows, |conn, rows| {
        diesel::insert_into(dsl::liveness_checks)
            .values(rows)
            .returning(CheckRow::as_returning())
            .get_results(*conn)
    });
    inserted.into_iter().flatten().map(LivenessCheck::try_from).collect()
}

macro_rules! recorded_under {
    ($keys:expr) => {
        dsl::liveness_checks.filter($keys).select((
            dsl::idempotency_key.assume_not_null(),
            dsl::request_fingerprint,
            CheckRow::as_select(),
        ))
    };
}

/// What was recorded under idempotency keys, by the key: the request's fingerprint, and the record.
pub(super) fn under_keys(
    conn: &mut Connection<'_>,
    keys: &[String],
) -> Result<HashMap<String, (Vec<u8>, LivenessCheck)>, StoreError> {
    // The common question has a statement of its own, which is prepared once.
    let rows: Vec<(String, Option<Vec<u8>>, CheckRow)> = match keys {
        [] => Vec::new(),
        [key] => on_either!(conn, |conn| recorded_under!(dsl::idempotency_key.eq(key)).load(*conn))?,
        keys => on_either!(conn, |conn| recorded_under!(dsl::idempotency_key.eq_any(keys))
            .load(*conn))?,
    };
    let found = rows
        .into_iter()
        .map(|(key, fingerprint, row)| Ok((key, (fingerprint.unwrap_or_default(), row.try_into()?))));
    found.collect()
}

/// What [`CompletionRule::completed_by`] says of all of a user's records, read from one.
pub(super) fn completing(
    conn: &mut Connection<'_>,
    user: i64,
    rule: CompletionRule,
) -> Result<Option<LivenessCheck>, StoreError> {
    let of_user = dsl::liveness_checks
        .filter(dsl::self_service_user_id.eq(user))
        .order((dsl::created_at.desc(), dsl::id.desc()));
    let found: Option<CheckRow> = if rule.only_latest() {
        on_either!(conn, |conn| of_user
            .select(CheckRow::as_select())
            .first(*conn)
            .optional())?
    } else {
        let passed = of_user.filter(dsl::passed.eq(true));
        on_either!(conn, |conn| passed
            .select(CheckRow::as_select())
            .first(*conn)
            .optional())?
    };
    let accepted = found.filter(|row| rule.accepts(row.is_successful, row.verification_result));
    accepted.map(LivenessCheck::try_from).transpose()
}

/// The record of that id, with what lists leave out of it.
pub(super) fn with_details(
    conn: &mut Connection<'_>,
    id: i64,
) -> Result<Option<(LivenessCheck, CheckDetails)>, StoreError> {
    let found: Option<(CheckRow, DetailsRow)> = on_either!(conn, |conn| dsl::liveness_checks
        .find(id)
        .select((CheckRow::as_select(), DetailsRow::as_select()))
        .first(*conn)
        .optional())?;
    let parsed = found.map(|(check, details)| Ok((check.try_into()?, details.try_into()?)));
    parsed.transpose()
}

/// A page, and how many records there are in all, at the same moment.
pub(super) fn page(
    conn: &mut Connection<'_>,
    filter: &CheckFilter,
    page: PageRequest,
) -> Result<CheckPage, StoreError> {
    if filter.session_id.as_deref().is_some_and(cannot_be_stored) {
        return Ok(CheckPage {
            items: Vec::new(),
            total: 0,
        });
    }
    conn.transaction(Purpose::Read, |conn| {
        let total = total(conn, filter)?;
        let items = items(conn, filter, page)?;
        Ok(CheckPage { items, total })
    })
}

/// Counts are kept of what can be millions. The records of one session with one pre-registration are few, and counted.
fn total(conn: &mut Connection<'_>, filter: &CheckFilter) -> Result<i64, StoreError> {
    match (&filter.session_id, filter.pre_registration_id) {
        (None, pre_registration) => counts::of(conn, filter.self_service_user_id, pre_registration),
        (Some(session), None) => sessions::check_count(conn, session, filter.self_service_user_id),
        (Some(session), Some(pre_registration)) => {
            let of_session = dsl::liveness_checks
                .filter(dsl::session_id.eq(session))
                .filter(dsl::pre_registration_id.eq(pre_registration));
            Ok(match filter.self_service_user_id {
                None => on_either!(conn, |conn| of_session.count().get_result(*conn))?,
                Some(user) => {
                    let of_user = of_session.filter(dsl::self_service_user_id.eq(user));
                    on_either!(conn, |conn| of_user.count().get_result(*conn))?
                }
            })
        }
    }
}

fn items(conn: &mut Connection<'_>, filter: &CheckFilter, page: PageRequest) -> Result<Vec<LivenessCheck>, StoreError> {
    let rows: Vec<CheckRow> = on_either!(conn, |conn| matching!(filter)
        .limit(page.size)
        .offset(page.number.saturating_sub(1).saturating_mul(page.size))
        .select(CheckRow::as_select())
        .load(*conn))?;
    rows.into_iter().map(LivenessCheck::try_from).collect()
}

#[derive(Insertable)]
// With a DEFAULT in it for what is left out, the statement would be another each time.
#[diesel(table_name = liveness_checks, treat_none_as_default_value = false)]
struct NewCheckRow<'a> {
    self_service_user_id: i64,
    pre_registration_id: Option<i64>,
    session_id: &'a str,
    is_successful: bool,
    verification_result: Option<bool>,
    passed: bool,
    session_duration: Option<i32>,
    lighting_value: Option<f64>,
    challenge_count: Option<i32>,
    completed_challenges: Option<String>,
    challenges: Option<String>,
    sdk_timestamp: Option<i64>,
    completed_at: Option<i64>,
    final_capture_verification_result: Option<bool>,
    final_capture_session_duration: Option<i32>,
    final_capture_lighting_value: Option<f64>,
    image_verification_result: Option<bool>,
    image_session_duration: Option<i32>,
    image_lighting_value: Option<f64>,
    has_image: bool,
    image_path: Option<&'a str>,
    device_info: Option<String>,
    client_ip: Option<String>,
    created_at: i64,
    metadata: Option<&'a str>,
    image_metadata: Option<&'a str>,
    idempotency_key: Option<&'a str>,
    request_fingerprint: Option<&'a [u8]>,
}

impl<'a> NewCheckRow<'a> {
    fn of(recording: &'a Recording, scoped_key: Option<&'a str>) -> Result<Self, StoreError> {
        let check = &recording.check;
        let metrics = &check.metrics;
        let (run, last, image) = (&metrics.run, &metrics.final_capture, &check.image_metrics);
        Ok(Self {
            self_service_user_id: check.user.id,
            pre_registration_id: check.user.pre_registration_id,
            session_id: check.session_id.as_str(),
            is_successful: check.is_successful,
            verification_result: run.verification_result,
            passed: check.passed(),
            session_duration: run.session_duration.map(|duration| duration.millis()),
            lighting_value: run.lighting_value.map(|value| value.get()),
            challenge_count: metrics.challenge_count.map(|count| count.get()),
            completed_challenges: metrics.completed_challenges.as_ref().map(to_json).transpose()?,
            challenges: metrics.challenges.as_ref().map(to_json).transpose()?,
            sdk_timestamp: metrics.timestamp,
            completed_at: metrics.completed_at.map(Timestamp::unix_millis),
            final_capture_verification_result: last.verification_result,
            final_capture_session_duration: last.session_duration.map(|duration| duration.millis()),
            final_capture_lighting_value: last.lighting_value.map(|value| value.get()),
            image_verification_result: image.verification_result,
            image_session_duration: image.session_duration.map(|duration| duration.millis()),
            image_lighting_value: image.lighting_value.map(|value| value.get()),
            has_image: check.image.is_some(),
            image_path: check.image_path.as_ref().map(|path| path.as_str()),
            device_info: check.device.as_ref().map(to_json).transpose()?,
            client_ip: check.client_address.map(|address| address.to_string()),
            created_at: check.created_at.unix_millis(),
            metadata: check.metadata.as_ref().map(|object| object.as_json()),
            image_metadata: check.image_metadata.as_ref().map(|object| object.as_json()),
            idempotency_key: scoped_key,
            request_fingerprint: recording
                .idempotency_key
                .as_ref()
                .map(|key| key.fingerprint().as_slice()),
        })
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::internal)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = liveness_checks)]
struct CheckRow {
    id: i64,
    self_service_user_id: i64,
    pre_registration_id: Option<i64>,
    session_id: String,
    is_successful: bool,
    verification_result: Option<bool>,
    session_duration: Option<i32>,
    lighting_value: Option<f64>,
    challenge_count: Option<i32>,
    completed_challenges: Option<String>,
    final_capture_verification_result: Option<bool>,
    image_verification_result: Option<bool>,
    has_image: bool,
    image_path: Option<String>,
    device_info: Option<String>,
    client_ip: Option<String>,
    completed_at: Option<i64>,
    created_at: i64,
}

impl TryFrom<CheckRow> for LivenessCheck {
    type Error = StoreError;

    fn try_from(row: CheckRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            self_service_user_id: row.self_service_user_id,
            pre_registration_id: row.pre_registration_id,
            session_id: row.session_id,
            is_successful: row.is_successful,
            verification_result: row.verification_result,
            session_duration: row.session_duration,
            lighting_value: row.lighting_value,
            challenge_count: row.challenge_count,
            completed_challenges: challenges(row.completed_challenges)?,
            final_capture_verification_result: row.final_capture_verification_result,
            image_verification_result: row.image_verification_result,
            has_image: row.has_image,
            image_path: row.image_path,
            device_info: row.device_info,
            client_ip: row.client_ip,
            completed_at: row.completed_at.map(instant).transpose()?,
            created_at: instant(row.created_at)?,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = liveness_checks)]
struct DetailsRow {
    challenges: Option<String>,
    final_capture_session_duration: Option<i32>,
    final_capture_lighting_value: Option<f64>,
    image_session_duration: Option<i32>,
    image_lighting_value: Option<f64>,
    metadata: Option<String>,
    image_metadata: Option<String>,
}

impl TryFrom<DetailsRow> for CheckDetails {
    type Error = StoreError;

    fn try_from(row: DetailsRow) -> Result<Self, StoreError> {
        Ok(Self {
            challenges: challenges(row.challenges)?,
            final_capture_session_duration: row.final_capture_session_duration,
            final_capture_lighting_value: row.final_capture_lighting_value,
            image_session_duration: row.image_session_duration,
            image_lighting_value: row.image_lighting_value,
            metadata: row.metadata.map(received).transpose()?,
            image_metadata: row.image_metadata.map(received).transpose()?,
        })
    }
}

fn challenges(json: Option<String>) -> Result<Option<Vec<String>>, StoreError> {
    let parsed = json.map(|json| serde_json::from_str(&json)).transpose();
    parsed.map_err(StoreError::internal)
}

fn received(json: String) -> Result<ReceivedObject, StoreError> {
    let raw = RawValue::from_string(json).map_err(StoreError::internal)?;
    ReceivedObject::parse(raw).map_err(StoreError::internal)
}

fn instant(millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_unix_millis(millis).ok_or_else(|| StoreError::internal("a stored time is out of range"))
}
