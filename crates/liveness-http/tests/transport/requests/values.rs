//! Messages whose fields are not what they have to be.

use serde_json::json;

use super::{JSON, assert_unharmed, report_with, update};
use crate::engine::Engine;
use crate::server::{Server, admin, customer};
use crate::wire::{CANARY, DETAILS, LIST, RECORD, SUBMIT, UPDATE, assert_refused, bearer, post};

#[test]
fn a_field_that_is_known_is_given_once() {
    let server = Server::start(Engine::Sqlite);
    let metadata = r#""metadata":{"challengeCount":1,"challengeCount":1}"#;
    let capture = r#""metadata":{"finalCapture":{"lightingValue":1,"lightingValue":1}}"#;
    for (twice, field) in [
        (r#""sessionId":"t""#, "sessionId"),
        (r#""isSuccessful":true"#, "isSuccessful"),
        (r#""session\u0049d":"t""#, "sessionId"),
        (r#""SESSIONID":"t""#, "sessionId"),
        (r#""imagePath":"a","ImagePath":null"#, "imagePath"),
        (r#""metadata":{},"Metadata":{}"#, "metadata"),
        (
            r#""Metadata":{"ChallengeCount":1,"challengeCount":1}"#,
            "metadata.challengeCount",
        ),
        (r#""imagePath":"a","imagePath":null"#, "imagePath"),
        (r#""imageBase64":"","imageBase64":"""#, "imageBase64"),
        (r#""metadata":{},"metadata":{}"#, "metadata"),
        (metadata, "metadata.challengeCount"),
        (capture, "metadata.finalCapture.lightingValue"),
        (
            r#""imageMetadata":{"lightingValue":1,"lightingValue":1}"#,
            "imageMetadata.lightingValue",
        ),
    ] {
        let answer = update(&server, &[JSON], report_with(twice));
        assert_refused(twice, &answer, (400, "30"));
        let error = &answer.json["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!(field), &json!("duplicate")),
            "{answer:?}"
        );
    }
    assert_unharmed(&server);

    let unknown = report_with(r#""x":1,"x":2,"metadata":{"y":1,"y":2}"#);
    assert_eq!(update(&server, &[JSON], unknown).codes(), (200, "00"));
}

#[test]
fn a_value_of_the_wrong_type_is_refused_and_not_repeated() {
    let server = Server::start(Engine::Sqlite);
    let text = &*format!(r#""{CANARY}""#);
    let list = &*format!(r#"["{CANARY}"]"#);
    let object = &*format!(r#"{{"a":"{CANARY}"}}"#);
    let digits = &*"9".repeat(10_000);
    let cases = [
        ("imagePath", vec![list, object, "5", "true"]),
        ("imageBase64", vec![list, object, "5", "true", text]),
        ("metadata", vec![list, "[]", "5", "true", text]),
        ("imageMetadata", vec![list, "5", text]),
        (
            "metadata.timestamp",
            vec![text, "1.5", "9223372036854775808", "18446744073709551616", digits, "-1"],
        ),
        (
            "metadata.sessionDuration",
            vec![text, "true", "2147483648", "1e400", "0.1"],
        ),
        (
            "metadata.lightingValue",
            vec![text, "1e400", "-1e400", "1.0000001", "true"],
        ),
        ("metadata.challengeCount", vec![text, "1.5", "101", "-1"]),
        ("metadata.challenges", vec![text, object, "5", "[5]"]),
        ("metadata.completedAt", vec![text, "5", list]),
        ("metadata.verificationResult", vec![text, "1", r#""true""#]),
        ("metadata.finalCapture", vec![text, "[]", "5"]),
        ("imageMetadata.verificationResult", vec![text, "0"]),
    ];
    for (path, values) in cases {
        for value in values {
            let field = match path.split_once('.') {
                None => format!(r#""{path}":{value}"#),
                Some((object, field)) => format!(r#""{object}":{{"{field}":{value}}}"#),
            };
            let answer = update(&server, &[JSON], report_with(&field));
            assert_refused(&field[..field.len().min(80)], &answer, (400, "30"));
        }
    }
    assert_unharmed(&server);
}

#[test]
fn the_required_fields_of_every_message_have_their_types() {
    let server = Server::start(Engine::Sqlite);
    let [customer, admin] = [bearer(&customer(1)), bearer(&admin())];
    for (message, authorization, body, fields) in [
        (
            UPDATE,
            &customer,
            json!({ "sessionId": [CANARY], "isSuccessful": CANARY }),
            2,
        ),
        (
            SUBMIT,
            &customer,
            json!({ "sessionId": { CANARY: 1 }, "isSuccessful": 1 }),
            2,
        ),
        (SUBMIT, &customer, json!({ "sessionId": null, "isSuccessful": null }), 2),
        (DETAILS, &admin, json!({ "userId": CANARY }), 1),
        (DETAILS, &admin, json!({ "userId": 9_223_372_036_854_775_808_u64 }), 1),
        (DETAILS, &admin, json!({}), 1),
        (RECORD, &admin, json!({ "id": CANARY }), 1),
        (LIST, &admin, json!({ "sessionId": [CANARY] }), 1),
        (
            LIST,
            &admin,
            json!({ "pageSize": CANARY, "pageNumber": 1.5, "selfServiceUserId": 0 }),
            3,
        ),
    ] {
        let answer = post(
            &server,
            message,
            &[("Authorization", authorization), JSON],
            body.to_string(),
        );
        assert_refused(&format!("{message} {body}"), &answer, (400, "30"));
        assert_eq!(answer.json["errors"].as_array().unwrap().len(), fields, "{answer:?}");
    }
    assert_unharmed(&server);
}

#[test]
fn a_message_of_very_many_values_is_refused() {
    let server = Server::start(Engine::Sqlite);
    let fields = |count: usize| report_with(&format!(r#""x":{{{}}}"#, vec![r#""y":1"#; count].join(",")));
    let strings = |count| report_with(&format!(r#""x":[{}]"#, vec![r#""\u0000""#; count].join(",")));
    for body in [fields(10_100), fields(300_000), strings(100_000)] {
        assert_refused(&body[..60], &update(&server, &[JSON], &body), (400, "30"));
    }
    let answer = update(&server, &[JSON], strings(9_900));
    assert_refused("errors", &answer, (400, "30"));
    assert_eq!(answer.json["errors"].as_array().unwrap().len(), 100);
    assert_unharmed(&server);

    assert_eq!(update(&server, &[JSON], fields(9_900)).codes(), (200, "00"));
}
