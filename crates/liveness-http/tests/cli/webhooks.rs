//! Settings of webhooks that are wrong are told, and never with the secret. `events` shows what was not delivered.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use liveness_core::events::{EventSubscription, NewEvent, USER_PASSED};
use liveness_core::{Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::binary::{Ended, Place, SECRET};
use crate::engine::{Engine, on_each_engine};
use crate::trail_key_file::trail_key_file;

const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Runs a subcommand with these settings of webhooks.
fn run(place: &Place, subcommand: &str, settings: &[(&str, &str)]) -> Ended {
    let mut command = place.command(&[subcommand]);
    command
        .env("LIVENESS_JWT_SECRET", SECRET)
        .env("LIVENESS_BIND", "127.0.0.1:0");
    command.envs(settings.iter().copied()).output().unwrap().into()
}

/// Settings, how the host ends on them, and a part of what it says.
type Case = (&'static [(&'static str, &'static str)], i32, &'static str);

#[test]
fn what_is_wrong_keeps_the_host_from_starting_in_one_line() {
    let place = Place::new(Engine::Sqlite);
    place.write("short", "whsec_AAAA");
    place.write("url", "https://hooks.example/secret\n");
    let cases: [Case; 10] = [
        (
            &[("LIVENESS_WEBHOOK_URL", "http://hooks.example/secret")],
            1,
            "must be an https:// URL",
        ),
        (
            &[("LIVENESS_WEBHOOK_URL", "https://hooks.example:99999/secret")],
            1,
            "a port from 1 to 65535",
        ),
        (
            &[("LIVENESS_WEBHOOK_URL_FILE", "url")],
            1,
            "set LIVENESS_WEBHOOK_SECRET_FILE",
        ),
        (&[("LIVENESS_WEBHOOK_URL_FILE", "nowhere")], 2, "cannot read it"),
        (
            &[("LIVENESS_WEBHOOK_NETWORKS", "10.0.0.0/99")],
            2,
            "neither a network such as",
        ),
        (
            &[
                ("LIVENESS_WEBHOOK_URL", "https://hooks.example/"),
                ("LIVENESS_WEBHOOK_PROXY", "socks5://proxy.example/secret"),
            ],
            1,
            "knows CONNECT",
        ),
        (
            &[("LIVENESS_WEBHOOK_URL", "https://hooks.example/")],
            1,
            "set LIVENESS_WEBHOOK_SECRET_FILE",
        ),
        (
            &[
                ("LIVENESS_WEBHOOK_URL", "https://10.1.2.3/"),
                ("LIVENESS_WEBHOOK_SECRET", WEBHOOK_SECRET),
            ],
            1,
            "LIVENESS_WEBHOOK_NETWORKS",
        ),
        (
            &[
                ("LIVENESS_WEBHOOK_URL", "https://hooks.example/"),
                ("LIVENESS_WEBHOOK_SECRET_FILE", "short"),
            ],
            1,
            "LIVENESS_WEBHOOK_SECRET_FILE: short: secret 1 must have a key of 24 to 64 bytes",
        ),
        (
            &[("LIVENESS_WEBHOOK_SECRET", WEBHOOK_SECRET)],
            1,
            "no meaning without LIVENESS_WEBHOOK_URL",
        ),
    ];
    for (settings, code, expected) in cases {
        let ended = run(&place, "serve", settings);
        let (found, told) = ended.failure();
        assert_eq!((found, told.contains(expected)), (Some(code), true), "{told}");
        assert!(
            !told.contains("whsec_AAAA") && !told.contains("MfKQ") && !told.contains("/secret"),
            "{told}"
        );
    }
}

#[test]
fn doctor_says_who_reads_the_secret_and_where_webhooks_go() {
    let place = Place::new(Engine::Sqlite);
    place.write("secret", WEBHOOK_SECRET);
    let file = place.0.folder().join("secret");
    let doctor = |url: &str, mode: u32| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let ended = run(
            &place,
            "doctor",
            &[
                ("LIVENESS_WEBHOOK_URL", url),
                ("LIVENESS_WEBHOOK_SECRET_FILE", "secret"),
            ],
        );
        assert!(
            !ended.out.contains("key=1") && !ended.out.contains("MfKQ"),
            "{}",
            ended.out
        );
        ended.out
    };
    let told = doctor("https://127.0.0.1:4711/hook?key=1", 0o600);
    for line in [
        "ok       files: LIVENESS_WEBHOOK_SECRET_FILE: secret is its owner's only",
        "ok       webhooks: they are sent to https://127.0.0.1:4711, which has an address that may be dialled",
    ] {
        assert!(told.contains(line), "{told}");
    }
    assert!(
        doctor("https://127.0.0.1/", 0o644)
            .contains("problem  files: LIVENESS_WEBHOOK_SECRET_FILE: secret can be read")
    );
    // The resolver of the system takes the number for 127.0.0.1.
    let told = doctor("https://2130706433/hook?key=1", 0o600);
    assert!(
        told.contains("problem  webhooks: LIVENESS_WEBHOOK_URL: https://2130706433: its name has no public address"),
        "{told}"
    );
}

/// A database with an event that waits, and one that was set aside.
fn with_events(engine: Engine) -> Place {
    let place = Place::new(engine);
    let store = place.store();
    let events = store.events();
    events
        .subscribe(&EventSubscription::to_all("webhooks").unwrap())
        .unwrap();
    let passed = [1, 2].map(|user| NewEvent::new(USER_PASSED, user, &json!({ "userId": user })).unwrap());
    events.publish(&passed, SystemClock.now()).unwrap();
    let due = events.due("webhooks", &[], 2).unwrap();
    let [one, two] = due.as_slice() else { panic!("{due:?}") };
    events.set_aside(one, "the receiver answered 500").unwrap();
    events
        .fail("webhooks", two, "the receiver answered 404", Duration::from_secs(60))
        .unwrap();
    place
}

fn listed(place: &Place, more: &[&str]) -> Vec<Value> {
    let out = place
        .run(&[&["events", "list", "--format", "json"], more].concat())
        .good();
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn a_new_database_has_no_events(engine: Engine) {
    let place = Place::new(engine);
    let out = place.run(&["events", "list"]).good();
    assert_eq!(
        out.split_whitespace().collect::<Vec<_>>().join(" "),
        "NUMBER STATE SUBSCRIPTION TYPE ID ATTEMPTS NEXT AT LAST ERROR"
    );
    assert!(listed(&place, &[]).is_empty());
    assert_eq!(
        place.run(&["events", "resend", "--all"]).good(),
        "0 events are sent again, with all their attempts\n"
    );
    let refused = place.run(&["events", "enable"]);
    assert!(
        refused.failure().1.starts_with("no events are kept for webhooks"),
        "{refused:?}"
    );
}

fn events_are_listed_with_why_they_were_not_delivered(engine: Engine) {
    let place = with_events(engine);
    let out = place.run(&["events", "list"]).good();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    assert_eq!(lines[0], "webhooks: active; 1 wait, 1 were set aside");
    assert!(
        lines[2].contains("  set aside  webhooks ") && lines[2].ends_with("  the receiver answered 500"),
        "{out}"
    );
    assert!(
        lines[3].contains("  waiting    webhooks ") && lines[3].ends_with("  the receiver answered 404"),
        "{out}"
    );

    let aside = listed(&place, &["--set-aside"]);
    let [event] = aside.as_slice() else { panic!("{aside:?}") };
    assert_eq!((&event["state"], &event["attempts"]), (&"set aside".into(), &1.into()));
    assert!(event["id"].as_str().unwrap().starts_with("evt_"));
}

fn what_was_set_aside_is_sent_again_and_the_trail_says_by_whom(engine: Engine) {
    let place = with_events(engine);
    let number = listed(&place, &["--set-aside"])[0]["number"].to_string();

    let told = place.run(&["events", "resend", &number]).good();

    assert_eq!(told, format!("event {number} is sent again, with all its attempts\n"));
    assert!(listed(&place, &["--set-aside"]).is_empty());
    assert_eq!(place.store().events().due("webhooks", &[], 9).unwrap().len(), 1);
    let refused = place.run(&["events", "resend", &number]);
    let why =
        format!("event {number} was not set aside, or is not there; `events list --set-aside` shows those that were");
    assert_eq!(refused.failure(), (Some(1), why.as_str()));
    let entries = place.told_by("events resend").into_iter();
    let told: Vec<_> = entries
        .map(|(subject, _)| (subject.shown.detail.unwrap(), subject.shown.count))
        .collect();
    let (event, done) = (format!("event {number}"), format!("done; event {number}"));
    assert_eq!(
        told,
        [
            (event.clone(), None),
            (done.clone(), Some(1)),
            (event, None),
            (done, Some(0))
        ]
    );
}

fn a_subscription_is_enabled_and_ended(engine: Engine) {
    let place = with_events(engine);
    place
        .store()
        .events()
        .disable("webhooks", "the receiver answered 410")
        .unwrap();
    let out = place.run(&["events", "list"]).good();
    assert!(
        out.starts_with("webhooks: disabled (the receiver answered 410); 1 wait"),
        "{out}"
    );
    assert_eq!(place.run(&["events", "enable"]).good(), "webhooks are sent again\n");
    assert!(
        place
            .run(&["events", "list"])
            .good()
            .starts_with("webhooks: active; 1 wait")
    );
    assert_eq!(
        place.run(&["events", "end"]).good(),
        "no events are kept for webhooks until a server starts with LIVENESS_WEBHOOK_URL\n"
    );
    assert!(listed(&place, &[]).is_empty());
}

fn doctor_tells_of_events_that_nobody_takes(engine: Engine) {
    let place = with_events(engine);
    place.write("secret", WEBHOOK_SECRET);
    let key = trail_key_file().to_str().unwrap();
    let without = [("LIVENESS_TRAIL_KEY_FILE", key)];
    let receiver = [
        ("LIVENESS_WEBHOOK_URL", "http://127.0.0.1:4711/"),
        ("LIVENESS_WEBHOOK_SECRET_FILE", "secret"),
    ];
    let with = [&without[..], &receiver].concat();
    let tells = |settings: &[(&str, &str)], expected: &str| {
        let told = run(&place, "doctor", settings).out;
        assert!(told.contains(expected), "no {expected}:\n{told}");
    };
    let left_over =
        "warning  events: LIVENESS_WEBHOOK_URL is not set, and events are still kept for webhooks (2 now); set it";
    let set_aside =
        "warning  events: webhooks: 1 were set aside after their last attempt; `liveness-http events list --set-aside`";

    tells(&without, left_over);
    tells(&without, set_aside);
    tells(&with, set_aside);
    tells(&with, "ok       events: webhooks: 1 wait\n");

    let store = place.store();
    store.events().disable("webhooks", "the receiver answered 410").unwrap();
    tells(
        &with,
        "problem  events: webhooks: nothing is delivered, and 1 wait: the receiver answered 410; ask",
    );
    place.run(&["events", "end"]).good();
    tells(&with, "hint     events: none is kept for webhooks: no server has begun");
    let told = run(&place, "doctor", &without).out;
    assert!(!told.contains("  events: "), "{told}");

    // Half a minute more, because the database has a clock of its own.
    let old = Timestamp::from_unix_millis(SystemClock.now().unix_millis() - 1_230_000).unwrap();
    let late = NewEvent::new(USER_PASSED, 3, &json!({ "userId": 3 })).unwrap();
    store
        .events()
        .subscribe(&EventSubscription::to_all("webhooks").unwrap())
        .unwrap();
    store.events().publish(&[late], old).unwrap();
    tells(&with, "warning  events: webhooks: 1 wait, one of them for 20 minutes; ");
}

#[test]
fn a_resend_says_which_event() {
    let place = Place::empty(Engine::Sqlite);
    for arguments in [
        vec!["events", "resend"],
        vec!["events", "resend", "1", "--all"],
        vec!["events", "resend", "0"],
    ] {
        assert_eq!(place.run(&arguments).code, Some(2), "{arguments:?}");
    }
}

on_each_engine! {
    a_new_database_has_no_events,
    events_are_listed_with_why_they_were_not_delivered,
    what_was_set_aside_is_sent_again_and_the_trail_says_by_whom,
    a_subscription_is_enabled_and_ended,
    doctor_tells_of_events_that_nobody_takes,
}
