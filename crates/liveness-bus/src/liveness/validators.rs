//! Functions for `#[validate(custom(…))]`, so that all fields that break a rule are reported at once.
//!
//! The rules themselves are in one place, the types of `liveness-core`.

use liveness_core::{ChallengeCount, ImagePath, LightingValue, Reason, SessionDuration, SessionId, Timestamp};
use validator::ValidationError;

use super::ChallengeList;
use crate::violation;

pub(super) fn session_id(text: &str) -> Result<(), ValidationError> {
    SessionId::parse(text).map(drop).map_err(violation)
}

pub(super) fn session_id_or_empty(text: &str) -> Result<(), ValidationError> {
    or_empty(text, session_id)
}

pub(super) fn reason(text: &str) -> Result<(), ValidationError> {
    Reason::parse(text).map(drop).map_err(violation)
}

pub(super) fn reason_or_empty(text: &str) -> Result<(), ValidationError> {
    or_empty(text, reason)
}

pub(super) fn image_path_or_empty(text: &str) -> Result<(), ValidationError> {
    or_empty(text, |text| ImagePath::parse(text).map(drop).map_err(violation))
}

pub(super) fn instant_or_empty(text: &str) -> Result<(), ValidationError> {
    or_empty(text, |text| text.parse::<Timestamp>().map(drop).map_err(violation))
}

/// An empty text in an optional field is the same as none.
fn or_empty(text: &str, rule: fn(&str) -> Result<(), ValidationError>) -> Result<(), ValidationError> {
    if text.is_empty() { Ok(()) } else { rule(text) }
}

pub(super) fn duration(millis: i64) -> Result<(), ValidationError> {
    SessionDuration::from_millis(millis).map(drop).map_err(violation)
}

pub(super) fn lighting(value: f64) -> Result<(), ValidationError> {
    LightingValue::new(value).map(drop).map_err(violation)
}

pub(super) fn challenge_count(count: i64) -> Result<(), ValidationError> {
    ChallengeCount::new(count).map(drop).map_err(violation)
}

pub(super) fn challenges(list: &ChallengeList) -> Result<(), ValidationError> {
    list.challenges().map(drop).map_err(violation)
}
