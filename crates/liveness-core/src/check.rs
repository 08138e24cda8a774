//! One liveness check, before and after it is recorded.

use std::net::IpAddr;

use serde::Serialize;

use crate::{
    Attestation, CaptureMetrics, ChallengeCount, Challenges, CompletionRule, FaceImage, ImagePath, ReceivedObject,
    SessionId, Timestamp, User,
};

/// The SDK's measurements of the whole run: the known fields of `metadata`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionMetrics {
    /// Milliseconds since the Unix epoch by the phone's clock. Never negative.
    pub timestamp: Option<i64>,
    /// When the run ended, by the phone's clock.
    pub completed_at: Option<Timestamp>,
    /// Outcome, duration and lighting of the run.
    pub run: CaptureMetrics,
    /// How many challenges were presented.
    pub challenge_count: Option<ChallengeCount>,
    /// The challenges that the user completed.
    pub completed_challenges: Option<Challenges>,
    /// The challenges that were presented.
    pub challenges: Option<Challenges>,
    /// The SDK's measurements of the final picture.
    pub final_capture: CaptureMetrics,
}

/// A check that is not recorded yet.
#[derive(Debug, Clone)]
pub struct NewLivenessCheck {
    /// The user that the check belongs to.
    pub user: User,
    /// The SDK's session.
    pub session_id: SessionId,
    /// Whether the SDK calls it a success.
    pub is_successful: bool,
    /// The SDK's measurements of the run.
    pub metrics: SessionMetrics,
    /// The SDK's measurements of the image.
    pub image_metrics: CaptureMetrics,
    /// `metadata` as received.
    pub metadata: Option<ReceivedObject>,
    /// `imageMetadata` as received.
    pub image_metadata: Option<ReceivedObject>,
    /// The face.
    pub image: Option<FaceImage>,
    /// The path of an image that was uploaded separately.
    pub image_path: Option<ImagePath>,
    /// The device that sent the check.
    pub device: Option<DeviceInfo>,
    /// The address that the check came from.
    pub client_address: Option<IpAddr>,
    /// What another service attests of the phone and the app. A fact for the verdict, which is not stored.
    pub attestation: Option<Attestation>,
    /// The time of the check, by the server's clock.
    pub created_at: Timestamp,
}

impl NewLivenessCheck {
    /// Whether this check alone is enough to pass, under [`CompletionRule::AnySuccessful`].
    pub fn passed(&self) -> bool {
        CompletionRule::AnySuccessful.accepts(self.is_successful, self.metrics.run.verification_result)
    }
}

/// The device that sent a check, by the headers of the request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    /// `User-Agent`
    pub user_agent: Option<String>,
    /// `X-Device-Platform`
    pub device_platform: Option<String>,
    /// `X-App-Version`
    pub app_version: Option<String>,
}

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
    /// The device that sent the check, as JSON text: a [`DeviceInfo`].
    pub device_info: Option<String>,
    /// The address that the check came from.
    pub client_ip: Option<String>,
    /// When the run ended, by the phone's clock.
    pub completed_at: Option<Timestamp>,
    /// When the check was recorded, by the server's clock.
    pub created_at: Timestamp,
    /// When its face was erased.
    pub face_erased_at: Option<Timestamp>,
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
