#![doc = include_str!("../README.md")]
//!
//! # Where to begin
//!
//! A [`NewLivenessCheck`] is a report that is valid, a [`LivenessCheck`] one that is recorded. The [`CompletionRule`] says when a user has
//! passed, [`policy`] and [`verdict`] what an operator makes of a report. [`UserDirectory`] is what a backend with users of its own
//! implements, and [`AuditEntry`] what each message leaves.
#![cfg_attr(feature = "store", doc = "[`store::Store`] is the only access to the database.")]
#![warn(missing_debug_implementations)]

mod attestation;
mod audit;
mod challenge_name;
mod check;
mod completion;
mod decision;
mod face_image;
mod idempotency;
mod image_header;
mod metrics;
#[cfg(feature = "store")]
mod refusal;
mod report;
#[cfg(feature = "schema")]
mod schema;
mod text;
mod time;
mod user;
mod violation;

pub mod events;
#[cfg(feature = "store")]
pub mod faces;
#[cfg(feature = "store")]
pub mod jobs;
#[cfg(feature = "pictures")]
pub mod picture;
pub mod policy;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "trail")]
pub mod trail;
pub mod verdict;

pub use attestation::Attestation;
pub use audit::{AuditEntry, AuditSubject, DecisionMade, Erased, Erasure, HoldChange, Shown};
pub use check::{CheckDetails, CheckEvidence, FaceErasure, KeptFace, LivenessCheck};
pub use completion::CompletionRule;
pub use decision::{Decider, Decision, Decisions, RecordedDecision};
pub use face_image::{FaceImage, ImageError, MediaType};
pub use idempotency::IdempotencyKey;
pub use metrics::{CaptureMetrics, ChallengeCount, LightingValue, SessionDuration};
#[cfg(feature = "store")]
pub use refusal::Refusal;
pub use report::{DeviceInfo, NewLivenessCheck, SessionMetrics};
pub use text::{Challenge, Challenges, ImagePath, Reason, ReceivedObject, SessionId, is_forbidden_control};
pub use time::{Clock, FixedClock, SteadyClock, SystemClock, Timestamp};
pub use user::{ClaimError, Claims, DirectoryError, ProvisionError, User, UserDirectory, UserReference};
pub use violation::Violation;
