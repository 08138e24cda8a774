//! Who a token is of: a subject, and the issuer that vouches for it.

use serde_json::{Value, json};

use super::{ask, assert_all_refused, assert_good, assert_invalid_token};
use crate::engine::Engine;
use crate::keys::{claims, hs256};
use crate::metrics::metric;
use crate::server::{ISSUER, Server};
use crate::wire::{LIST, RECORD, STATUS, assert_refused, bearer, post, settled_log};

fn token(claims: &Value) -> String {
    hs256(&json!({ "alg": "HS256", "typ": "JWT" }), claims)
}

fn without(name: &str, mut claims: Value) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn with(name: &str, value: Value, mut claims: Value) -> Value {
    claims[name] = value;
    claims
}

fn admin() -> Value {
    with("role", json!("admin"), with("sub", json!("reviewer-1"), claims()))
}

#[test]
fn a_subject_is_a_string_or_a_whole_number() {
    let server = Server::start(Engine::Sqlite);
    let of = |subject: Value| token(&with("sub", subject, claims()));
    for subject in [json!(1), json!(1.0), json!(1e3), json!("1")] {
        assert_good(&server, &subject.to_string(), &of(subject));
    }
    let long = "1".repeat(256);
    let mut subjects: Vec<_> = ["a\u{0}b", "1\n", "\u{7f}", "\u{85}", "", &long]
        .map(|text| json!(text))
        .to_vec();
    subjects.extend([
        json!(1.5),
        json!(1e30),
        json!(-1.5e-3),
        json!(1.844_674_407_370_955_2e19),
    ]);
    subjects.extend([Value::Null, json!(true), json!(["1"]), json!({ "sub": "1" })]);
    for subject in subjects {
        for role in ["customer", "admin"] {
            let claims = with("role", json!(role), with("sub", subject.clone(), claims()));
            assert_all_refused(&server, &[(role, token(&claims))]);
        }
    }
}

#[test]
fn whoever_is_no_customer_has_an_issuer_and_a_subject() {
    let server = Server::start(Engine::Sqlite);
    let refused = |message: &str, claims: &Value| {
        let answer = post(&server, message, &[("Authorization", &bearer(&token(claims)))], "");
        assert_invalid_token(&format!("{message} {claims}"), &answer);
    };
    for role in [
        json!("admin"),
        json!(["customer", "Admin"]),
        json!("officer"),
        json!("auditor"),
        json!("teller"),
    ] {
        let good = with("role", role, claims());
        for nameless in [
            without("iss", good.clone()),
            without("sub", good.clone()),
            with("iss", json!(""), good.clone()),
            with("iss", Value::Null, good.clone()),
            with("iss", json!([ISSUER]), good.clone()),
            with("iss", json!("a\nb"), good.clone()),
        ] {
            for message in [STATUS, LIST, RECORD, "NoCommand"] {
                refused(message, &nameless);
            }
        }
    }
    let answer = post(&server, LIST, &[("Authorization", &bearer(&token(&admin())))], "");
    assert_eq!(answer.codes(), (200, "00"), "{answer:?}");

    // A customer may be without an issuer. Without a subject there is no user.
    assert_good(&server, "customer", &token(&without("iss", claims())));
    let nobody = ask(&server, &token(&without("sub", claims())));
    assert_refused("no subject", &nobody, (403, "57"));
}

#[test]
fn the_claim_of_the_user_is_no_subject_of_an_administrator() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_USER_ID_CLAIM", "uid")]);
    let claims = with("uid", json!("7"), without("sub", admin()));
    let answer = post(&server, LIST, &[("Authorization", &bearer(&token(&claims)))], "");
    assert_invalid_token("uid", &answer);
}

#[test]
fn the_names_of_the_command_line_are_not_for_tokens() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_USER_ID_CLAIM", "uid")]);
    for subject in ["cli:root", "cli:", "CLI:root", "Cli:7"] {
        for role in ["customer", "admin", "operator"] {
            let claims = with("role", json!(role), with("sub", json!(subject), claims()));
            assert_all_refused(&server, &[(subject, token(&claims))]);
        }
        // It would be the name of the principal.
        let by_user = with("uid", json!(subject), without("sub", claims()));
        assert_all_refused(&server, &[(subject, token(&by_user))]);
    }
    assert_good(
        &server,
        "client",
        &token(&with("uid", json!("1"), with("sub", json!("client:1"), claims()))),
    );
}

#[test]
fn the_log_says_what_is_wrong_with_a_token() {
    let server = Server::with(
        Engine::Sqlite,
        &[("LIVENESS_JWT_ISSUER", ISSUER), ("LIVENESS_JWT_AUDIENCE", "any")],
    );
    let slash = format!("{ISSUER}/");
    let cases = [
        ("issuer", with("iss", json!(slash), claims())),
        ("issuer", without("iss", claims())),
        ("audience", with("aud", json!(5), claims())),
        ("subject", with("sub", json!(true), claims())),
        ("subject", without("sub", admin())),
        ("subject", with("sub", json!("cli:root"), admin())),
        ("expired", with("exp", json!(1_000_000_000), claims())),
        (
            "too_large",
            with("groups", json!(vec!["0123456789abcdef0123456789abcdef"; 300]), claims()),
        ),
        ("subject", with("sub", json!(["1234"]), claims())),
        ("subject", with("sub", json!([]), claims())),
        ("subject", with("sub", json!({}), claims())),
        ("subject", with("sub", json!({ "id": [1] }), admin())),
        ("issuer", with("iss", json!({}), claims())),
        ("audience", with("aud", json!({}), claims())),
        ("audience", with("aud", json!([["x"]]), claims())),
        ("claims", with("exp", json!([9_000_000_000_u64]), claims())),
        ("claims", with("exp", json!({}), claims())),
        ("claims", with("exp", json!("9000000000"), claims())),
        ("claims", with("nbf", json!([]), claims())),
        ("claims", with("nbf", json!({ "at": 1 }), claims())),
        ("claims", with("iat", json!([1]), claims())),
        ("claims", with("iat", json!({}), claims())),
        ("claims", with("at_hash", json!("x"), claims())),
        ("claims", without("exp", claims())),
        ("claims", with("nbf", json!(9_000_000_000_u64), claims())),
    ];
    for (number, (_, claims)) in cases.iter().enumerate() {
        let id = format!("case-{number}");
        let authorization = bearer(&token(claims));
        let headers = [("Authorization", authorization.as_str()), ("X-Request-Id", id.as_str())];
        assert_invalid_token(&id, &post(&server, STATUS, &headers, ""));
    }
    let log = settled_log(&server);
    for (number, (word, claims)) in cases.iter().enumerate() {
        let id = format!("request=case-{number} ");
        let line = log.lines().find(|line| line.contains(&id)).unwrap();
        assert!(line.ends_with(&format!(" token={word}")), "{line} {claims}");
    }
    for word in ["issuer", "audience", "subject", "expired", "too_large", "claims"] {
        let count = cases.iter().filter(|(of_case, _)| *of_case == word).count();
        let series = format!("liveness_rejected_tokens_total{{reason=\"{word}\"}}");
        assert_eq!(metric(&server, &series), count as f64, "{word}");
    }
}

#[test]
fn who_acts_for_the_subject_is_in_the_entry_and_in_the_log() {
    let server = Server::start(Engine::Sqlite);
    let act = |act: Value| token(&with("act", act, admin()));
    let nested = json!({ "sub": "cli:alice", "act": { "sub": "somebody before" } });
    for (id, token) in [("act", act(nested)), ("none", token(&admin()))] {
        let authorization = bearer(&token);
        let headers = [("Authorization", authorization.as_str()), ("X-Request-Id", id)];
        assert_eq!(post(&server, LIST, &headers, "").codes(), (200, "00"));
    }

    let entries = actix_web::rt::System::new()
        .block_on(server.store().trail().newest(2))
        .unwrap();
    let said: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| (&*entry.principal, entry.issuer.as_deref(), entry.actor.as_deref()))
        .collect();
    assert_eq!(
        said,
        [
            ("reviewer-1", Some(ISSUER), Some("cli:alice")),
            ("reviewer-1", Some(ISSUER), None)
        ]
    );
    let log = settled_log(&server);
    let line = |id: &str| {
        log.lines()
            .find(|line| line.contains(&format!("request={id} ")))
            .unwrap()
    };
    assert!(line("act").ends_with(" actor=cli:alice"), "{log}");
    assert!(line("none").ends_with(" actor=-"), "{log}");

    let long = "x".repeat(256);
    for nobody in [
        json!({}),
        json!("cli:alice"),
        json!({ "sub": "" }),
        json!({ "sub": true }),
        json!({ "sub": "a\nb" }),
        json!({ "sub": long }),
        Value::Null,
    ] {
        assert_all_refused(&server, &[("act", act(nobody))]);
    }
}
