//! The header that carries a token, and all that does not.

use serde_json::json;

use super::{ask, assert_good, assert_invalid_token};
use crate::engine::Engine;
use crate::server::{Server, admin, customer};
use crate::wire::{Header, STATUS, UPDATE, assert_refused, bearer, exchange, head, post, settled_log, total_count};

const JSON: Header<'_> = ("Content-Type", "application/json");

#[test]
fn the_scheme_is_bearer_in_any_case() {
    let server = Server::start(Engine::Sqlite);
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let answer = post(
            &server,
            STATUS,
            &[("Authorization", &format!("{scheme} {}", customer(1)))],
            "",
        );
        assert_eq!(answer.codes(), (200, "00"), "{scheme}");
    }
}

#[test]
fn what_is_not_one_bearer_token_is_none() {
    let server = Server::start(Engine::Sqlite);
    let token = customer(1);
    let [one, other] = [bearer(&token), bearer(&admin())];
    let cases: [&[Header<'_>]; 12] = [
        &[("Authorization", "Basic dXNlcjpwYXNzd29yZA==")],
        &[("Authorization", &format!("Basic {token}"))],
        &[("Authorization", &token)],
        &[("Authorization", "")],
        &[("Authorization", "Bearer")],
        &[("Authorization", &format!("Bearer{token}"))],
        &[("Authorization", &format!("Bearer\t{token}"))],
        &[("Authorization", &format!("{one}, {other}"))],
        &[("Authorization", &format!("{one} {token}"))],
        &[("Authorization", &format!("Token {token}, {one}"))],
        &[("Authorization", &one), ("Authorization", &one)],
        &[("Authorization", &one), ("authorization", &other)],
    ];
    for headers in cases {
        assert_invalid_token(&format!("{headers:?}"), &post(&server, STATUS, headers, ""));
    }
    assert_good(&server, "one", &token);
}

#[test]
fn a_token_is_taken_from_its_header_only() {
    let server = Server::start(Engine::Sqlite);
    let token = customer(1);
    let body = json!({ "sessionId": "s", "isSuccessful": true, "access_token": token, "token": token }).to_string();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let cookie = format!("access_token={token}; token={token}");
    let elsewhere = bearer(&token);
    let cases = [
        ("nowhere", post(&server, UPDATE, &[], "")),
        (
            "query",
            post(&server, &format!("{UPDATE}?access_token={token}"), &[JSON], &body),
        ),
        ("body", post(&server, UPDATE, &[JSON], &body)),
        ("form", post(&server, UPDATE, &form, format!("access_token={token}"))),
        ("cookie", post(&server, UPDATE, &[JSON, ("Cookie", &cookie)], &body)),
        (
            "another header",
            post(&server, UPDATE, &[JSON, ("Proxy-Authorization", &elsewhere)], &body),
        ),
    ];
    for (case, answer) in cases {
        assert_refused(case, &answer, (401, "63"));
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer ") && !challenge.contains("error="),
            "{case}: {challenge}"
        );
    }
    assert_eq!(total_count(&server), 0);
}

#[test]
fn a_refused_token_does_not_wait_for_the_body() {
    let server = Server::start(Engine::Sqlite);
    let announced = [JSON, ("Content-Length", "7000000")];
    for headers in [
        [&announced[..], &[("Authorization", "Bearer nonsense")]].concat(),
        [&announced[..], &[("Authorization", "Basic x")]].concat(),
        announced.to_vec(),
        [&announced[..], &[("Expect", "100-continue")]].concat(),
    ] {
        assert_refused(
            &format!("{headers:?}"),
            &exchange(&server, head(UPDATE, &headers)),
            (401, "63"),
        );
    }
    assert_eq!(total_count(&server), 0);
}

#[test]
fn a_token_does_not_come_into_the_log() {
    let server = Server::start(Engine::Sqlite);
    let good = customer(1);
    assert_good(&server, "good", &good);
    assert_invalid_token("bad", &ask(&server, &format!("{good}x")));

    let log = settled_log(&server);
    assert!(!log.contains(good.rsplit('.').next().unwrap()), "{log}");
}
