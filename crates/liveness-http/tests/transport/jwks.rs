//! The keys of an identity provider, as they come, go and stay away: in this process, so that the pace can be chosen.

use std::future::Future;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use actix_web::rt::System;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use liveness_http::token::{Jwks, JwksPace, TokenFlaw, TokenRules, TokenVerifier, VerificationKey};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::keys::{KeyPair, claims, hmac_sha256, jwt};
use crate::provider::Provider;
use crate::server::SECRET;

/// As the host has it, but that a fetch may follow upon the last, and that nobody is let go without an answer.
const EAGER: JwksPace = JwksPace {
    period: Duration::from_secs(3600),
    cooldown: Duration::ZERO,
    lifetime: Duration::from_secs(3600),
    patience: Duration::from_secs(60),
};

fn run<T>(test: impl Future<Output = T>) -> T {
    System::new().block_on(test)
}

fn verifier(location: &str, pace: JwksPace) -> TokenVerifier {
    let jwks = Jwks::open_with(location, pace).unwrap();
    TokenVerifier::new(Vec::new(), TokenRules::default()).with_jwks(jwks)
}

/// What is wrong with a token, if anything.
async fn flaw(verifier: &TokenVerifier, token: &str) -> Option<TokenFlaw> {
    verifier.verify(token).await.err().map(|error| error.flaw())
}

fn one_of_each() -> [KeyPair; 3] {
    [KeyPair::rsa(), KeyPair::p256(), KeyPair::ed25519()]
}

fn published(pairs: &[KeyPair]) -> Vec<Value> {
    let names = ["rsa", "p256", "ed25519"];
    pairs.iter().zip(names).map(|(pair, name)| pair.jwk(name)).collect()
}

#[test]
fn tokens_of_every_algorithm_pass_by_the_name_of_their_key_or_by_their_algorithm_alone() {
    run(async {
        let pairs = one_of_each();
        let provider = Provider::of(&published(&pairs));
        let verifier = verifier(&provider.url(), JwksPace::default());

        for (pair, name) in pairs.iter().zip(["rsa", "p256", "ed25519"]) {
            assert_eq!(
                flaw(&verifier, &pair.named_token(name, &claims())).await,
                None,
                "{name}"
            );
            assert_eq!(flaw(&verifier, &pair.token(&claims())).await, None, "{name}");
        }
        assert_eq!(provider.fetches(), 1);
    });
}

#[test]
fn a_new_key_is_found_when_it_is_named_and_an_old_one_ends() {
    run(async {
        let (old, new) = (KeyPair::p256(), KeyPair::rsa());
        let provider = Provider::of(&[old.jwk("old")]);
        let verifier = verifier(&provider.url(), EAGER);
        let (of_old, of_new) = (old.named_token("old", &claims()), new.named_token("new", &claims()));
        assert_eq!(flaw(&verifier, &of_old).await, None);

        provider.publish(&[old.jwk("old"), new.jwk("new")]);
        assert_eq!(flaw(&verifier, &of_new).await, None);
        assert_eq!(flaw(&verifier, &of_old).await, None);

        provider.publish(&[new.jwk("new")]);
        assert_eq!(
            flaw(&verifier, &KeyPair::rsa().named_token("x", &claims())).await,
            Some(TokenFlaw::Key)
        );
        assert_eq!(flaw(&verifier, &of_old).await, Some(TokenFlaw::Key));
        assert_eq!(flaw(&verifier, &of_new).await, None);
    });
}

#[test]
fn keys_are_fetched_again_without_being_asked_for() {
    run(async {
        let (old, new) = (KeyPair::p256(), KeyPair::p256());
        let provider = Provider::of(&[old.jwk("key")]);
        let period = Duration::from_millis(50);
        let verifier = verifier(&provider.url(), JwksPace { period, ..EAGER });
        assert_eq!(flaw(&verifier, &old.named_token("key", &claims())).await, None);

        // The same name, so that no token of it brings about a fetch.
        provider.publish(&[new.jwk("key")]);
        let begun = Instant::now();
        while flaw(&verifier, &new.named_token("key", &claims())).await.is_some() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            actix_web::rt::time::sleep(period).await;
        }
        assert_eq!(
            flaw(&verifier, &old.named_token("key", &claims())).await,
            Some(TokenFlaw::Signature)
        );
    });
}

#[test]
fn a_provider_that_answers_nonsense_takes_no_key_away() {
    run(async {
        let pair = KeyPair::p256();
        let provider = Provider::of(&[pair.jwk("key")]);
        let elsewhere = Provider::of(&[pair.jwk("key"), KeyPair::p256().jwk("other")]);
        let verifier = verifier(&provider.url(), EAGER);
        let good = pair.named_token("key", &claims());
        let unknown = KeyPair::p256().named_token("unknown", &claims());
        assert_eq!(flaw(&verifier, &good).await, None);

        let keys = json!({ "keys": [pair.jwk("unknown")] }).to_string();
        let spaces = " ".repeat(256 * 1024);
        let many = vec![pair.jwk("unknown"); 101];
        let redirect = format!("Location: {}\r\n", elsewhere.url());
        let answers = [
            ("nothing", "200 OK", "", ""),
            ("HTML", "200 OK", "", "<html>keys</html>"),
            ("no keys", "200 OK", "", r#"{"keys":[]}"#),
            ("no list", "200 OK", "", r#"{"keys":{}}"#),
            ("a list", "200 OK", "", "[]"),
            ("an error", "500 Internal Server Error", "", &keys),
            ("not found", "404 Not Found", "", &keys),
            ("a redirect", "302 Found", &redirect, &keys),
            ("a redirect that stays", "308 Permanent Redirect", &redirect, &keys),
            ("too much", "200 OK", "", &format!("{spaces}{keys}")),
            ("too many", "200 OK", "", &json!({ "keys": many }).to_string()),
        ];
        for (case, status, headers, body) in answers {
            provider.answer(status, headers, body);
            let fetches = provider.fetches();
            assert_eq!(flaw(&verifier, &unknown).await, Some(TokenFlaw::Key), "{case}");
            assert_eq!(provider.fetches(), fetches + 1, "{case}");
            assert_eq!(flaw(&verifier, &good).await, None, "{case}");
        }
        provider.answer_with("");
        assert_eq!(flaw(&verifier, &unknown).await, Some(TokenFlaw::Key));
        provider.answer_with("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\nConnection: close\r\n\r\n{");
        assert_eq!(flaw(&verifier, &unknown).await, Some(TokenFlaw::Key));
        assert_eq!(flaw(&verifier, &good).await, None);
        assert_eq!(elsewhere.fetches(), 0, "it followed a redirect");
    });
}

#[test]
fn a_thousand_unknown_keys_cause_one_fetch() {
    run(async {
        let pair = KeyPair::p256();
        let provider = Provider::of(&[pair.jwk("key")]);
        let verifier = verifier(&provider.url(), JwksPace::default());
        let begun = Instant::now();
        for number in 0..1_000 {
            let token = pair.named_token(&format!("unknown-{number}"), &claims());
            assert_eq!(flaw(&verifier, &token).await, Some(TokenFlaw::Key));
        }
        // The first, and those that a slow machine has earned.
        let most = 1 + begun.elapsed().as_secs() / 30;
        assert!((1..=most).contains(&(provider.fetches() as u64)));
        assert_eq!(flaw(&verifier, &pair.named_token("key", &claims())).await, None);
    });
}

#[test]
fn a_token_that_a_nameless_key_verifies_brings_about_no_fetch() {
    run(async {
        let (pair, others) = (KeyPair::rsa(), [KeyPair::p256(), KeyPair::p256()]);
        let mut jwk = pair.jwk("none");
        jwk.as_object_mut().unwrap().remove("kid");
        let provider = Provider::of(&[jwk, others[0].jwk("a"), others[1].jwk("b")]);
        let verifier = verifier(&provider.url(), EAGER);
        for number in 0..10 {
            assert_eq!(
                flaw(&verifier, &pair.named_token(&format!("r{number}"), &claims())).await,
                None
            );
            assert_eq!(flaw(&verifier, &pair.token(&claims())).await, None);
            // A name is missing here, not a key.
            let unnamed = others[0].token(&claims());
            assert_eq!(flaw(&verifier, &unnamed).await, Some(TokenFlaw::Key));
            let of_another_algorithm = jwt(&json!({ "alg": "PS256", "kid": "a" }), &claims(), |_| Vec::new());
            assert_eq!(flaw(&verifier, &of_another_algorithm).await, Some(TokenFlaw::Algorithm));
        }
        assert_eq!(provider.fetches(), 1);

        let stranger = KeyPair::rsa().named_token("r1", &claims());
        assert_eq!(flaw(&verifier, &stranger).await, Some(TokenFlaw::Key));
        assert_eq!(provider.fetches(), 2);
    });
}

#[test]
fn all_who_wait_for_a_key_wait_for_the_same_fetch() {
    run(async {
        let pair = KeyPair::p256();
        let provider = Provider::of(&[pair.jwk("key")]);
        provider.hold();
        let verifier = verifier(&provider.url(), EAGER);
        let token = pair.named_token("key", &claims());
        let waiting: Vec<_> = (0..1_000)
            .map(|_| {
                let (verifier, token) = (verifier.clone(), token.clone());
                actix_web::rt::spawn(async move { flaw(&verifier, &token).await })
            })
            .collect();
        // Lets all of them begin. The runtime runs some tens of tasks each time.
        for _ in 0..100 {
            actix_web::rt::task::yield_now().await;
        }
        provider.release();
        for one in waiting {
            assert_eq!(one.await.unwrap(), None);
        }
        assert_eq!(provider.fetches(), 1);
    });
}

#[test]
fn a_provider_that_does_not_answer_keeps_nobody() {
    run(async {
        let pair = KeyPair::p256();
        let provider = Provider::of(&[pair.jwk("key")]);
        let verifier = verifier(
            &provider.url(),
            JwksPace {
                cooldown: Duration::ZERO,
                ..JwksPace::default()
            },
        );
        let good = pair.named_token("key", &claims());
        assert_eq!(flaw(&verifier, &good).await, None);

        provider.hold();
        // It comes back although the provider is still silent.
        let unknown = KeyPair::p256().named_token("unknown", &claims());
        assert_eq!(flaw(&verifier, &unknown).await, Some(TokenFlaw::Key));
        assert_eq!(flaw(&verifier, &good).await, None);
        assert_eq!(provider.fetches(), 2);
        provider.release();
    });
}

#[test]
fn keys_end_when_their_provider_was_away_for_too_long() {
    run(async {
        let pair = KeyPair::p256();
        let provider = Provider::of(&[pair.jwk("key")]);
        let pace = JwksPace {
            lifetime: Duration::from_millis(500),
            ..EAGER
        };
        let verifier = verifier(&provider.url(), pace);
        let token = pair.named_token("key", &claims());
        provider.wait_for_fetches(1);

        provider.answer("503 Service Unavailable", "", "");
        let begun = Instant::now();
        while flaw(&verifier, &token).await.is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60));
        }
        assert_eq!(flaw(&verifier, &token).await, Some(TokenFlaw::Key));
        provider.publish(&[pair.jwk("key")]);
        // On a machine that takes half a second from the fetch to here it is over again.
        let begun = Instant::now();
        while flaw(&verifier, &token).await.is_some() {
            assert!(begun.elapsed() < Duration::from_secs(60));
        }
    });
}

#[test]
fn a_provider_may_come_later_than_the_host() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let pair = KeyPair::p256();
        let verifier = verifier(&format!("http://{address}/jwks.json"), EAGER);
        let token = pair.named_token("key", &claims());
        assert_eq!(flaw(&verifier, &token).await, Some(TokenFlaw::Key));

        let provider = Provider::on(TcpListener::bind(address).unwrap());
        provider.publish(&[pair.jwk("key")]);
        assert_eq!(flaw(&verifier, &token).await, None);
    });
}

#[test]
fn a_file_is_read_again_and_may_be_away() {
    run(async {
        let (old, new) = (KeyPair::p256(), KeyPair::ed25519());
        let file = NamedTempFile::new().unwrap();
        let write = |keys: &[Value]| std::fs::write(file.path(), json!({ "keys": keys }).to_string()).unwrap();
        write(&[old.jwk("old")]);
        let verifier = verifier(file.path().to_str().unwrap(), EAGER);
        assert_eq!(flaw(&verifier, &old.named_token("old", &claims())).await, None);

        write(&[new.jwk("new")]);
        let of_new = new.named_token("new", &claims());
        assert_eq!(flaw(&verifier, &of_new).await, None);
        assert_eq!(
            flaw(&verifier, &old.named_token("old", &claims())).await,
            Some(TokenFlaw::Key)
        );

        std::fs::remove_file(file.path()).unwrap();
        assert_eq!(flaw(&verifier, &of_new).await, None);
    });
}

#[test]
fn a_flaw_is_told_apart_for_those_who_count() {
    run(async {
        let pairs = one_of_each();
        let provider = Provider::of(&published(&pairs));
        let verifier = verifier(&provider.url(), JwksPace::default());
        let [rsa, p256, _] = &pairs;
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            p256.named_token("p256", &claims)
        };
        let signed = |header: Value, pair: &KeyPair| jwt(&header, &claims(), |message| pair.sign(message));
        let pss = |message: &[u8]| rsa.sign_rsa(&RSA_PSS_SHA256, message);
        let cases = [
            ("nonsense".to_owned(), TokenFlaw::Malformed),
            (
                signed(json!({ "alg": "ES256", "kid": "p256", "crit": [] }), p256),
                TokenFlaw::Malformed,
            ),
            (signed(json!({ "alg": "none" }), p256), TokenFlaw::Algorithm),
            (
                jwt(&json!({ "alg": "PS256", "kid": "rsa" }), &claims(), pss),
                TokenFlaw::Algorithm,
            ),
            (
                signed(json!({ "alg": "HS256", "kid": "rsa" }), rsa),
                TokenFlaw::Algorithm,
            ),
            (p256.named_token("nobody", &claims()), TokenFlaw::Key),
            (KeyPair::p256().named_token("p256", &claims()), TokenFlaw::Signature),
            (with("exp", json!(1_000_000_000)), TokenFlaw::Expired),
            (with("exp", Value::Null), TokenFlaw::Claims),
            (with("nbf", json!(9_000_000_000_u64)), TokenFlaw::Claims),
            (with("iat", json!(9_000_000_000_u64)), TokenFlaw::Claims),
            (with("at_hash", json!("x")), TokenFlaw::Claims),
            (with("iss", json!(5)), TokenFlaw::Issuer),
            (with("aud", json!(5)), TokenFlaw::Audience),
            (with("sub", json!(true)), TokenFlaw::Subject),
            (with("pad", json!("x".repeat(8192))), TokenFlaw::TooLarge),
        ];
        for (token, expected) in cases {
            let error = verifier.verify(&token).await.unwrap_err();
            assert_eq!(
                (error.flaw(), error.to_string()),
                (expected, "invalid_token".to_owned()),
                "{token}"
            );
        }
    });
}

#[test]
fn keys_without_a_name_stand_beside_those_of_a_provider() {
    run(async {
        let (theirs, unnamed) = (KeyPair::rsa(), KeyPair::rsa());
        let provider = Provider::of(&[theirs.jwk("theirs")]);
        let keys = vec![
            VerificationKey::hs256(SECRET.as_bytes()).unwrap(),
            VerificationKey::from_pem(unnamed.public_pem().as_bytes()).unwrap(),
        ];
        let jwks = Jwks::open_with(&provider.url(), JwksPace::default()).unwrap();
        let verifier = TokenVerifier::new(keys, TokenRules::default()).with_jwks(jwks);

        let secret = |header: Value| jwt(&header, &claims(), |message| hmac_sha256(SECRET.as_bytes(), message));
        for (case, token) in [
            ("theirs", theirs.named_token("theirs", &claims())),
            ("theirs, without its name", theirs.token(&claims())),
            ("of the file", unnamed.token(&claims())),
            ("of the file, with a name", unnamed.named_token("any", &claims())),
            ("of the secret", secret(json!({ "alg": "HS256" }))),
            (
                "of the secret, with a name",
                secret(json!({ "alg": "HS256", "kid": "any" })),
            ),
        ] {
            assert_eq!(flaw(&verifier, &token).await, None, "{case}");
        }
        let forged = unnamed.named_token("theirs", &claims());
        assert_eq!(flaw(&verifier, &forged).await, Some(TokenFlaw::Signature));
        let by_name = theirs.named_token("other", &claims());
        assert_eq!(flaw(&verifier, &by_name).await, Some(TokenFlaw::Key));
    });
}
