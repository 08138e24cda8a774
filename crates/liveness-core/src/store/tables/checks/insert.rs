//! Adds records.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};

use crate::store::engine::bulk_insert::{AllRows, Clauses, EachRow, OneRow, row};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::judging::Judged;
use crate::store::tables::stored_check::{self, OutsideDigest};
use crate::{Challenges, LivenessCheck, Timestamp};

/// A new record.
#[derive(Debug)]
pub(crate) struct Inserted {
    pub(crate) check: LivenessCheck,
    /// The bytes from which its digest is made.
    pub(crate) canonical: Vec<u8>,
}

/// Adds the records and returns them in the order of the recordings. No two recordings may have the same session.
pub(crate) fn insert(conn: &mut Connection<'_>, judged: &[&Judged<'_>]) -> Result<Vec<Inserted>, StoreError> {
    if judged.is_empty() {
        return Ok(Vec::new());
    }
    let mut checks = judged
        .iter()
        .map(|judged| unnumbered(judged))
        .collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<_> = judged
        .iter()
        .map(|judged| judged.dated.recording.scoped_key())
        .collect();
    let rows = judged.iter().zip(&checks).zip(&keys);
    let rows = rows.map(|((judged, check), key)| NewCheckRow::of(judged, check, key.as_deref()));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let mut canonical: Vec<_> = rows.iter().map(stored_check::without_id).collect();
    let ids = match conn {
        Connection::Sqlite(conn) => insert_into_sqlite(conn, &rows)?,
        Connection::Postgres(conn) => in_order(&checks, AllRows::<_, Numbered>::of(rows).load(*conn)?),
        Connection::Citus(conn) => in_order(&checks, EachRow::<_, Numbered>::of(&rows).load(*conn)?),
    };
    if ids.len() != checks.len() {
        return Err(StoreError::internal("the database returned no id for a new record"));
    }
    for ((check, canonical), id) in checks.iter_mut().zip(&mut canonical).zip(ids) {
        check.id = id;
        stored_check::set_id(canonical, id);
    }
    let inserted = checks.into_iter().zip(canonical);
    Ok(inserted
        .map(|(check, canonical)| Inserted { check, canonical })
        .collect())
}

/// Inserts rows and returns their ids. SQLite has only one writer, so the ids are consecutive: it is enough to read the
/// first and the last.
fn insert_into_sqlite(conn: &mut SqliteConnection, rows: &[NewCheckRow<'_>]) -> Result<Vec<i64>, StoreError> {
    let (mut first, mut last) = (0, 0);
    for (place, row) in rows.iter().enumerate() {
        OneRow::<_, Numbered>::of(row).execute(conn)?;
        if place == 0 || place + 1 == rows.len() {
            last = diesel::select(last_insert_rowid()).get_result(conn)?;
        }
        if place == 0 {
            first = last;
        }
    }
    let ids: Vec<_> = (first..=last).collect();
    if ids.len() == rows.len() {
        Ok(ids)
    } else {
        Err(StoreError::internal("the ids of new records are not consecutive"))
    }
}

/// Puts the ids into the order of the records. PostgreSQL may return them in another order.
fn in_order(checks: &[LivenessCheck], inserted: Vec<(String, i64)>) -> Vec<i64> {
    let ids: HashMap<_, _> = inserted.into_iter().collect();
    checks
        .iter()
        .filter_map(|check| ids.get(&check.session_id).copied())
        .collect()
}

row! {
    struct NewCheckRow<'a> of "liveness_checks", in columns NewCheckColumns {
        self_service_user_id: i64 => BigInt,
        pre_registration_id: Option<i64> => Nullable<BigInt>,
        session_id: &'a str => Text,
        is_successful: bool => Bool,
        verification_result: Option<bool> => Nullable<Bool>,
        passed: bool => Bool,
        session_duration: Option<i32> => Nullable<Integer>,
        lighting_value: Option<f64> => Nullable<Double>,
        challenge_count: Option<i32> => Nullable<Integer>,
        completed_challenges: Option<String> => Nullable<Text>,
        challenges: Option<String> => Nullable<Text>,
        sdk_timestamp: Option<i64> => Nullable<BigInt>,
        completed_at: Option<i64> => Nullable<BigInt>,
        final_capture_verification_result: Option<bool> => Nullable<Bool>,
        final_capture_session_duration: Option<i32> => Nullable<Integer>,
        final_capture_lighting_value: Option<f64> => Nullable<Double>,
        image_verification_result: Option<bool> => Nullable<Bool>,
        image_session_duration: Option<i32> => Nullable<Integer>,
        image_lighting_value: Option<f64> => Nullable<Double>,
        has_image: bool => Bool,
        image_path: Option<&'a str> => Nullable<Text>,
        device_info: Option<&'a str> => Nullable<Text>,
        client_ip: Option<&'a str> => Nullable<Text>,
        created_at: i64 => BigInt,
        metadata: Option<&'a str> => Nullable<Text>,
        image_metadata: Option<&'a str> => Nullable<Text>,
        idempotency_key: Option<&'a str> => Nullable<Text>,
        request_fingerprint: Option<&'a [u8]> => Nullable<Binary>,
        verdict: i32 => Integer,
        verdict_policy: &'a [u8] => Binary,
        verdict_reasons: Option<&'a str> => Nullable<Text>,
        issued_session: Option<&'a str> => Nullable<Text>,
        image_digest: OutsideDigest<Option<&'a [u8]>> => Nullable<Binary>,
    }
}

/// SQLite's function for the id of the last inserted row.
#[diesel::declare_sql_function]
extern "SQL" {
    fn last_insert_rowid() -> BigInt;
}

struct Numbered;

impl Clauses for Numbered {
    const RETURNING: &'static str = "RETURNING session_id, id";
    type Returned = (Text, BigInt);
}

impl<'a> NewCheckRow<'a> {
    fn of(judged: &'a Judged<'_>, check: &'a LivenessCheck, scoped_key: Option<&'a str>) -> Result<Self, StoreError> {
        let (recording, judgment) = (judged.dated.recording, &judged.columns);
        let new = &recording.check;
        let (metrics, last, image) = (&new.metrics, &new.metrics.final_capture, &new.image_metrics);
        Ok(Self {
            self_service_user_id: check.self_service_user_id,
            pre_registration_id: check.pre_registration_id,
            session_id: &check.session_id,
            is_successful: check.is_successful,
            verification_result: check.verification_result,
            passed: new.passed(),
            session_duration: check.session_duration,
            lighting_value: check.lighting_value,
            challenge_count: check.challenge_count,
            completed_challenges: metrics.completed_challenges.as_ref().map(to_json).transpose()?,
            challenges: metrics.challenges.as_ref().map(to_json).transpose()?,
            sdk_timestamp: metrics.timestamp,
            completed_at: check.completed_at.map(Timestamp::unix_millis),
            final_capture_verification_result: check.final_capture_verification_result,
            final_capture_session_duration: last.session_duration.map(|duration| duration.millis()),
            final_capture_lighting_value: last.lighting_value.map(|value| value.get()),
            image_verification_result: check.image_verification_result,
            image_session_duration: image.session_duration.map(|duration| duration.millis()),
            image_lighting_value: image.lighting_value.map(|value| value.get()),
            has_image: check.has_image,
            image_path: check.image_path.as_deref(),
            device_info: check.device_info.as_deref(),
            client_ip: check.client_ip.as_deref(),
            created_at: check.created_at.unix_millis(),
            metadata: new.metadata.as_ref().map(|object| object.as_json()),
            image_metadata: new.image_metadata.as_ref().map(|object| object.as_json()),
            idempotency_key: scoped_key,
            request_fingerprint: recording
                .idempotency_key
                .as_ref()
                .map(|key| key.fingerprint().as_slice()),
            verdict: judgment.outcome,
            verdict_policy: &judgment.policy,
            verdict_reasons: judgment.reasons.as_deref(),
            issued_session: judgment.issued_session.as_deref(),
            image_digest: OutsideDigest(judged.image_digest.map(|digest| &digest[..])),
        })
    }
}

/// The record as it will be stored. Its id is still 0.
fn unnumbered(judged: &Judged<'_>) -> Result<LivenessCheck, StoreError> {
    let dated = &judged.dated;
    let new = dated.check();
    let (metrics, run) = (&new.metrics, &new.metrics.run);
    Ok(LivenessCheck {
        id: 0,
        self_service_user_id: new.user.id,
        pre_registration_id: new.user.pre_registration_id,
        session_id: new.session_id.as_str().to_owned(),
        is_successful: new.is_successful,
        verification_result: run.verification_result,
        session_duration: run.session_duration.map(|duration| duration.millis()),
        lighting_value: run.lighting_value.map(|value| value.get()),
        challenge_count: metrics.challenge_count.map(|count| count.get()),
        completed_challenges: metrics.completed_challenges.as_ref().map(Challenges::to_strings),
        final_capture_verification_result: metrics.final_capture.verification_result,
        image_verification_result: new.image_metrics.verification_result,
        has_image: new.image.is_some(),
        image_path: new.image_path.as_ref().map(|path| path.as_str().to_owned()),
        device_info: new.device.as_ref().map(to_json).transpose()?,
        client_ip: new.client_address.map(|address| address.to_string()),
        completed_at: metrics.completed_at,
        created_at: dated.created_at,
        face_erased_at: None,
        verdict: Some(judged.verdict.outcome),
        decision: None,
    })
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::internal)
}
