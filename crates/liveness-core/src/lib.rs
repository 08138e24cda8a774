//! The domain of liveness checks: what a check is, when a user has passed, and where it is kept.
//!
//! Plain types that cannot be wrong once built, the two [completion rules](CompletionRule), the
//! [audit entry](AuditEntry), the [user directory](UserDirectory), and the [`store`], which is the
//! only door to the database. There is no HTTP here, no token and no message bus.

#![warn(missing_debug_implementations)]

mod audit;
mod check;
mod completion;
mod face_image;
mod idempotency;
mod metrics;
#[cfg(feature = "schema")]
mod schema;
mod text;
mod time;
mod user;
mod violation;

#[cfg(feature = "store")]
pub mod store;

pub use audit::AuditEntry;
pub use check::{CheckDetails, CheckEvidence, DeviceInfo, LivenessCheck, NewLivenessCheck, SessionMetrics};
pub use completion::CompletionRule;
pub use face_image::{FaceImage, ImageError, MediaType};
pub use idempotency::IdempotencyKey;
pub use metrics::{CaptureMetrics, ChallengeCount, LightingValue, SessionDuration};
pub use text::{Challenge, Challenges, ImagePath, ReceivedObject, SessionId, is_forbidden_control};
pub use time::{Clock, FixedClock, SystemClock, Timestamp};
pub use user::{Claims, DirectoryError, User, UserDirectory, UserReference};
pub use violation::Violation;
