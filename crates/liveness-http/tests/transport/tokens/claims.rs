//! What a token must say, signed as it may be.

use jsonwebtoken::get_current_timestamp;
use serde_json::{Value, json};

use super::{assert_all_refused, assert_good};
use crate::engine::Engine;
use crate::keys::{claims, hs256};
use crate::server::{ISSUER, Server};

const AUDIENCE: &str = "liveness";

fn token(claims: &Value) -> String {
    hs256(&json!({ "alg": "HS256", "typ": "JWT" }), claims)
}

/// A good token but for one claim, which is left out where there is no value.
fn with(name: &str, value: impl Into<Option<Value>>) -> String {
    let mut claims = claims();
    claims["iss"] = json!(ISSUER);
    claims["aud"] = json!(AUDIENCE);
    match value.into() {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    token(&claims)
}

fn seconds(from_now: i64) -> i64 {
    i64::try_from(get_current_timestamp()).unwrap() + from_now
}

#[test]
fn a_token_ends_and_says_when() {
    let server = Server::start(Engine::Sqlite);
    for (case, exp) in [
        ("an hour ahead", json!(seconds(3600))),
        ("just past, within the leeway", json!(seconds(-10))),
        ("a fraction", json!(seconds(3600) as f64 + 0.5)),
        ("far ahead", json!(253_402_300_799_i64)),
    ] {
        assert_good(&server, case, &with("exp", exp));
    }
    let hour = seconds(3600);
    assert_all_refused(
        &server,
        &[
            ("missing", with("exp", None)),
            ("null", with("exp", Value::Null)),
            ("a string", with("exp", json!(hour.to_string()))),
            ("a bool", with("exp", json!(true))),
            ("an array", with("exp", json!([hour]))),
            ("an object", with("exp", json!({ "exp": hour }))),
            ("negative", with("exp", json!(-1))),
            ("negative and far", with("exp", json!(-hour))),
            ("too large", with("exp", json!(1e30))),
            ("zero", with("exp", json!(0))),
            ("past", with("exp", json!(seconds(-40)))),
            ("long past", with("exp", json!(seconds(-315_360_000)))),
        ],
    );
}

#[test]
fn a_token_may_say_when_it_begins() {
    let server = Server::start(Engine::Sqlite);
    assert_good(&server, "begun", &with("nbf", json!(seconds(-1))));
    assert_good(&server, "almost begun", &with("nbf", json!(seconds(10))));
    let past = seconds(-60);
    assert_all_refused(
        &server,
        &[
            ("in a minute", with("nbf", json!(seconds(60)))),
            ("a string", with("nbf", json!(past.to_string()))),
            ("a bool", with("nbf", json!(false))),
            ("an array", with("nbf", json!([past]))),
            ("null", with("nbf", Value::Null)),
            ("negative", with("nbf", json!(-1))),
        ],
    );
}

#[test]
fn a_token_is_not_issued_tomorrow() {
    let server = Server::start(Engine::Sqlite);
    for (case, iat) in [
        ("a minute ago", json!(seconds(-60))),
        ("almost now", json!(seconds(10))),
        ("a fraction", json!(seconds(-60) as f64 + 0.5)),
        ("long ago", json!(0)),
    ] {
        assert_good(&server, case, &with("iat", iat));
    }
    let past = seconds(-60);
    assert_all_refused(
        &server,
        &[
            ("in a minute", with("iat", json!(seconds(60)))),
            ("far ahead", with("iat", json!(1e30))),
            ("a string", with("iat", json!(past.to_string()))),
            ("a bool", with("iat", json!(true))),
            ("an array", with("iat", json!([past]))),
            ("null", with("iat", Value::Null)),
        ],
    );
}

#[test]
fn the_leeway_is_a_setting() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_LEEWAY", "0s")]);
    assert_good(&server, "good", &with("exp", json!(seconds(60))));
    assert_all_refused(
        &server,
        &[
            ("just past", with("exp", json!(seconds(-10)))),
            ("about to begin", with("nbf", json!(seconds(20)))),
        ],
    );
}

#[test]
fn the_issuers_clock_may_be_wrong_by_the_leeway() {
    let server = Server::start(Engine::Sqlite);
    let patient = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_LEEWAY", "2m")]);
    let by = |wrong: i64| {
        let mut claims = claims();
        claims["iat"] = json!(seconds(wrong));
        claims["nbf"] = json!(seconds(wrong));
        claims["exp"] = json!(seconds(wrong + 30));
        token(&claims)
    };
    let days = 3 * 86_400;
    for wrong in [-20, 20] {
        assert_good(&server, "20 s", &by(wrong));
    }
    for wrong in [-90, 90] {
        assert_good(&patient, "90 s, and they may", &by(wrong));
    }
    for wrong in [-90, 90, -days, days] {
        assert_all_refused(&server, &[("90 s or three days", by(wrong))]);
    }
    assert_all_refused(&patient, &[("three days", by(-days)), ("three days", by(days))]);
}

#[test]
fn the_longest_lifetime_is_a_setting() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_MAX_LIFETIME", "2h")]);
    let issued = |iat: i64, exp: i64| {
        let mut claims = claims();
        claims["iat"] = json!(seconds(iat));
        claims["exp"] = json!(seconds(exp));
        token(&claims)
    };
    assert_good(&server, "an hour", &with("exp", json!(seconds(3600))));
    assert_good(&server, "two hours, one of them past", &issued(-3600, 3590));
    assert_all_refused(
        &server,
        &[
            ("a day", with("exp", json!(seconds(86_400)))),
            ("the year 9999", with("exp", json!(253_402_300_799_i64))),
            ("three hours, two of them past", issued(-7200, 3600)),
        ],
    );
}

#[test]
fn only_access_tokens_are_taken() {
    let server = Server::start(Engine::Sqlite);
    let typed = |typ: Value| hs256(&json!({ "alg": "HS256", "typ": typ }), &claims());
    assert_good(&server, "no type", &hs256(&json!({ "alg": "HS256" }), &claims()));
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"] {
        assert_good(&server, typ, &typed(json!(typ)));
    }
    let others = [
        "id_token+jwt",
        "logout+jwt",
        "dpop+jwt",
        "application/jwt",
        "JOSE",
        "JWT ",
        "",
    ];
    let mut cases: Vec<_> = others.iter().map(|typ| (*typ, typed(json!(typ)))).collect();
    cases.extend([("a number", typed(json!(5))), ("a list", typed(json!(["JWT"])))]);
    assert_all_refused(&server, &cases);
}

#[test]
fn an_id_token_is_no_access_token() {
    let server = Server::start(Engine::Sqlite);
    assert_all_refused(
        &server,
        &[("at_hash", with("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")))],
    );
}

#[test]
fn what_is_critical_is_not_understood() {
    let server = Server::start(Engine::Sqlite);
    let critical = |crit: Value| {
        hs256(
            &json!({ "alg": "HS256", "typ": "JWT", "crit": crit, "b64": true }),
            &claims(),
        )
    };
    assert_all_refused(
        &server,
        &[
            ("exp-foo", critical(json!(["exp-foo"]))),
            ("b64", critical(json!(["b64"]))),
            ("exp", critical(json!(["exp"]))),
            ("empty", critical(json!([]))),
            ("text", critical(json!("exp-foo"))),
            ("a number", critical(json!(1))),
            ("null", critical(Value::Null)),
        ],
    );
    assert_good(
        &server,
        "not critical",
        &hs256(&json!({ "alg": "HS256", "exp-foo": 1 }), &claims()),
    );
}

#[test]
fn a_token_has_at_most_8_kb() {
    const LIMIT: usize = 8 * 1024;
    let server = Server::start(Engine::Sqlite);
    let padded = |length: usize| with("pad", json!("x".repeat(length)));
    // Base64 grows by steps: the last token within the limit, and the one after it.
    let steps: Vec<_> = (LIMIT / 2..LIMIT).map(padded).collect();
    let first = steps.iter().position(|token| token.len() > LIMIT).unwrap();
    assert!(steps[first - 1].len() >= LIMIT - 2);

    assert_good(&server, "8 KB", &steps[first - 1]);
    assert_all_refused(
        &server,
        &[("8 KB and a bit", steps[first].clone()), ("64 KB", padded(48 * 1024))],
    );
}
