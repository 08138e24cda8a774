//! Each message leaves its one entry, and no face leaves without one.

use liveness_core::{AuditEntry, FaceImage};
use serde_json::{Value, json};

use crate::durability::until;
use crate::engine::{Engine, on_each_engine};
use crate::faults::{break_audit, mend_audit};
use crate::server::{FACE, Server, admin, customer, report, token};

/// All that is in the trail, oldest first.
pub fn entries(server: &Server) -> Vec<AuditEntry> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut entries = runtime.block_on(server.store().trail().newest(1_000_000)).unwrap();
    entries.reverse();
    entries
}

fn with_face(session: &str) -> Value {
    let mut body = report(session, true);
    body["metadata"] = json!({ "verificationResult": true });
    body["imageBase64"] = json!(FaceImage::from_bytes(FACE.to_vec()).unwrap().to_data_uri());
    body
}

fn every_message_but_the_status_leaves_one_entry_however_it_ends(engine: Engine) {
    type Left<'a> = Option<(&'a str, Option<i64>)>;
    let server = Server::start(engine);
    for id in [7, 8] {
        // Adding a user leaves an entry of its own.
        server.send("CheckLivenessStatusQuery", &customer(id), &json!({}));
    }
    let both = token(&json!({ "sub": "7", "roles": ["Admin", "customer"] }));
    let cases: [(&str, &str, Value, Left<'_>); 16] = [
        (
            "SubmitLivenessCheckCommand",
            &customer(7),
            report("a", true),
            Some(("00", Some(7))),
        ),
        (
            "SubmitLivenessCheckCommand",
            &customer(7),
            report("a", false),
            Some(("05", Some(7))),
        ),
        (
            "SubmitLivenessCheckCommand",
            &customer(8),
            report("a", true),
            Some(("94", Some(8))),
        ),
        (
            "SubmitLivenessCheckCommand",
            &customer(7),
            json!({}),
            Some(("30", Some(7))),
        ),
        (
            "SubmitLivenessCheckCommand",
            &admin(),
            report("a", true),
            Some(("57", None)),
        ),
        (
            "UpdateLivenessCheckCommand",
            &customer(7),
            report("a", false),
            Some(("00", Some(7))),
        ),
        (
            "GetUserLivenessCheckQuery",
            &admin(),
            json!({ "userId": 7 }),
            Some(("00", Some(7))),
        ),
        (
            "GetUserLivenessCheckQuery",
            &admin(),
            json!({ "userId": 70 }),
            Some(("25", Some(70))),
        ),
        (
            "GetUserLivenessCheckQuery",
            &customer(7),
            json!({ "userId": 7 }),
            Some(("57", None)),
        ),
        (
            "GetLivenessCheckQuery",
            &admin(),
            json!({ "id": 1 }),
            Some(("00", Some(7))),
        ),
        (
            "GetLivenessCheckQuery",
            &admin(),
            json!({ "id": 70 }),
            Some(("25", None)),
        ),
        (
            "GetLivenessCheckQuery",
            &customer(7),
            json!({ "id": 1 }),
            Some(("57", None)),
        ),
        (
            "RetrieveLivenessChecksQuery",
            &both,
            json!({ "selfServiceUserId": 8 }),
            Some(("00", Some(8))),
        ),
        (
            "RetrieveLivenessChecksQuery",
            &admin(),
            json!({ "pageSize": 101 }),
            Some(("30", None)),
        ),
        ("CheckLivenessStatusQuery", &customer(7), json!({}), None),
        ("CheckLivenessStatusQuery", &admin(), json!({}), None),
    ];
    for (message, token, body, expected) in cases {
        let before = entries(&server).len();
        let answer = server.send(message, token, &body);

        let new = entries(&server).split_off(before);
        let left: Vec<_> = new
            .iter()
            .map(|entry| (&*entry.message, &*entry.outcome, entry.self_service_user_id))
            .collect();
        let expected: Vec<_> = expected
            .map(|(outcome, user)| (message, outcome, user))
            .into_iter()
            .collect();
        assert_eq!(left, expected, "{message} {body}: {}", answer.json);
        let id = answer.header("x-request-id").unwrap();
        assert!(
            new.iter()
                .all(|entry| entry.request_id == id && entry.client_address.is_some())
        );
        // It comes through a pipe, after the answer.
        until(|| server.log().contains(id));
        assert_eq!(server.log().matches(id).count(), 1, "one line in the log");
    }
    let by_both = entries(&server)
        .into_iter()
        .find(|entry| entry.roles == "admin,customer")
        .unwrap();
    assert_eq!(
        (&*by_both.principal, &*by_both.message),
        ("7", "RetrieveLivenessChecksQuery")
    );
}

fn refusals_before_the_body_is_read_leave_an_entry_too(engine: Engine) {
    let server = Server::start(engine);
    let token = format!("Bearer {}", customer(7));
    let send = |headers: &[(&str, &str)], body: &[u8]| {
        let headers: Vec<_> = [("Authorization", &*token)]
            .into_iter()
            .chain(headers.iter().copied())
            .collect();
        server.request("UpdateLivenessCheckCommand", &headers, body).status
    };

    // Adding a user leaves an entry of its own.
    server.send("CheckLivenessStatusQuery", &customer(7), &json!({}));
    let statuses = [
        send(&[("Content-Encoding", "gzip")], b"x"),
        send(&[("Content-Type", "text/plain")], b"x"),
        send(&[], &vec![b' '; 9_000_000]),
        send(&[("Idempotency-Key", "a b")], b"{}"),
    ];

    assert_eq!(statuses, [415, 415, 413, 400]);
    let left = entries(&server).split_off(1);
    let outcomes: Vec<_> = left
        .iter()
        .map(|entry| (&*entry.outcome, entry.self_service_user_id))
        .collect();
    assert_eq!(
        outcomes,
        [("30", Some(7)), ("30", Some(7)), ("13", Some(7)), ("30", Some(7))]
    );
}

fn who_is_not_known_leaves_no_entry(engine: Engine) {
    let server = Server::start(engine);

    let answer = server.request("GetUserLivenessCheckQuery", &[], b"{\"userId\":7}");

    assert_eq!(answer.codes(), (401, "63"));
    assert_eq!(entries(&server), []);
}

fn without_an_audit_entry_there_is_no_face(engine: Engine) {
    let server = Server::start(engine);
    server.send("SubmitLivenessCheckCommand", &customer(7), &with_face("a"));
    let shown = server.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": 7 }));
    assert!(shown.data()["LivenessCheck"]["ImageBase64"].is_string());
    let opened = server.send("GetLivenessCheckQuery", &admin(), &json!({ "id": 1 }));
    assert!(opened.data()["LivenessCheck"]["ImageBase64"].is_string());

    break_audit(&server);
    let hidden = server.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": 7 }));
    let closed = server.send("GetLivenessCheckQuery", &admin(), &json!({ "id": 1 }));
    let unlisted = server.send("RetrieveLivenessChecksQuery", &admin(), &json!({}));
    let unrecorded = server.send("SubmitLivenessCheckCommand", &customer(7), &with_face("b"));
    let status = server.send("CheckLivenessStatusQuery", &customer(7), &json!({}));

    for answer in [&hidden, &closed, &unlisted, &unrecorded] {
        assert_eq!((answer.codes(), answer.data()), ((503, "91"), &Value::Null));
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(status.codes(), (200, "00"));
}

fn the_trail_mends_without_a_restart(engine: Engine) {
    let server = Server::start(engine);
    break_audit(&server);
    let broken = server.send("SubmitLivenessCheckCommand", &customer(7), &with_face("a"));

    mend_audit(&server);
    let mended = server.send("SubmitLivenessCheckCommand", &customer(7), &with_face("a"));

    assert_eq!((broken.codes(), mended.codes()), ((503, "91"), (200, "00")));
    let listed = server.send("RetrieveLivenessChecksQuery", &admin(), &json!({}));
    assert_eq!(listed.data()["TotalCount"], json!(1));
}

on_each_engine! {
    every_message_but_the_status_leaves_one_entry_however_it_ends,
    refusals_before_the_body_is_read_leave_an_entry_too,
    who_is_not_known_leaves_no_entry,
    without_an_audit_entry_there_is_no_face,
    the_trail_mends_without_a_restart,
}
