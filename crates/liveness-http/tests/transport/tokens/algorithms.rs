//! The four kinds of public keys, and the secret beside them.

use std::process::Command;

use actix_web::rt::System;
use liveness_http::token::{TokenFlaw, TokenRules, TokenVerifier, VerificationKey};
use serde_json::json;

use super::{assert_all_refused, assert_good};
use crate::engine::Engine;
use crate::keys::{KeyPair, claims, hmac_sha256, hs256, jwt};
use crate::server::{Server, customer};

fn kinds() -> [KeyPair; 4] {
    [KeyPair::rsa(), KeyPair::p256(), KeyPair::p384(), KeyPair::ed25519()]
}

#[test]
fn tokens_of_every_supported_algorithm_pass_beside_those_of_the_secret() {
    for pair in kinds() {
        let (server, _file) = pair.server();

        assert_good(&server, pair.algorithm(), &pair.token(&claims()));
        assert_good(&server, "HS256", &customer(1));
    }
}

#[test]
fn a_key_verifies_its_own_tokens_only() {
    for pair in kinds() {
        let (server, _file) = pair.server();
        assert_good(&server, "its own", &pair.token(&claims()));

        let others = kinds();
        assert_all_refused(
            &server,
            &others.map(|other| (other.algorithm(), other.token(&claims()))),
        );

        let names = ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA"].into_iter();
        let mislabelled = names.filter(|name| *name != pair.algorithm()).map(|name| {
            let header = json!({ "alg": name, "typ": "JWT" });
            (name, jwt(&header, &claims(), |message| pair.sign(message)))
        });
        assert_all_refused(&server, &mislabelled.collect::<Vec<_>>());
    }
}

#[test]
fn without_a_public_key_only_the_secret_counts() {
    let server = Server::start(Engine::Sqlite);
    assert_good(&server, "HS256", &customer(1));

    let foreign = kinds();
    assert_all_refused(&server, &foreign.map(|pair| (pair.algorithm(), pair.token(&claims()))));
}

#[test]
fn with_a_public_key_alone_nothing_makes_a_secret_of_it() {
    for pair in kinds() {
        let key = VerificationKey::from_pem(pair.public_pem().as_bytes()).unwrap();
        let verifier = TokenVerifier::new(vec![key], TokenRules::default());
        let verify = |token: &str| System::new().block_on(verifier.verify(token));
        assert!(verify(&pair.token(&claims())).is_ok());

        let header = json!({ "alg": "HS256", "typ": "JWT" });
        for secret in [pair.public_pem().into_bytes(), pair.public_der()] {
            let forged = jwt(&header, &claims(), |message| hmac_sha256(&secret, message));
            assert_eq!(verify(&forged).unwrap_err().flaw(), TokenFlaw::Algorithm);
        }
        let by_secret = verify(&hs256(&header, &claims()));
        assert_eq!(by_secret.unwrap_err().flaw(), TokenFlaw::Algorithm);
    }
}

#[test]
fn a_pem_of_another_curve_is_refused_although_its_points_are_as_long() {
    for curve in ["secp256k1", "brainpoolP256r1", "brainpoolP384r1", "secp521r1"] {
        let made = Command::new("sh")
            .args([
                "-c",
                &format!("openssl ecparam -name {curve} -genkey -noout | openssl ec -pubout"),
            ])
            .output()
            .unwrap();
        assert!(made.stdout.starts_with(b"-----BEGIN PUBLIC KEY"), "{curve}: {made:?}");
        let told = VerificationKey::from_pem(&made.stdout).unwrap_err().to_string();
        assert!(told.contains("P-256 or P-384"), "{curve}: {told}");
    }
}
