//! An event to be published.

use std::borrow::Cow;

use serde::Serialize;

use super::is_name;
use crate::Violation;

/// The longest type, in bytes.
const LONGEST_TYPE: usize = 64;
/// The most bytes of the data of an event.
pub const LONGEST_DATA: usize = 8 * 1024;

/// An event to be published. It is valid once it is built.
///
/// ```
/// use liveness_core::events::NewEvent;
/// use serde_json::json;
///
/// let frozen = NewEvent::new("bank.card.frozen", 1234, &json!({ "card": 7 }))?;
/// assert_eq!(frozen.data(), r#"{"card":7}"#);
/// assert!(NewEvent::new("bank.card.frozen", 1234, &json!([7])).is_err());
/// # Ok::<(), liveness_core::Violation>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    event_type: Cow<'static, str>,
    self_service_user_id: i64,
    data: String,
    traceparent: Option<String>,
}

impl NewEvent {
    /// An event of this type about a user. `data` becomes a JSON object. Ids, outcomes and times belong into it, and nothing
    /// that names the person: an erasure does not look into events that wait.
    ///
    /// # Errors
    ///
    /// A [`Violation`] if the type is not 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`, or the data is no JSON object of at most
    /// [`LONGEST_DATA`] bytes.
    pub fn new(
        event_type: impl Into<Cow<'static, str>>,
        self_service_user_id: i64,
        data: &impl Serialize,
    ) -> Result<Self, Violation> {
        const NOT_AN_OBJECT: Violation = Violation::new("type", "the data of an event must be a JSON object");
        let event_type = event_type.into();
        if !is_name(&event_type, LONGEST_TYPE) {
            let rule = "the type of an event must be 1 to 64 of a-z, 0-9, '.', '_' and '-'";
            return Err(Violation::new("format", rule));
        }
        let data = serde_json::to_string(data).map_err(|_| NOT_AN_OBJECT)?;
        if !data.starts_with('{') {
            return Err(NOT_AN_OBJECT);
        }
        if data.len() > LONGEST_DATA {
            return Err(Violation::new(
                "length",
                "the data of an event must have at most 8192 bytes",
            ));
        }
        Ok(Self {
            event_type,
            self_service_user_id,
            data,
            traceparent: None,
        })
    }

    /// Adds the W3C `traceparent` of the request that the event comes from, so that whoever gets the event can go on with the trace.
    /// It is not looked at.
    #[must_use]
    pub fn with_traceparent(self, traceparent: Option<String>) -> Self {
        Self { traceparent, ..self }
    }

    /// What it tells.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// Whom it is about.
    pub fn self_service_user_id(&self) -> i64 {
        self.self_service_user_id
    }

    /// The `traceparent` of the request that it comes from, if there is one.
    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    /// The JSON object of it.
    pub fn data(&self) -> &str {
        &self.data
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_has_a_type_and_a_small_object() {
        let refusal =
            |event_type: &'static str, data| NewEvent::new(event_type, 1, &data).err().map(|error| error.code());
        assert_eq!(refusal("a.b_c-1", json!({})), None);
        for bad in ["", "Upper", "a b", "é"] {
            assert_eq!(refusal(bad, json!({})), Some("format"), "{bad}");
        }
        assert!(NewEvent::new("x".repeat(64), 1, &json!({})).is_ok());
        assert!(NewEvent::new("x".repeat(65), 1, &json!({})).is_err());
        for other in [json!(null), json!(1), json!("text"), json!([])] {
            assert_eq!(refusal("a", other), Some("type"));
        }
        // `{"a":""}` has 8 bytes.
        let of = |letters| json!({ "a": "x".repeat(letters) });
        assert_eq!(refusal("a", of(LONGEST_DATA - 8)), None);
        assert_eq!(refusal("a", of(LONGEST_DATA - 7)), Some("length"));
    }
}
