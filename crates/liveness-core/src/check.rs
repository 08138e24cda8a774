//! One liveness check once it is recorded.

use crate::verdict::{IssuedSession, Verdict, VerdictOutcome};
use crate::{Decision, Decisions, FaceImage, ReceivedObject, Timestamp};

/// A recorded check, without its image. The fields hold the values of the columns, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct LivenessCheck {
    /// The id of the record, from 1.
    pub id: i64,
    /// `SelfServiceUser.Id` of the user that the check belongs to.
    pub self_service_user_id: i64,
    /// The pre-registration that the user came from.
    pub pre_registration_id: Option<i64>,
    /// The SDK's session.
    pub session_id: String,
    /// Whether the SDK called it a success.
    pub is_successful: bool,
    /// Whether the SDK took it for a real person.
    pub verification_result: Option<bool>,
    /// How long the run took, in milliseconds.
    pub session_duration: Option<i32>,
    /// How well lit the face was, 0 to 1.
    pub lighting_value: Option<f64>,
    /// How many challenges were presented.
    pub challenge_count: Option<i32>,
    /// The challenges that the user completed.
    pub completed_challenges: Option<Vec<String>>,
    /// Whether the SDK took the final picture for a real face.
    pub final_capture_verification_result: Option<bool>,
    /// Whether the SDK took the image for a real face.
    pub image_verification_result: Option<bool>,
    /// Whether a face is stored with the check. False once it was erased.
    pub has_image: bool,
    /// The path of an image that was uploaded separately.
    pub image_path: Option<String>,
    /// The device that sent the check, as JSON text: a [`DeviceInfo`](crate::DeviceInfo).
    pub device_info: Option<String>,
    /// The address that the check came from.
    pub client_ip: Option<String>,
    /// When the run ended, by the phone's clock.
    pub completed_at: Option<Timestamp>,
    /// When the check was recorded, by the server's clock.
    pub created_at: Timestamp,
    /// When its face was erased.
    pub face_erased_at: Option<Timestamp>,
    /// What the rules made of it. `None` if it is from before records were judged.
    pub verdict: Option<VerdictOutcome>,
    /// The latest decision that counts.
    pub decision: Option<Decision>,
}

impl LivenessCheck {
    /// Whether the record stands: the latest decision that counts approves it, or there is none and the verdict is accepted.
    pub fn stands(&self) -> bool {
        match self.decision {
            Some(decision) => decision == Decision::Approve,
            None => self.verdict == Some(VerdictOutcome::Accepted),
        }
    }
}

/// The recorded details that lists leave out.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckDetails {
    /// The challenges that were presented.
    pub challenges: Option<Vec<String>>,
    /// How long the final capture took, in milliseconds.
    pub final_capture_session_duration: Option<i32>,
    /// How well lit the face was in the final capture, 0 to 1.
    pub final_capture_lighting_value: Option<f64>,
    /// How long the capture of the image took, in milliseconds.
    pub image_session_duration: Option<i32>,
    /// How well lit the face is in the image, 0 to 1.
    pub image_lighting_value: Option<f64>,
    /// `metadata` as received.
    pub metadata: Option<ReceivedObject>,
    /// `imageMetadata` as received.
    pub image_metadata: Option<ReceivedObject>,
    /// The verdict. `None` if the record is from before records were judged.
    pub verdict: Option<Verdict>,
    /// The session of the server that the record used up.
    pub issued_session: Option<IssuedSession>,
}

/// Everything that is stored about one check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckEvidence {
    /// The record.
    pub check: LivenessCheck,
    /// The details that lists leave out.
    pub details: CheckDetails,
    /// The face.
    pub face: Option<KeptFace>,
    /// What is known of the face's erasure, if it was erased.
    pub erasure: Option<FaceErasure>,
    /// Since when nothing of the user may be erased.
    pub held_since: Option<Timestamp>,
    /// All decisions about it.
    pub decisions: Decisions,
}

/// A face that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptFace {
    /// The face.
    pub image: FaceImage,
    /// SHA-256 of the bytes as they are kept.
    pub digest: [u8; 32],
}

/// The erasure of a face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceErasure {
    /// SHA-256 of the bytes that were kept.
    pub digest: [u8; 32],
    /// When.
    pub erased_at: Timestamp,
    /// Why, in the words of who erased it.
    pub because: String,
}
