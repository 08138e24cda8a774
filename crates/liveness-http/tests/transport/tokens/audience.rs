//! For whom a token is, and whose it is.

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
    claims["aud"] = json!(AUDIENCE);
    match value.into() {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    token(&claims)
}

#[test]
fn the_configured_issuer_and_audience_are_required() {
    let server = Server::with(
        Engine::Sqlite,
        &[("LIVENESS_JWT_ISSUER", ISSUER), ("LIVENESS_JWT_AUDIENCE", AUDIENCE)],
    );
    for (case, audience) in [
        ("ours", json!(AUDIENCE)),
        ("ours among others", json!(["other", AUDIENCE])),
    ] {
        assert_good(&server, case, &with("aud", audience));
    }
    let issuers = [
        Value::Null,
        json!(5),
        json!(""),
        json!([ISSUER]),
        json!(["https://evil.example", ISSUER]),
        json!({ "iss": ISSUER }),
        json!("https://evil.example"),
        json!(format!("{ISSUER}/")),
        json!(format!(" {ISSUER}")),
        json!(ISSUER.to_uppercase()),
        json!("https://issuer.exam\u{440}le"),
    ];
    let audiences = [
        Value::Null,
        json!(5),
        json!(""),
        json!([]),
        json!(["other"]),
        json!([AUDIENCE, 5]),
        json!([[AUDIENCE]]),
        json!({ "aud": AUDIENCE }),
        json!("other"),
        json!("live"),
        json!("liveness2"),
        json!("Liveness"),
    ];
    let mut cases = vec![("no issuer", with("iss", None)), ("no audience", with("aud", None))];
    cases.extend(issuers.map(|issuer| ("another issuer", with("iss", issuer))));
    cases.extend(audiences.map(|audience| ("another audience", with("aud", audience))));
    assert_all_refused(&server, &cases);
}

#[test]
fn an_issuer_and_an_audience_that_are_not_configured_still_have_their_type() {
    let server = Server::start(Engine::Sqlite);
    assert_good(&server, "any issuer", &with("iss", json!("anybody")));
    assert_good(&server, "any audience", &with("aud", json!(["anything", "else"])));
    assert_good(&server, "no issuer", &with("iss", None));
    assert_good(&server, "no audience", &with("aud", None));

    let odd = [Value::Null, json!(5), json!(true), json!({ "is": "text" }), json!([5])];
    let mut cases = vec![("a list of issuers", with("iss", json!(["anybody"])))];
    for name in ["iss", "aud"] {
        cases.extend(odd.iter().map(|odd| (name, with(name, odd.clone()))));
    }
    assert_all_refused(&server, &cases);
}

#[test]
fn a_claim_may_stand_in_for_a_missing_audience() {
    for (setting, nested) in [
        ("client_id", false),
        ("azp", false),
        ("https://example.com/aud", false),
        ("azp.aud", true),
    ] {
        let server = Server::with(
            Engine::Sqlite,
            &[
                ("LIVENESS_JWT_AUDIENCE", AUDIENCE),
                ("LIVENESS_JWT_AUDIENCE_CLAIM", setting),
            ],
        );
        let of = |audience: Option<Value>, stand_in: Option<Value>| {
            let mut claims = claims();
            if let Some(audience) = audience {
                claims["aud"] = audience;
            }
            match stand_in {
                Some(value) if nested => claims["azp"] = json!({ "aud": value }),
                Some(value) => claims[setting] = value,
                None => {}
            }
            token(&claims)
        };
        let ours = || Some(json!(AUDIENCE));
        let other = || Some(json!("other"));
        assert_good(&server, setting, &of(None, ours()));
        assert_good(&server, setting, &of(None, Some(json!(["other", AUDIENCE]))));
        assert_good(&server, setting, &of(ours(), None));
        assert_good(&server, setting, &of(ours(), other()));
        let mut cases = vec![
            ("neither", of(None, None)),
            ("another", of(None, other())),
            ("a wrong audience stays wrong", of(other(), ours())),
        ];
        for odd in [
            Value::Null,
            json!(5),
            json!([]),
            json!(""),
            json!({ "a": AUDIENCE }),
            json!([AUDIENCE, 5]),
        ] {
            cases.push(("of another type", of(None, Some(odd.clone()))));
            cases.push(("an audience of another type", of(Some(odd), ours())));
        }
        assert_all_refused(&server, &cases);
    }
}

#[test]
fn without_the_setting_nothing_stands_in_for_an_audience() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_AUDIENCE", AUDIENCE)]);
    assert_good(&server, "ours", &with("client_id", json!("other")));
    let mut claims = claims();
    claims["client_id"] = json!(AUDIENCE);
    claims["azp"] = json!(AUDIENCE);
    assert_all_refused(&server, &[("client_id", token(&claims))]);
}

#[test]
fn any_audience_is_none_that_is_asked_for() {
    let server = Server::with(
        Engine::Sqlite,
        &[
            ("LIVENESS_JWT_AUDIENCE", "any"),
            ("LIVENESS_JWT_AUDIENCE_CLAIM", "client_id"),
        ],
    );
    assert_good(&server, "none", &with("aud", None));
    assert_good(&server, "other", &with("aud", json!("other")));
    assert_good(&server, "client_id", &with("client_id", json!("other")));
    assert_all_refused(&server, &[("of another type", with("aud", json!(5)))]);
}
