//! Sample values to record, and helpers to make calls.

use aws_lc_rs::digest::{SHA256, digest};
use liveness_core::store::{DecisionOrder, ErasureOrder, Recording};
use liveness_core::{
    AuditEntry, AuditSubject, CaptureMetrics, Claims, Decision, FaceImage, IdempotencyKey, KeptFace, NewLivenessCheck,
    Reason, SessionId, SessionMetrics, Timestamp, UserReference,
};

/// 2026-03-22T14:00:05Z
pub(crate) const NOW: i64 = 1_774_188_005_000;
pub(crate) const HOUR: i64 = 60 * 60 * 1000;

pub(crate) fn at(unix_millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(unix_millis).unwrap()
}

/// A successful check without any optional field.
pub(crate) fn recording(user: i64, session: &str) -> Recording {
    Recording {
        check: NewLivenessCheck {
            user: Claims::of(UserReference::Id(user)).to_user(user),
            session_id: SessionId::parse(session).unwrap(),
            issued_session_id: None,
            is_successful: true,
            metrics: SessionMetrics::default(),
            image_metrics: CaptureMetrics::default(),
            metadata: None,
            image_metadata: None,
            image: None,
            image_path: None,
            device: None,
            client_address: None,
            attestation: None,
            created_at: at(NOW),
        },
        audit_entry: audit_entry(user),
        command: "SubmitLivenessCheckCommand",
        idempotency_key: None,
        traceparent: None,
    }
}

/// A successful check under an idempotency key, whose request had this body.
pub(crate) fn keyed(user: i64, session: &str, key: &str, body: &str) -> Recording {
    Recording {
        idempotency_key: Some(IdempotencyKey::parse(key, body.as_bytes()).unwrap()),
        ..recording(user, session)
    }
}

/// The recording with another time.
pub(crate) fn made_at(unix_millis: i64, recording: Recording) -> Recording {
    let mut recording = recording;
    recording.check.created_at = at(unix_millis);
    recording
}

/// The recording with a face.
pub(crate) fn with_face(recording: Recording) -> Recording {
    let mut recording = recording;
    recording.check.image = Some(jpeg());
    recording
}

pub(crate) fn audit_entry(user: i64) -> AuditEntry {
    AuditEntry {
        at: at(NOW),
        request_id: "request-1".into(),
        principal: user.to_string(),
        issuer: Some("https://issuer.example".into()),
        actor: Some("cli:root".into()),
        roles: "customer".into(),
        self_service_user_id: Some(user),
        message: "SubmitLivenessCheckCommand".into(),
        outcome: "00".into(),
        client_address: None,
        subject: AuditSubject::default(),
    }
}

/// An officer's order to erase, place or lift.
pub(crate) fn order() -> ErasureOrder {
    ErasureOrder {
        reason: Reason::parse("Request 2026-118").unwrap(),
        entry: AuditEntry {
            at: at(NOW + HOUR),
            request_id: "request-2".into(),
            principal: "officer-1".into(),
            roles: "officer".into(),
            self_service_user_id: None,
            message: "EraseFaceCommand".into(),
            ..audit_entry(1)
        },
        traceparent: None,
    }
}

/// The decision of a reviewer who was shown so many.
pub(crate) fn decision(check_id: i64, reviewer: &str, decision: Decision, seen: i64) -> DecisionOrder {
    DecisionOrder {
        liveness_check_id: check_id,
        decision,
        reason: Reason::parse("Looks like the passport").unwrap(),
        seen,
        own_user: None,
        entry: AuditEntry {
            at: at(NOW + HOUR),
            request_id: "request-3".into(),
            principal: reviewer.to_owned(),
            actor: None,
            roles: "admin".into(),
            self_service_user_id: None,
            message: "ReviewLivenessCheckCommand".into(),
            ..audit_entry(1)
        },
        traceparent: None,
    }
}

/// The beginning of a JPEG of one pixel, up to the end of its frame header.
const HEADER: &[u8] = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0";

/// An image with the header of a JPEG. It contains every byte.
pub(crate) fn jpeg() -> FaceImage {
    let every_byte = (0..=255).cycle().take(70_000);
    FaceImage::from_bytes(HEADER.iter().copied().chain(every_byte).collect()).unwrap()
}

/// The face as the store gives it back.
pub(crate) fn kept(image: FaceImage) -> KeptFace {
    let digest = digest(&SHA256, image.bytes()).as_ref().try_into().unwrap();
    KeptFace { image, digest }
}

/// Runs calls at the same time. Returns their answers in the order of the calls.
pub(crate) async fn at_once<Call>(calls: impl IntoIterator<Item = Call>) -> Vec<Call::Output>
where
    Call: Future<Output: Send + 'static> + Send + 'static,
{
    let running: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::new();
    for call in running {
        answers.push(call.await.unwrap());
    }
    answers
}

/// Marsaglia's xorshift64. Its numbers are pseudo-random, and the same in every run.
pub(crate) struct Xorshift(pub(crate) u64);

impl Xorshift {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    pub(crate) fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}
