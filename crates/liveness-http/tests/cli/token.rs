//! `token` makes tokens that `serve` takes.

use std::collections::HashSet;
use std::time::Duration;

use actix_web::rt::System;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use liveness_core::{Claims, Timestamp, UserReference};
use liveness_http::token::{TokenRules, TokenVerifier, VerificationKey, VerifiedToken};
use serde_json::{Value, json};

use crate::binary::{Ended, Place, SECRET, block_on, run, run_with};
use crate::engine::{Engine, on_each_engine};

fn mint(arguments: &[&str], settings: &[(&str, &str)]) -> String {
    mint_in(&Place::new(Engine::Sqlite), arguments, settings)
}

fn mint_in(place: &Place, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let printed = run_in(place, arguments, settings).good();
    let token = printed.strip_suffix('\n').unwrap().to_owned();
    assert!(!token.contains(char::is_whitespace), "{token}");
    token
}

fn run_in(place: &Place, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut command = place.command(&[&["token"], arguments].concat());
    command.env("LIVENESS_JWT_SECRET", SECRET);
    command.envs(settings.iter().copied()).output().unwrap().into()
}

fn verify(token: &str, rules: TokenRules) -> VerifiedToken {
    let key = VerificationKey::hs256(SECRET.as_bytes()).unwrap();
    let verifier = TokenVerifier::new(vec![key], rules);
    System::new().block_on(verifier.verify(token)).unwrap()
}

fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[test]
fn a_customer_by_id_or_by_user_id() {
    for (user, reference) in [
        ("1234", UserReference::Id(1234)),
        ("USR-00001234", UserReference::UserId("USR-00001234".into())),
    ] {
        let verified = verify(&mint(&["--user", user], &[]), TokenRules::default());
        assert_eq!(verified.user, Some(Claims::of(reference)));
        assert!(verified.principal.has_role("customer") && !verified.principal.has_role("admin"));
    }
}

#[test]
fn an_administrator_and_both_at_once() {
    let admin = verify(&mint(&["--user", "r-1", "--role", "admin"], &[]), TokenRules::default());
    let both = mint(&["--user", "1", "--role", "admin", "--role", "customer"], &[]);

    assert!(admin.principal.has_role("admin") && !admin.principal.has_role("customer"));
    assert_eq!(admin.principal.subject(), "r-1");
    let both = verify(&both, TokenRules::default());
    assert!(both.principal.has_role("admin") && both.principal.has_role("customer"));
}

#[test]
fn it_says_what_the_settings_ask_of_a_token() {
    let settings = [
        ("LIVENESS_JWT_ISSUER", "https://issuer.example"),
        ("LIVENESS_JWT_AUDIENCE", "liveness"),
        ("LIVENESS_JWT_USER_ID_CLAIM", "uid"),
        ("LIVENESS_JWT_ROLE_CLAIM", "groups"),
    ];
    let rules = TokenRules {
        issuer: Some("https://issuer.example".into()),
        audience: Some("liveness".into()),
        user_id_claim: "uid".into(),
        role_claim: Some("groups".into()),
        leeway: Duration::ZERO,
        ..TokenRules::default()
    };

    let verified = verify(&mint(&["--user", "7", "--role", "customer"], &settings), rules);

    assert_eq!(verified.user, Some(Claims::of(UserReference::Id(7))));
    assert!(verified.principal.has_role("customer"));
}

#[test]
fn it_has_an_issuer_and_the_names_that_the_settings_give_to_roles() {
    let plain = claims(&mint(&["--user", "r-1", "--role", "admin"], &[]));
    assert_eq!((&plain["iss"], plain.get("aud")), (&json!("liveness-http"), None));

    let names = "admin=liveness-reviewer,admin=boss,customer=app-user";
    let settings = [
        ("LIVENESS_ROLE_NAMES", names),
        ("LIVENESS_JWT_AUDIENCE", "any"),
        ("LIVENESS_JWT_ROLE_CLAIM", "realm_access.roles"),
        ("LIVENESS_JWT_USER_ID_CLAIM", "customer.number"),
    ];
    let minted = mint(&["--user", "7", "--role", "admin", "--role", "customer"], &settings);
    assert_eq!(claims(&minted).get("aud"), None);
    let rules = TokenRules {
        role_claim: Some("realm_access.roles".into()),
        user_id_claim: "customer.number".into(),
        role_names: names.parse().unwrap(),
        ..TokenRules::default()
    };
    let verified = verify(&minted, rules);
    assert_eq!(verified.principal.roles(), ["admin", "customer"]);
    assert_eq!(verified.principal.issuer(), Some("liveness-http"));
    assert_eq!(verified.user, Some(Claims::of(UserReference::Id(7))));
}

#[test]
fn a_name_of_the_command_line_is_for_no_token() {
    let told = run_with(&["token", "--user", "cli:root"], &[("LIVENESS_JWT_SECRET", SECRET)]);
    let (code, said) = told.failure();
    assert_eq!(code, Some(2));
    assert!(said.contains("must not begin with `cli:`"), "{said}");
}

#[test]
fn it_ends_when_it_was_told_to() {
    let claims = claims(&mint(&["--user", "1", "--expires", "10m"], &[]));

    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 600);
    assert_eq!(claims["role"], json!("customer"));
}

#[test]
fn it_signs_with_the_secret_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let in_file = [
        ("LIVENESS_JWT_SECRET", ""),
        ("LIVENESS_JWT_SECRET_FILE", file.to_str().unwrap()),
    ];

    let verified = verify(&mint(&["--user", "7"], &in_file), TokenRules::default());

    assert_eq!(verified.user, Some(Claims::of(UserReference::Id(7))));
}

#[test]
fn without_a_secret_there_is_no_token() {
    let none = run(&["token", "--user", "1"]);
    let short = run_with(&["token", "--user", "1"], &[("LIVENESS_JWT_SECRET", "canary")]);

    assert_eq!(
        none.failure(),
        (
            Some(1),
            "there is no secret to sign with: set LIVENESS_JWT_SECRET or LIVENESS_JWT_SECRET_FILE, at least 32 bytes, to that \
             of `serve`"
        )
    );
    assert_eq!(
        short.failure(),
        (Some(1), "LIVENESS_JWT_SECRET: the secret must have at least 32 bytes")
    );
    assert_eq!((none.out.as_str(), short.out.as_str()), ("", ""));
}

fn making_one_leaves_an_entry(engine: Engine) {
    let place = Place::new(engine);
    let customer = mint_in(&place, &["--user", "1234", "--expires", "10m"], &[]);
    let admin = mint_in(&place, &["--user", "r-1", "--role", "admin", "--role", "customer"], &[]);
    let named = mint_in(&place, &["--user", "USR-00001234"], &[]);

    let entries = block_on(place.store().trail().newest(9)).unwrap();
    let of = |token: &str, who: &str| {
        let claims = claims(token);
        let expires = claims["exp"].as_i64().unwrap() * 1000;
        let expires = Timestamp::from_unix_millis(expires).unwrap();
        format!("for {who}, until {expires}; jti {}", claims["jti"].as_str().unwrap())
    };
    let left: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| {
            (
                entry.subject.shown.detail.as_deref().unwrap(),
                entry.self_service_user_id,
            )
        })
        .collect();
    assert_eq!(
        left,
        [
            (&*of(&customer, "1234 as customer"), Some(1234)),
            (&*of(&admin, "r-1 as admin,customer"), None),
            (&*of(&named, "USR-00001234 as customer"), None),
        ]
    );
    for (entry, token) in entries.iter().rev().zip([customer, admin, named]) {
        assert!(
            entry.principal.starts_with("cli:") && entry.principal.len() > 4,
            "{entry:?}"
        );
        assert!(entry.roles.starts_with("operator"), "{entry:?}");
        assert_eq!(claims(&token)["act"], json!({ "sub": entry.principal }));
        let verified = verify(&token, TokenRules::default());
        assert_eq!(verified.principal.actor(), Some(&*entry.principal));
    }
    let ids: HashSet<_> = entries.iter().map(|entry| &entry.request_id).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn without_its_entry_there_is_no_token() {
    let place = Place::empty(Engine::Postgres);

    let refused = run_in(&place, &["--user", "1"], &[]);

    let (code, said) = refused.failure();
    assert_eq!((code, refused.out.as_str()), (Some(1), ""));
    assert!(said.contains("run `migrate` first"), "{said}");
}

#[test]
fn a_file_that_is_not_there_yet_is_made_and_told_of() {
    let place = Place::empty(Engine::Sqlite);

    let made = run_in(&place, &["--user", "1"], &[]);

    assert_eq!(made.code, Some(0), "{}", made.err);
    assert!(
        made.err.starts_with("liveness-http: made the database "),
        "{}",
        made.err
    );
    let entries = block_on(place.store().trail().newest(9)).unwrap();
    assert_eq!(entries.len(), 1);
    // The next one finds it.
    assert_eq!(run_in(&place, &["--user", "1"], &[]).err, "");

    // One that nobody can make is an error.
    let nowhere = [("LIVENESS_DATABASE_URL", "sqlite://none/liveness.db")];
    let refused = run_in(&place, &["--user", "1"], &nowhere);
    assert_eq!((refused.failure().0, refused.out.as_str()), (Some(1), ""));
}

#[test]
fn it_lives_an_hour_and_no_longer_than_the_settings_let_it() {
    let lifetime = |token: &str| {
        let claims = claims(token);
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
    };
    let at_most = |longest: &'static str| [("LIVENESS_JWT_MAX_LIFETIME", longest)];
    let user = ["--user", "1"];
    assert_eq!(lifetime(&mint(&user, &[])), 3600);
    assert_eq!(lifetime(&mint(&user, &at_most("2h"))), 3600);
    assert_eq!(lifetime(&mint(&user, &at_most("10m"))), 600);
    assert_eq!(
        lifetime(&mint(&["--user", "1", "--expires", "2h"], &at_most("2h"))),
        7200
    );

    let place = Place::new(Engine::Sqlite);
    let refused = run_in(&place, &["--user", "1", "--expires", "11m"], &at_most("10m"));
    let said = "--expires must be at most 10m, as LIVENESS_JWT_MAX_LIFETIME says";
    assert_eq!(refused.failure(), (Some(1), said));
    assert_eq!(place.audit(), []);
}

on_each_engine! {
    making_one_leaves_an_entry,
}
