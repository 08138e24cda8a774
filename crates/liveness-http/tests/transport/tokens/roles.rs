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
    assert_access(&server, &json!({ "role": "admin", "roles": "admin" }), NEITHER);
    assert_access(&server, &json!({}), NEITHER);
}

#[test]
fn once_the_setting_is_set_a_token_without_the_claim_has_no_role() {
    for setting in ["role", "roles", "groups", "realm_access.roles", ".", "customer"] {
        let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_ROLE_CLAIM", setting)]);
        assert_access(&server, &json!({}), NEITHER);
        assert_access(&server, &json!({ "realm_access": { "roles": [] } }), NEITHER);
        assert_access(&server, &json!({ "realm_access": "customer" }), NEITHER);
    }
}

#[test]
fn the_role_claim_may_be_a_path() {
    let cases = [
        (
            "realm_access.roles",
            json!({ "realm_access": { "roles": ["admin", "x"] } }),
        ),
        (
            "resource_access.my-app.roles",
            json!({ "resource_access": { "my-app": { "roles": ["admin"] }, "roles": ["customer"] } }),
        ),
        (
            "resource_access.my.app.roles",
            json!({ "resource_access": { "my.app": { "roles": ["admin"] }, "my": { "roles": ["customer"] } } }),
        ),
        ("a.b.c.d", json!({ "a": { "b": { "c": { "d": "Admin" } } } })),
        ("a.b", json!({ "a.b": "admin", "a": { "b": "customer" } })),
        (
            "https://example.com/roles",
            json!({ "https://example.com/roles": ["admin"] }),
        ),
        (
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
            json!({ "http://schemas.microsoft.com/ws/2008/06/identity/claims/role": "admin" }),
        ),
    ];
    for (setting, claims) in cases {
        let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_ROLE_CLAIM", setting)]);
        assert_access(&server, &claims, ADMIN);
        assert_access(&server, &json!({ "role": "admin", "roles": ["customer"] }), NEITHER);
    }
}

#[test]
fn a_role_of_another_type_is_none_at_the_end_of_a_path_too() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_ROLE_CLAIM", "realm_access.roles")]);
    for odd in [
        Value::Null,
        json!(5),
        json!(true),
        json!({ "customer": true }),
        json!([5]),
        json!([["customer"]]),
    ] {
        assert_access(&server, &json!({ "realm_access": { "roles": odd } }), NEITHER);
        // The whole name goes first, whatever it holds.
        let shadowed = json!({ "realm_access.roles": odd, "realm_access": { "roles": ["admin", "customer"] } });
        assert_access(&server, &shadowed, NEITHER);
    }
}

#[test]
fn the_provider_may_have_its_own_names_for_roles() {
    let names = "admin=liveness-reviewer,admin=Boss,customer=app-user";
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_ROLE_NAMES", names)]);
    for (role, allowed) in [
        ("liveness-reviewer", ADMIN),
        ("LIVENESS-REVIEWER", ADMIN),
        ("boss", ADMIN),
        ("App-User", CUSTOMER),
        ("admin", NEITHER),
        ("customer", NEITHER),
        ("officer", NEITHER),
    ] {
        assert_access(&server, &json!({ "role": role }), allowed);
        assert_access(&server, &json!({ "roles": ["other", role] }), allowed);
    }
    assert_access(&server, &json!({ "roles": ["boss", "app-user"] }), BOTH);
    // By the default setting, no role claim at all.
    assert_access(&server, &json!({}), CUSTOMER);
}

#[test]
fn a_role_without_a_name_of_the_provider_keeps_its_own() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_ROLE_NAMES", "admin=reviewer")]);
    assert_access(&server, &json!({ "role": "customer" }), CUSTOMER);
    assert_access(&server, &json!({ "role": ["customer", "reviewer"] }), BOTH);
}
