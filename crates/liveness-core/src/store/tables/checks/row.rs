//! The row of a record, as a query reads it.

use diesel::prelude::*;
use serde_json::value::RawValue;

use crate::store::engine::clock;
use crate::store::engine::error::StoreError;
use crate::store::tables::judgment;
use crate::store::tables::schema::liveness_checks;
use crate::store::tables::stored_check::StoredJudgment;
use crate::{CheckDetails, LivenessCheck, ReceivedObject};

#[derive(Queryable, Selectable, Clone)]
#[diesel(table_name = liveness_checks)]
pub(crate) struct CheckRow {
    id: i64,
    pub(crate) self_service_user_id: i64,
    pre_registration_id: Option<i64>,
    session_id: String,
    pub(crate) is_successful: bool,
    pub(crate) verification_result: Option<bool>,
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
    face_erased_at: Option<i64>,
    verdict: Option<i32>,
    decision: Option<i32>,
}

impl CheckRow {
    /// As [`LivenessCheck::stands`].
    pub(crate) fn stands(&self) -> bool {
        self.decision.or(self.verdict) == Some(0)
    }
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
            completed_at: row.completed_at.map(clock::stored).transpose()?,
            created_at: clock::stored(row.created_at)?,
            face_erased_at: row.face_erased_at.map(clock::stored).transpose()?,
            verdict: row.verdict.map(judgment::outcome).transpose()?,
            decision: row.decision.map(judgment::decision).transpose()?,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = liveness_checks)]
pub(crate) struct DetailsRow {
    challenges: Option<String>,
    final_capture_session_duration: Option<i32>,
    final_capture_lighting_value: Option<f64>,
    image_session_duration: Option<i32>,
    image_lighting_value: Option<f64>,
    metadata: Option<String>,
    image_metadata: Option<String>,
    #[diesel(embed)]
    judgment: StoredJudgment,
}

impl TryFrom<DetailsRow> for CheckDetails {
    type Error = StoreError;

    fn try_from(row: DetailsRow) -> Result<Self, StoreError> {
        let judged = row.judgment;
        let verdict = judged.verdict.zip(judged.policy);
        let verdict = verdict.map(|(outcome, policy)| judgment::verdict(outcome, &policy, judged.reasons.as_deref()));
        Ok(Self {
            challenges: challenges(row.challenges)?,
            final_capture_session_duration: row.final_capture_session_duration,
            final_capture_lighting_value: row.final_capture_lighting_value,
            image_session_duration: row.image_session_duration,
            image_lighting_value: row.image_lighting_value,
            metadata: row.metadata.map(received).transpose()?,
            image_metadata: row.image_metadata.map(received).transpose()?,
            verdict: verdict.transpose()?,
            issued_session: judged
                .issued_session
                .as_deref()
                .map(judgment::issued_session)
                .transpose()?,
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
