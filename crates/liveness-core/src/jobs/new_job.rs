//! A job that is asked for.

use serde_json::Value;

use super::kind::JobKind;
use crate::Timestamp;

/// A job to be kept and run.
///
/// ```
/// use liveness_core::jobs::{JobKind, NewJob};
/// use serde_json::json;
///
/// const DELIVER: JobKind = JobKind::new("webhook.deliver");
/// let job = NewJob::of(DELIVER).with_key("event-17").with_payload(json!({ "event": 17 }));
/// assert_eq!(job.run_at, None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Which handler runs it.
    pub kind: JobKind,
    /// At most one job of a kind and a key waits. If one does already, this one is not added. If it runs, it runs once more
    /// afterwards.
    pub key: Option<String>,
    /// What the handler needs to know. It names no person, because it is not erased with them.
    pub payload: Value,
    /// When it is due. `None`: now.
    pub run_at: Option<Timestamp>,
}

impl NewJob {
    /// A job that is due now, without key and payload.
    pub fn of(kind: JobKind) -> Self {
        Self {
            kind,
            key: None,
            payload: Value::Null,
            run_at: None,
        }
    }

    /// The same with a key, of at most 255 characters.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    /// The same with a payload.
    #[must_use]
    pub fn with_payload(self, payload: Value) -> Self {
        Self { payload, ..self }
    }

    /// The same, due at this time.
    #[must_use]
    pub fn due_at(self, run_at: Timestamp) -> Self {
        Self {
            run_at: Some(run_at),
            ..self
        }
    }
}
