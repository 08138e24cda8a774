//! Tokens of an identity provider that we did not write: npm's `oidc-provider`, run by `tests/oidc/provider.mjs`.

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::oidc_provider::Provider;
use crate::server::Server;
use crate::wire::{LIST, STATUS};

const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "ES384"];

/// An access token of a client that has nothing but itself (the grant `client_credentials`).
fn token_of(provider: &Provider, client: &str, algorithm: &str) -> String {
    let credentials = BASE64_STANDARD.encode(format!("{client}:secret"));
    let form = [
        ("grant_type", "client_credentials"),
        ("resource", &format!("https://liveness.example/{algorithm}")),
    ];
    let answer = ureq::post(format!("{}/token", provider.issuer()))
        .header("Authorization", format!("Basic {credentials}"))
        .send_form(form);
    let answer: Value = answer.unwrap().body_mut().read_json().unwrap();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(
        (format!("{:?}", header.alg).as_str(), header.typ.as_deref()),
        (algorithm, Some("at+jwt"))
    );
    token
}

fn ask(server: &Server, token: &str) -> u16 {
    server.send(STATUS, token, &json!({})).status
}

#[test]
#[ignore = "needs Node.js and oidc-provider: .ci/test"]
fn tokens_of_a_real_provider_pass_through_a_rotation_of_its_keys_and_its_end() {
    let mut provider = Provider::start();
    let server = Server::with(
        Engine::Sqlite,
        &[
            ("LIVENESS_JWT_JWKS", &format!("{}/jwks", provider.issuer())),
            ("LIVENESS_JWT_ISSUER", provider.issuer()),
            ("LIVENESS_JWT_AUDIENCE", "liveness"),
        ],
    );
    let old = ALGORITHMS.map(|algorithm| token_of(&provider, "1234", algorithm));
    for (algorithm, token) in ALGORITHMS.iter().zip(&old) {
        assert_eq!(ask(&server, token), 200, "{algorithm}");
        assert_eq!(server.send(LIST, token, &json!({})).codes(), (403, "57"), "{algorithm}");
        let admin = token_of(&provider, "reviewer", algorithm);
        assert_eq!(
            server.send(LIST, &admin, &json!({})).codes(),
            (200, "00"),
            "{algorithm}"
        );
    }

    provider.tell("rotate");
    let new = ALGORITHMS.map(|algorithm| token_of(&provider, "1234", algorithm));
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid;
    let begun = Instant::now();
    for (old, new) in old.iter().zip(&new) {
        assert_ne!(kid(old), kid(new));
        while ask(&server, new) != 200 {
            assert_eq!(ask(&server, old), 200);
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", server.log());
            thread::sleep(Duration::from_millis(500));
        }
    }

    drop(provider);
    for token in old.iter().chain(&new) {
        assert_eq!(ask(&server, token), 200);
    }
}
