//! What the roles in a token allow.

use serde_json::{Value, json};

use crate::engine::Engine;
use crate::server::{Server, token};
use crate::wire::{LIST, STATUS, assert_refused, bearer, post};

/// Whether a customer's message is allowed, and whether an administrator's is.
const CUSTOMER: [bool; 2] = [true, false];
const ADMIN: [bool; 2] = [false, true];
const BOTH: [bool; 2] = [true, true];
const NEITHER: [bool; 2] = [false, false];

fn assert_access(server: &Server, claims: &Value, allowed: [bool; 2]) {
    let mut claims = claims.clone();
    claims["sub"] = json!("1234");
    let authorization = bearer(&token(&claims));
    for (message, allowed) in [STATUS, LIST].into_iter().zip(allowed) {
        let answer = post(server, message, &[("Authorization", &authorization)], "");
        let case = format!("{message} {claims}");
        if allowed {
            assert_eq!(answer.codes(), (200, "00"), "{case}");
        } else {
            assert_refused(&case, &answer, (403, "57"));
        }
    }
}

#[test]
fn the_role_decides_what_a_token_may() {
    let server = Server::start(Engine::Sqlite);
    let cases = [
        (json!({}), CUSTOMER),
        (json!({ "role": "customer" }), CUSTOMER),
        (json!({ "role": "CUSTOMER" }), CUSTOMER),
        (json!({ "role": ["Customer"] }), CUSTOMER),
        (json!({ "roles": "customer" }), CUSTOMER),
        (json!({ "roles": ["x", "customer"] }), CUSTOMER),
        (json!({ "role": "admin" }), ADMIN),
        (json!({ "role": "Admin" }), ADMIN),
        (json!({ "role": ["admin"] }), ADMIN),
        (json!({ "roles": "ADMIN" }), ADMIN),
        (json!({ "roles": ["admin", 5, null] }), ADMIN),
        (json!({ "role": ["admin", "customer"] }), BOTH),
        (json!({ "roles": ["CUSTOMER", "ADMIN"] }), BOTH),
        (json!({ "role": "customer", "roles": ["admin"] }), CUSTOMER),
        (json!({ "role": "admin", "roles": ["customer"] }), ADMIN),
        (
            json!({ "scope": "admin", "groups": ["admin"], "isAdmin": true }),
            CUSTOMER,
        ),
    ];
    for (claims, allowed) in cases {
        assert_access(&server, &claims, allowed);
    }
}

#[test]
fn a_role_claim_without_a_known_role_gives_nothing() {
    let server = Server::start(Engine::Sqlite);
    let odd = [
        Value::Null,
        json!(""),
        json!(5),
        json!(true),
        json!({}),
        json!({ "admin": true }),
        json!([]),
        json!([5]),
        json!([["admin", "customer"]]),
        json!("superuser"),
        json!("admin "),
        json!("admin,customer"),
        json!("admins"),
        json!("cu\u{17f}tomer"),
        json!("adm\u{131}n"),
        json!("ADM\u{130}N"),
    ];
    for role in odd {
        assert_access(&server, &json!({ "role": role }), NEITHER);
        assert_access(&server, &json!({ "roles": role }), NEITHER);
        assert_access(
            &server,
            &json!({ "role": role, "roles": ["admin", "customer"] }),
            NEITHER,
        );
    }
}

#[test]
fn the_role_claim_is_a_setting() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_ROLE_CLAIM", "groups")]);
    assert_access(&server, &json!({ "groups": "admin" }), ADMIN);
    assert_access(&server, &json!({ "groups": ["admin", "customer"] }), BOTH);
    assert_access(&server, &json!({ "groups": null }), NEITHER);
    assert_access(&server, &json!({ "groups": "customer", "role": "admin" }), CUSTOMER);
    assert_access(&server, &json!({ "role": "admin", "roles": "admin" }), CUSTOMER);
}
