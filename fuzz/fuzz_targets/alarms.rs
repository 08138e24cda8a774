//! Alarms of the SDK in any JSON object, against a walk over its values.

#![no_main]

use std::fmt;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use liveness_core::policy::Policy;
use liveness_core::verdict::{Facts, SessionBinding, Unbound, judge};
use liveness_core::{
    CaptureMetrics, Claims, NewLivenessCheck, ReceivedObject, SessionId, SessionMetrics, Timestamp, UserReference,
};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Short names, so that they are found soon.
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    Policy::parse(
        "base = \"record\"\n[rules]\n\"alarm.flash\" = { names = [\"a\", \"é\"] }\n\"alarm.motion\" = { names = [\"a\\\"b\"] }\n\
         \"alarm.depth\" = { names = [\"true\"] }\n\"alarm.glare\" = \"off\"\n",
    )
    .unwrap()
});

/// The fields of an object in their order, also those that are there twice. A name with half of a surrogate pair is none.
struct Fields<'a>(Vec<(Option<String>, &'a RawValue)>);

struct Name(Option<String>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Name, E> {
                Ok(Name(String::from_utf8(bytes.to_vec()).ok()))
            }
        }

        // As bytes, serde_json takes half of a surrogate pair too.
        deserializer.deserialize_bytes(Bytes)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// The names of all fields that are true, by a walk that parses each value.
fn walk(json: &RawValue, names: &mut Vec<String>) {
    match json.get().as_bytes()[0] {
        b'{' => {
            for (name, value) in serde_json::from_str::<Fields<'_>>(json.get()).unwrap().0 {
                let text = || serde_json::from_str::<String>(value.get());
                let is_true = value.get() == "true" || text().is_ok_and(|text| text.eq_ignore_ascii_case("true"));
                names.extend(name.filter(|_| is_true));
                walk(value, names);
            }
        }
        b'[' => {
            for value in serde_json::from_str::<Vec<&RawValue>>(json.get()).unwrap() {
                walk(value, names);
            }
        }
        _ => {}
    }
}

fn expected(json: &RawValue) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut names = Vec::new();
    walk(json, &mut names);
    let rules = POLICY.rules();
    let rules = [
        ("alarm.flash", &rules.alarm_flash),
        ("alarm.motion", &rules.alarm_motion),
        ("alarm.depth", &rules.alarm_depth),
        ("alarm.contours", &rules.alarm_contours),
    ];
    let heard = rules.into_iter().map(|(code, rule)| {
        let meant = rule
            .names
            .iter()
            .filter(|meant| names.iter().any(|name| meant.eq_ignore_ascii_case(name)));
        let mut meant: Vec<_> = meant.map(String::as_str).collect();
        meant.sort_unstable();
        (code, meant)
    });
    heard.filter(|(_, names)| !names.is_empty()).collect()
}

fn check(metadata: ReceivedObject) -> NewLivenessCheck {
    NewLivenessCheck {
        user: Claims::of(UserReference::Id(1)).to_user(1),
        session_id: SessionId::parse("s").unwrap(),
        issued_session_id: None,
        is_successful: true,
        metrics: SessionMetrics::default(),
        image_metrics: CaptureMetrics::default(),
        metadata: Some(metadata),
        image_metadata: None,
        image: None,
        image_path: None,
        device: None,
        client_address: None,
        attestation: None,
        created_at: Timestamp::from_unix_millis(0).unwrap(),
    }
}

fuzz_target!(|text: &str| {
    let Ok(json) = RawValue::from_string(text.to_owned()) else {
        return;
    };
    let Ok(object) = ReceivedObject::parse(json.clone()) else {
        return;
    };
    let check = check(object);
    let facts = Facts {
        check: &check,
        recorded_at: check.created_at,
        session: &SessionBinding::Unbound(Unbound::NotNamed),
        picture: None,
        reuse: None,
        last_light: None,
    };
    let verdict = judge(&facts, &POLICY, "");
    let alarms = verdict
        .reasons
        .iter()
        .filter(|reason| reason.code.starts_with("alarm."));
    let heard: Vec<_> = alarms
        .map(|reason| {
            let mut names: Vec<_> = reason
                .saw
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|name| name.as_str())
                .collect();
            names.sort_unstable();
            (reason.code.as_ref(), names)
        })
        .collect();
    assert_eq!(heard, expected(&json));
});
