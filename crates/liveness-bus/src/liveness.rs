//! The messages of the liveness check. Each has one file: message, rules, handler, tests.
//!
//! Customers send three commands and three queries, administrators send two commands and three queries, officers send four
//! commands, auditors send one query. `docs/api.md` describes their fields and replies.

mod challenge_list;
mod check_liveness_status;
mod erase_face;
mod erase_user;
mod erasure_order;
mod event_delivery;
mod events;
mod get_liveness_check;
mod get_receipt;
mod get_user_liveness_check;
mod handler_state;
mod image_base64;
mod judgment;
mod lift_legal_hold;
mod liveness_report;
mod optional_text;
mod own_user;
mod paging;
mod place_legal_hold;
mod record_liveness_check;
mod retrieve_audit_entries;
mod retrieve_liveness_checks;
mod retrieve_my_liveness_checks;
mod review_liveness_check;
mod roles;
mod shown;
mod start_liveness_session;
mod store_adapter;
mod submit_liveness_check;
mod time_span;
mod unlock_user;
mod update_liveness_check;
mod validators;

use crate::{Meta, Module};

pub use challenge_list::ChallengeList;
pub use check_liveness_status::{CheckLivenessStatusQuery, LivenessStatus};
pub use erase_face::{EraseFaceCommand, FaceErased};
pub use erase_user::{EraseUserCommand, UserErased};
pub use event_delivery::{StartEventsError, event_deliveries, start_events, subscribe};
pub use events::{
    FaceErasedEvent, LivenessCheckDecided, LivenessCheckJudged, LivenessCheckRecorded, UserLocked, UserPassed,
    publish_event,
};
pub use get_liveness_check::{Face, GetLivenessCheckQuery, LivenessCheckDetails, RecordedLivenessCheck};
pub use get_receipt::{GetReceiptQuery, SignedReceipt};
pub use get_user_liveness_check::{GetUserLivenessCheckQuery, LivenessCheckView, UserLivenessCheck};
pub use handler_state::{Liveness, Settings};
pub use image_base64::ImageBase64;
pub use judgment::{
    DecisionOutcome, DecisionView, EffectView, IssuedSessionView, ReasonView, VerdictOutcome, VerdictView,
};
pub use lift_legal_hold::{LegalHoldLifted, LiftLegalHoldCommand};
pub use liveness_report::{CaptureMetricsReport, LivenessReport, SessionMetricsReport};
pub use place_legal_hold::{LegalHoldPlaced, PlaceLegalHoldCommand};
pub use record_liveness_check::Receipt;
pub use retrieve_audit_entries::{AuditEntryItem, AuditEntryPage, AuditShown, RetrieveAuditEntriesQuery};
pub use retrieve_liveness_checks::{LivenessCheckItem, LivenessCheckPage, RetrieveLivenessChecksQuery};
pub use retrieve_my_liveness_checks::{Look, MyLivenessCheck, MyLivenessCheckPage, RetrieveMyLivenessChecksQuery};
pub use review_liveness_check::{LivenessCheckReviewed, ReviewLivenessCheckCommand};
pub use roles::{ADMIN, AUDITOR, CUSTOMER, OFFICER};
pub use start_liveness_session::{LivenessSessionStarted, StartLivenessSessionCommand};
pub use submit_liveness_check::SubmitLivenessCheckCommand;
pub use unlock_user::{UnlockUserCommand, UserUnlocked};
pub use update_liveness_check::UpdateLivenessCheckCommand;

/// The messages that [`module`] handles.
pub const MESSAGES: [Meta; 16] = [
    Meta::of::<StartLivenessSessionCommand>(),
    Meta::of::<SubmitLivenessCheckCommand>(),
    Meta::of::<UpdateLivenessCheckCommand>(),
    Meta::of::<CheckLivenessStatusQuery>(),
    Meta::of::<GetUserLivenessCheckQuery>(),
    Meta::of::<GetLivenessCheckQuery>(),
    Meta::of::<RetrieveLivenessChecksQuery>(),
    Meta::of::<RetrieveMyLivenessChecksQuery>(),
    Meta::of::<GetReceiptQuery>(),
    Meta::of::<RetrieveAuditEntriesQuery>(),
    Meta::of::<ReviewLivenessCheckCommand>(),
    Meta::of::<EraseFaceCommand>(),
    Meta::of::<EraseUserCommand>(),
    Meta::of::<PlaceLegalHoldCommand>(),
    Meta::of::<LiftLegalHoldCommand>(),
    Meta::of::<UnlockUserCommand>(),
];

/// The module with the messages and their handlers.
pub fn module(liveness: Liveness) -> Module {
    Module::new("liveness")
        .declare(&MESSAGES)
        .handle::<StartLivenessSessionCommand>(liveness.clone())
        .handle::<SubmitLivenessCheckCommand>(liveness.clone())
        .handle::<UpdateLivenessCheckCommand>(liveness.clone())
        .handle::<CheckLivenessStatusQuery>(liveness.clone())
        .handle::<GetUserLivenessCheckQuery>(liveness.clone())
        .handle::<GetLivenessCheckQuery>(liveness.clone())
        .handle::<RetrieveLivenessChecksQuery>(liveness.clone())
        .handle::<RetrieveMyLivenessChecksQuery>(liveness.clone())
        .handle::<GetReceiptQuery>(liveness.clone())
        .handle::<RetrieveAuditEntriesQuery>(liveness.clone())
        .handle::<ReviewLivenessCheckCommand>(liveness.clone())
        .handle::<EraseFaceCommand>(liveness.clone())
        .handle::<EraseUserCommand>(liveness.clone())
        .handle::<PlaceLegalHoldCommand>(liveness.clone())
        .handle::<LiftLegalHoldCommand>(liveness.clone())
        .handle::<UnlockUserCommand>(liveness)
}
