//! For tests only: the report of an honest phone, and helpers that run a table of cases.

use serde_json::Value;
use serde_json::value::RawValue;

use super::Seen;
use crate::verdict::{Facts, IssuedSession, Picture, Reuse, SessionBinding, Unbound};
use crate::{
    CaptureMetrics, ChallengeCount, Challenges, Claims, FaceImage, LightingValue, NewLivenessCheck, ReceivedObject,
    SessionDuration, SessionId, SessionMetrics, Timestamp, UserReference,
};

/// 2026-03-22T14:00:05Z
pub(in crate::verdict) const NOW: i64 = 1_774_188_005_000;

/// What a case is, what it changes of the honest report, and what the rule then says.
pub(in crate::verdict) type Case = (&'static str, fn(&mut Sample), Option<Seen>);

/// The rule says nothing.
pub(in crate::verdict) fn silent() -> Option<Seen> {
    None
}

/// The rule speaks.
pub(in crate::verdict) fn says(saw: Value, bound: Value) -> Option<Seen> {
    Some(Seen { saw, bound })
}

/// Tries each case with a rule.
pub(in crate::verdict) fn try_cases(cases: impl IntoIterator<Item = Case>, rule: impl Fn(&Facts<'_>) -> Option<Seen>) {
    for (name, change, expected) in cases {
        let mut sample = Sample::honest();
        change(&mut sample);
        assert_eq!(rule(&sample.facts()), expected, "{name}");
    }
}

/// What the facts of a case refer to.
#[derive(Debug)]
pub(in crate::verdict) struct Sample {
    pub(in crate::verdict) check: NewLivenessCheck,
    pub(in crate::verdict) recorded_at: Timestamp,
    pub(in crate::verdict) session: SessionBinding,
    pub(in crate::verdict) picture: Option<Picture>,
    pub(in crate::verdict) reuse: Option<Reuse>,
    pub(in crate::verdict) last_light: Option<f64>,
}

impl Sample {
    /// What the example of `docs/api.md#submitlivenesscheckcommand` says, ten seconds after its session was issued.
    pub(in crate::verdict) fn honest() -> Self {
        Self {
            check: honest_check(),
            recorded_at: at(0),
            session: SessionBinding::Bound(IssuedSession {
                session_id: "lvs_AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
                challenges: ["BLINK", "SMILE", "TURN_LEFT"].map(str::to_owned).to_vec(),
                issued_at: at(-10_000),
                expires_at: at(290_000),
            }),
            picture: Some(Picture::Decoded {
                width: 480,
                height: 640,
            }),
            reuse: None,
            last_light: None,
        }
    }

    pub(in crate::verdict) fn facts(&self) -> Facts<'_> {
        Facts {
            check: &self.check,
            recorded_at: self.recorded_at,
            session: &self.session,
            picture: self.picture,
            reuse: self.reuse,
            last_light: self.last_light,
        }
    }

    /// Without an issued session.
    pub(in crate::verdict) fn unbind(&mut self) {
        self.session = SessionBinding::Unbound(Unbound::NotNamed);
    }

    /// With a session of these challenges, so long before the record.
    pub(in crate::verdict) fn issue(&mut self, challenges: &[&str], millis_ago: i64) {
        self.session = SessionBinding::Bound(IssuedSession {
            session_id: "lvs_AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            challenges: challenges.iter().map(|&name| name.to_owned()).collect(),
            issued_at: at(-millis_ago),
            expires_at: at(300_000 - millis_ago),
        });
    }

    /// What the report tells of challenges: how many, which were presented, which were completed.
    pub(in crate::verdict) fn tells(&mut self, count: Option<i64>, lists: [Option<&[&str]>; 2]) {
        let [presented, completed] = lists.map(|list| list.map(challenges));
        self.check.metrics.challenge_count = count.map(|count| ChallengeCount::new(count).unwrap());
        self.check.metrics.challenges = presented;
        self.check.metrics.completed_challenges = completed;
    }

    /// How long run, final capture and image took.
    pub(in crate::verdict) fn lasts(&mut self, millis: [Option<i64>; 3]) {
        let [run, capture, image] =
            millis.map(|millis| millis.map(|millis| SessionDuration::from_millis(millis).unwrap()));
        self.check.metrics.run.session_duration = run;
        self.check.metrics.final_capture.session_duration = capture;
        self.check.image_metrics.session_duration = image;
    }
}

/// So many milliseconds after now.
pub(in crate::verdict) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(NOW + millis).unwrap()
}

pub(in crate::verdict) fn light(value: f64) -> Option<LightingValue> {
    Some(LightingValue::new(value).unwrap())
}

pub(in crate::verdict) fn object(json: &str) -> Option<ReceivedObject> {
    let raw = RawValue::from_string(json.to_owned()).unwrap();
    Some(ReceivedObject::parse(raw).unwrap())
}

fn challenges(names: &[&str]) -> Challenges {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    Challenges::parse(&names).unwrap()
}

fn honest_check() -> NewLivenessCheck {
    let capture = |millis, lighting| CaptureMetrics {
        verification_result: Some(true),
        session_duration: SessionDuration::from_millis(millis).ok(),
        lighting_value: light(lighting),
    };
    NewLivenessCheck {
        user: Claims::of(UserReference::Id(1234)).to_user(1234),
        session_id: SessionId::parse("sdk-session-abc123").unwrap(),
        issued_session_id: None,
        is_successful: true,
        metrics: SessionMetrics {
            timestamp: Some(NOW - 5_500),
            completed_at: Some(at(-1_000)),
            run: capture(4200, 0.93),
            challenge_count: ChallengeCount::new(3).ok(),
            completed_challenges: Some(challenges(&["BLINK", "SMILE", "TURN_LEFT"])),
            challenges: Some(challenges(&["BLINK", "SMILE", "TURN_LEFT"])),
            final_capture: capture(1100, 0.95),
        },
        image_metrics: capture(900, 0.91),
        metadata: object(r#"{"antiSpoofingDetection": {"screenGlareDetected": false}}"#),
        image_metadata: object("{}"),
        image: Some(FaceImage::from_base64("/9j/wAALCAABAAEBAREA").unwrap()),
        image_path: None,
        device: None,
        client_address: None,
        attestation: None,
        created_at: at(0),
    }
}
