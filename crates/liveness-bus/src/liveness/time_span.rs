//! The span of time that a list is asked for, as texts: `from` and `to`.

use liveness_core::{Timestamp, Violation};
use validator::ValidationError;

use super::optional_text::given;
use crate::BusError;
use crate::validation::violation_of;

const TO_BEFORE_FROM: Violation = Violation::new("range", "must not be before from");

/// Both times are valid and in order, or a rule of their own is broken.
pub(super) fn check_order(from: Option<&String>, to: Option<&String>) -> Result<(), ValidationError> {
    let instant = |text| given(text)?.parse::<Timestamp>().ok();
    match (instant(from), instant(to)) {
        (Some(from), Some(to)) if from > to => Err(violation_of("to", TO_BEFORE_FROM)),
        _ => Ok(()),
    }
}

/// A time of the span, if it is given.
///
/// # Errors
///
/// [`BusError::Invalid`] if it is none.
pub(super) fn instant(field: &str, text: Option<&String>) -> Result<Option<Timestamp>, BusError> {
    let parsed = given(text).map(str::parse).transpose();
    parsed.map_err(|violation| BusError::invalid(field, violation))
}
