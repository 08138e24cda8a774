//! Judges stored records anew by another policy, and changes nothing.
//!
//! A rule that needs what is not stored, such as the picture itself, says what it said when the record was judged.

use std::sync::Arc;

use diesel::prelude::*;

use crate::policy::{Effect, Policy};
use crate::store::engine::clock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::queue::read_pool::ReadPool;
use crate::store::tables::judgment;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::store::tables::stored_check::StoredCheck;
use crate::verdict::{Facts, Picture, Reason, SessionBinding, Unbound, Verdict, VerdictOutcome, judge};
use crate::{
    CaptureMetrics, ChallengeCount, Challenges, Claims, ImagePath, LightingValue, NewLivenessCheck, ReceivedObject,
    SessionDuration, SessionId, SessionMetrics, Timestamp, UserReference, Violation,
};

/// What another policy makes of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejudged {
    /// The id of the record.
    pub id: i64,
    /// What it was judged to be when it was recorded. `None` if it was not judged.
    pub was: Option<VerdictOutcome>,
    /// What the other policy makes of it.
    pub would_be: Verdict,
}

/// Judges all stored records by another policy, some at a time, in the order of their ids.
#[derive(Debug)]
pub struct Rejudging {
    reads: Arc<ReadPool>,
    policy: Arc<Policy>,
    /// Made once: it costs more than to judge a record.
    version: Arc<str>,
    after: i64,
}

impl Rejudging {
    pub(super) fn new(reads: &Arc<ReadPool>, policy: Policy) -> Self {
        Self {
            reads: Arc::clone(reads),
            version: policy.version().into(),
            policy: Arc::new(policy),
            after: 0,
        }
    }

    /// Judges the next records, at most `limit`. There are none behind the last one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. The next call begins where this one began.
    pub async fn next(&mut self, limit: i64) -> Result<Vec<Rejudged>, StoreError> {
        let (policy, version, after) = (Arc::clone(&self.policy), Arc::clone(&self.version), self.after);
        let read = move |conn: &mut Connection<'_>| rejudge(conn, (&policy, &version), after, limit);
        let judged = self.reads.read(read).await?;
        self.after = judged.last().map_or(after, |last| last.id);
        Ok(judged)
    }
}

fn rejudge(
    conn: &mut Connection<'_>,
    (policy, version): (&Policy, &str),
    after: i64,
    limit: i64,
) -> Result<Vec<Rejudged>, StoreError> {
    let next = dsl::liveness_checks
        .filter(dsl::id.gt(after))
        .order(dsl::id)
        .limit(limit);
    let stored: Vec<StoredCheck> = on_either!(conn, |conn| next.select(StoredCheck::as_select()).load(*conn))?;
    let judged = stored.iter().map(|stored| one(stored, policy, version));
    judged.collect()
}

fn one(stored: &StoredCheck, policy: &Policy, version: &str) -> Result<Rejudged, StoreError> {
    let columns = &stored.judgment;
    let then = columns.verdict.zip(columns.policy.as_deref());
    let then = then.map(|(outcome, policy)| judgment::verdict(outcome, policy, columns.reasons.as_deref()));
    let then = then.transpose()?;
    let said = then.as_ref().map_or(&[][..], |verdict| &verdict.reasons);
    let session = match columns.issued_session.as_deref() {
        Some(json) => SessionBinding::Bound(judgment::issued_session(json)?),
        None => SessionBinding::Unbound(unbound(said)),
    };
    let check = report(stored)?;
    let facts = Facts {
        check: &check,
        recorded_at: check.created_at,
        session: &session,
        picture: picture(stored, said),
        reuse: None,
        last_light: None,
    };
    let mut reasons = judge(&facts, policy, version).reasons;
    let kept = said.iter().filter_map(|reason| said_again(reason, policy));
    let kept: Vec<_> = kept
        .filter(|kept| reasons.iter().all(|reason| reason.code != kept.code))
        .collect();
    reasons.extend(kept);
    Ok(Rejudged {
        id: stored.id,
        was: then.map(|verdict| verdict.outcome),
        would_be: Verdict::of(version.to_owned(), reasons),
    })
}

/// Why a report was bound to no session, as the rule said.
fn unbound(said: &[Reason]) -> Unbound {
    let why = said.iter().find(|reason| reason.code == "session.unbound");
    let why = why.and_then(|reason| reason.saw.as_str());
    [Unbound::NotIssued, Unbound::UsedUp, Unbound::Expired]
        .into_iter()
        .find(|unbound| Some(unbound.as_str()) == why)
        .unwrap_or(Unbound::NotNamed)
}

/// What is known of the picture: its shorter side, if a rule found that too short.
fn picture(stored: &StoredCheck, said: &[Reason]) -> Option<Picture> {
    if !stored.has_image && stored.face_erased_at.is_none() {
        return None;
    }
    let broken = said.iter().find(|reason| reason.code == "image.broken");
    let side = broken.and_then(|reason| reason.saw.as_u64());
    let side = side.and_then(|side| u32::try_from(side).ok()).unwrap_or(u32::MAX);
    Some(Picture::Decoded {
        width: side,
        height: side,
    })
}

/// What a rule said of what is not stored, with its effect under another policy.
fn said_again(reason: &Reason, policy: &Policy) -> Option<Reason> {
    let rules = policy.rules();
    let effect = match reason.code.as_ref() {
        // One with a number is asked again.
        "image.broken" if reason.saw.is_string() => rules.image_broken.effect,
        "image.reused" if reason.saw.get(0).and_then(|whose| whose.as_str()) == Some("same_user") => {
            rules.image_reused.same_user
        }
        "image.reused" => rules.image_reused.effect,
        // One with a list is asked again: only the light of the last run is not stored.
        "light.constant" if reason.bound.is_number() => rules.light_constant.effect,
        "attestation.failed" => rules.attestation_failed.effect,
        _ => Effect::Off,
    };
    (effect != Effect::Off).then(|| Reason {
        effect,
        ..reason.clone()
    })
}

/// The report that a record was made of, without its image.
fn report(stored: &StoredCheck) -> Result<NewLivenessCheck, StoreError> {
    let user = stored.self_service_user_id;
    Ok(NewLivenessCheck {
        user: Claims::of(UserReference::Id(user)).to_user(user),
        session_id: SessionId::parse(&stored.session_id).map_err(unreadable)?,
        issued_session_id: None,
        is_successful: stored.is_successful,
        metrics: SessionMetrics {
            timestamp: stored.sdk_timestamp,
            completed_at: stored.completed_at.and_then(Timestamp::from_unix_millis),
            run: capture(
                stored.verification_result,
                stored.session_duration,
                stored.lighting_value,
            )?,
            challenge_count: read(stored.challenge_count.map(i64::from), ChallengeCount::new)?,
            completed_challenges: challenges(stored.completed_challenges.as_deref())?,
            challenges: challenges(stored.challenges.as_deref())?,
            final_capture: capture(
                stored.final_capture_verification_result,
                stored.final_capture_session_duration,
                stored.final_capture_lighting_value,
            )?,
        },
        image_metrics: capture(
            stored.image_verification_result,
            stored.image_session_duration,
            stored.image_lighting_value,
        )?,
        metadata: object(stored.metadata.as_deref())?,
        image_metadata: object(stored.image_metadata.as_deref())?,
        image: None,
        image_path: read(stored.image_path.as_deref(), ImagePath::parse)?,
        device: None,
        client_address: None,
        attestation: None,
        created_at: clock::stored(stored.created_at)?,
    })
}

fn capture(
    verification_result: Option<bool>,
    session_duration: Option<i64>,
    lighting_value: Option<f64>,
) -> Result<CaptureMetrics, StoreError> {
    Ok(CaptureMetrics {
        verification_result,
        session_duration: read(session_duration, SessionDuration::from_millis)?,
        lighting_value: read(lighting_value, LightingValue::new)?,
    })
}

fn challenges(json: Option<&str>) -> Result<Option<Challenges>, StoreError> {
    let list: Option<Vec<String>> = json
        .map(serde_json::from_str)
        .transpose()
        .map_err(StoreError::internal)?;
    list.map(|list| Challenges::parse(&list))
        .transpose()
        .map_err(unreadable)
}

fn object(json: Option<&str>) -> Result<Option<ReceivedObject>, StoreError> {
    let raw = json.map(|json| serde_json::value::RawValue::from_string(json.to_owned()));
    let raw = raw.transpose().map_err(StoreError::internal)?;
    raw.map(ReceivedObject::parse).transpose().map_err(unreadable)
}

fn read<S, T>(stored: Option<S>, parse: impl FnOnce(S) -> Result<T, Violation>) -> Result<Option<T>, StoreError> {
    stored.map(parse).transpose().map_err(unreadable)
}

fn unreadable(violation: Violation) -> StoreError {
    StoreError::internal(format!("a stored value breaks its rule: {violation}"))
}
