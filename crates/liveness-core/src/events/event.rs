//! An event that waits for a subscription.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::value::RawValue;

use super::NewEvent;
use crate::Timestamp;

/// The id of an event: `evt_` and 22 characters of base64url, which are 128 random bits. It is the same for all subscriptions, and
/// in every attempt to deliver it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventId(String);

impl EventId {
    /// The id of these bits, which are random.
    ///
    /// ```
    /// use liveness_core::events::EventId;
    ///
    /// assert_eq!(EventId::of_bits([0; 16]).as_str(), "evt_AAAAAAAAAAAAAAAAAAAAAA");
    /// ```
    pub fn of_bits(bits: [u8; 16]) -> Self {
        Self(format!("evt_{}", URL_SAFE_NO_PAD.encode(bits)))
    }

    /// The id as the database has it.
    #[cfg(feature = "store")]
    pub(crate) fn stored(id: String) -> Self {
        Self(id)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event that waits for a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id, by which a subscriber that gets it twice can tell.
    pub id: EventId,
    /// What it tells, such as `liveness.user.passed`.
    pub event_type: String,
    /// When that happened.
    pub at: Timestamp,
    /// Whom it is about. The events of a user come in their order.
    pub self_service_user_id: i64,
    /// The JSON object of it.
    pub data: String,
    /// The W3C `traceparent` of the request that it comes from, if that had one.
    pub traceparent: Option<String>,
    /// How many times it was tried and failed.
    pub attempts: u32,
    /// Its row. Two subscriptions have two rows of one event.
    pub(crate) row: i64,
}

impl Event {
    /// An event that no store has, such as one of a test.
    pub fn without_store(new: &NewEvent, id: EventId, at: Timestamp) -> Self {
        Self {
            id,
            event_type: new.event_type().to_owned(),
            at,
            self_service_user_id: new.self_service_user_id(),
            data: new.data().to_owned(),
            traceparent: new.traceparent().map(str::to_owned),
            attempts: 0,
            row: 0,
        }
    }

    /// The body in JSON: `{"type", "timestamp", "data"}`. It is the same in every attempt.
    ///
    /// # Errors
    ///
    /// When the data is no JSON, which [`NewEvent`] rules out.
    pub fn body(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: &'a str,
            timestamp: Timestamp,
            data: &'a RawValue,
        }
        serde_json::to_string(&Body {
            r#type: &self.event_type,
            timestamp: self.at,
            data: serde_json::from_str(&self.data)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_type_time_and_data() {
        let event = Event {
            id: EventId("evt_1".to_owned()),
            event_type: "liveness.user.passed".to_owned(),
            at: "2026-03-22T14:00:05Z".parse().unwrap(),
            self_service_user_id: 1234,
            data: r#"{"checkId":7,"userId":1234,"outcome":null}"#.to_owned(),
            traceparent: None,
            attempts: 0,
            row: 1,
        };
        let expected = r#"{"type":"liveness.user.passed","timestamp":"2026-03-22T14:00:05Z","data":{"checkId":7,"userId":1234,"outcome":null}}"#;
        assert_eq!(event.body().unwrap(), expected);
    }
}
