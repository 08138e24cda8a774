//! The events of the liveness check, as types: `docs/api.md#events`. The store publishes them; here they are received.

use liveness_core::Timestamp;
use liveness_core::events;
use liveness_core::store::{Connection, StoreError, publish_events};
use serde::{Deserialize, Serialize};

use crate::event::Event;

/// Publishes an event in the transaction of the caller, as
/// [`publish_events`] says. After the commit, `store.events().wake()` has it delivered at once.
///
/// # Errors
///
/// [`StoreError`]. The transaction must then be rolled back.
pub fn publish_event<'a, E: Event>(
    conn: impl Into<Connection<'a>>,
    at: Timestamp,
    event: &E,
) -> Result<(), StoreError> {
    let new = event
        .to_new()
        .map_err(|violation| StoreError::Internal(std::sync::Arc::new(violation)))?;
    publish_events(conn, at, &[new])
}

/// Defines a type of our events.
macro_rules! event {
    ($(#[$doc:meta])* $Name:ident is $TYPE:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $Name {
            /// The record.
            pub check_id: i64,
            /// The user of the record.
            pub user_id: i64,
            /// The verdict, or the decision, if the event tells of one.
            pub outcome: Option<String>,
        }

        impl Event for $Name {
            const TYPE: &'static str = events::$TYPE;

            fn self_service_user_id(&self) -> i64 {
                self.user_id
            }
        }
    };
}

event! {
    /// A check was recorded.
    LivenessCheckRecorded is CHECK_RECORDED
}
event! {
    /// A check was judged. The outcome is `accepted`, `review` or `rejected`.
    LivenessCheckJudged is CHECK_JUDGED
}
event! {
    /// A decision about a check came into force. The outcome is `approve`, `reject` or `ask_again`.
    LivenessCheckDecided is CHECK_DECIDED
}
event! {
    /// A user has passed who had not. The record is the one by which they did.
    UserPassed is USER_PASSED
}
event! {
    /// A user is locked after too many failures. The record is the last failure.
    UserLocked is USER_LOCKED
}
event! {
    /// The face of a check was erased.
    FaceErasedEvent is FACE_ERASED
}
