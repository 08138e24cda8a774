//! Claims that hold what no text can hold, or no number: nobody is locked out by one that nobody needs.

use serde_json::json;

use super::{assert_all_refused, assert_good};
use crate::engine::Engine;
use crate::keys::{claims, hmac_sha256, jwt_of};
use crate::metrics::metric;
use crate::server::{ISSUER, SECRET, Server, admin};
use crate::wire::{DETAILS, bearer, post};

/// The claims of a customer with one more, which is given as JSON that may not be read as such.
fn token_with(name: &str, json: &str) -> String {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    let rest = claims.to_string();
    let text = format!("{{\"{name}\":{json},{}", &rest[1..]);
    token_of(&text)
}

fn token_of(claims: &str) -> String {
    jwt_of(r#"{"alg":"HS256","typ":"JWT"}"#, claims, |message| {
        hmac_sha256(SECRET.as_bytes(), message)
    })
}

#[test]
fn a_broken_text_in_a_claim_that_nobody_needs_locks_nobody_out() {
    let server = Server::start(Engine::Sqlite);
    for (name, json) in [
        ("name", r#""a\ud83d""#),
        ("name", r#""\ude00""#),
        ("given_name", r#""\ud83d\ud83d\ude00""#),
        ("email", r#""\udfff@example.org""#),
        ("nonce", r#""\ud83d\n""#),
        ("groups", r#"["a","b\udc00"]"#),
        ("address", r#"{"street":"\ud83d","\ud83d":{"x":["\udc00"]}}"#),
        ("\\ud83d", "1"),
        ("large", "1e400"),
        ("nested", r#"{"large":[1e400]}"#),
    ] {
        assert_good(&server, json, &token_with(name, json));
    }
}

#[test]
fn what_is_kept_of_a_broken_text_is_the_replacement_character() {
    let server = Server::start(Engine::Sqlite);
    assert_good(&server, "name", &token_with("name", r#""Jane \ud83d""#));

    let authorization = bearer(&admin());
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let answer = post(&server, DETAILS, &headers, r#"{"userId":1}"#);

    assert_eq!(answer.json["data"]["DisplayName"], "Jane \u{FFFD}", "{answer:?}");
}

#[test]
fn bytes_that_are_no_utf_8_are_a_broken_text_too() {
    let server = Server::start(Engine::Sqlite);
    // `Jos\u{e9}` in Latin-1.
    let latin_1 = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        let rest = claims.to_string();
        [
            format!("{{\"{name}\":\"Jos").as_bytes(),
            b"\xE9\",",
            &rest.as_bytes()[1..],
        ]
        .concat()
    };
    let token = |claims: &[u8]| {
        let part = |bytes: &[u8]| crate::keys::base64url(bytes);
        let message = format!("{}.{}", part(br#"{"alg":"HS256","typ":"JWT"}"#), part(claims));
        format!(
            "{message}.{}",
            part(&hmac_sha256(SECRET.as_bytes(), message.as_bytes()))
        )
    };
    assert_good(&server, "name", &token(&latin_1("name")));
    assert_all_refused(
        &server,
        &[("jose", token(&latin_1("sub"))), ("aud", token(&latin_1("aud")))],
    );
}

#[test]
fn a_broken_text_in_a_claim_that_is_needed_is_told_by_that_claim() {
    let settings = [
        ("LIVENESS_JWT_ROLE_CLAIM", "realm_access.roles"),
        ("LIVENESS_JWT_USER_ID_CLAIM", "uid"),
    ];
    let plain = Server::start(Engine::Sqlite);
    let nested = Server::with(Engine::Sqlite, &settings);
    let mut counts = std::collections::BTreeMap::<&str, f64>::new();
    for (server, word, name, json) in [
        (&plain, "subject", "sub", r#""1\ud83d""#),
        (&plain, "issuer", "iss", r#""\ud83d""#),
        (&plain, "audience", "aud", r#"["a","\udc00"]"#),
        (&plain, "claims", "role", r#""customer\ud83d""#),
        (&plain, "claims", "role", r#"["customer","\ud83d"]"#),
        (&plain, "claims", "act", r#"{"sub":"\ud83d"}"#),
        (&plain, "claims", "exp", "1e400"),
        (&nested, "", "uid", r#""\ud83d""#),
        (&nested, "", "realm_access", r#"{"roles":["customer\ud83d"]}"#),
    ] {
        assert_all_refused(server, &[(json, token_with(name, json))]);
        *counts.entry(word).or_default() += 1.0;
    }
    for word in ["subject", "issuer", "audience", "claims"] {
        let series = format!("liveness_rejected_tokens_total{{reason=\"{word}\"}}");
        assert_eq!(metric(&plain, &series), counts[word], "{word}");
    }
    // What stands beside the roles is needed by nobody.
    let beside = json!({ "iss": ISSUER, "sub": "x", "uid": "1", "exp": claims()["exp"] }).to_string();
    let roles = r#""realm_access":{"x":"\ud83d","roles":["customer"]}"#;
    assert_good(&nested, "beside", &token_of(&format!("{{{roles},{}", &beside[1..])));
}

#[test]
fn a_provider_may_write_the_replacement_character_itself() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_USER_ID_CLAIM", "uid")]);
    let mut claims = claims();
    claims["uid"] = json!("1");
    claims["sub"] = json!("J\u{FFFD}rg");
    assert_good(&server, "sub", &token_of(&claims.to_string()));
}
