//! Events: what happened, for those who act on it. `docs/api.md#events` lists ours. This room knows no database.
//! [`Store::events`](crate::store::Store::events) keeps events until each subscription has taken them.

mod event;
mod new_event;
mod subscription;

pub use self::event::{Event, EventId};
pub use self::new_event::{LONGEST_DATA, NewEvent};
pub use self::subscription::EventSubscription;

/// A check was recorded.
pub const CHECK_RECORDED: &str = "liveness.check.recorded";
/// A check was judged. The outcome is that of the verdict.
pub const CHECK_JUDGED: &str = "liveness.check.judged";
/// A person's decision about a check came into force. The outcome is the decision.
pub const CHECK_DECIDED: &str = "liveness.check.decided";
/// A user has passed who had not, by the completion rule in force.
pub const USER_PASSED: &str = "liveness.user.passed";
/// A user is locked after too many failures.
pub const USER_LOCKED: &str = "liveness.user.locked";
/// The face of a check was erased.
pub const FACE_ERASED: &str = "liveness.face.erased";

/// The types of our events.
pub const TYPES: [&str; 6] = [
    CHECK_RECORDED,
    CHECK_JUDGED,
    CHECK_DECIDED,
    USER_PASSED,
    USER_LOCKED,
    FACE_ERASED,
];

/// Whether a name can be that of a type of events or of a subscription: 1 to `longest` of a-z, 0-9, '.', '_' and '-'.
fn is_name(name: &str, longest: usize) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    (1..=longest).contains(&name.len()) && name.bytes().all(fits)
}
