//! What a forger can make of a host that takes its keys from an identity provider.

use std::io::ErrorKind;
use std::net::TcpListener;

use aws_lc_rs::signature::RSA_PSS_SHA256;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{assert_all_refused, assert_good};
use crate::engine::Engine;
use crate::keys::{KeyPair, claims, hmac_sha256, jwt};
use crate::metrics::wait_for;
use crate::provider::Provider;
use crate::server::{ISSUER, Server, customer};
use crate::tls_identity::Identity;
use crate::wire::settled_log;

pub(super) fn server(location: &str) -> Server {
    let settings = [
        ("LIVENESS_JWT_JWKS", location),
        ("LIVENESS_JWT_ISSUER", ISSUER),
        ("LIVENESS_JWT_AUDIENCE", "any"),
    ];
    Server::with(Engine::Sqlite, &settings)
}

pub(super) fn file_of(keys: &[Value]) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!({ "keys": keys }).to_string()).unwrap();
    file
}

/// Pairs, and a server that has their public keys by name.
fn of_each() -> ([(&'static str, KeyPair); 5], Server, NamedTempFile) {
    let pairs = [
        ("rsa", KeyPair::rsa()),
        ("p256", KeyPair::p256()),
        ("p384", KeyPair::p384()),
        ("ed25519", KeyPair::ed25519()),
        ("another-p256", KeyPair::p256()),
    ];
    let file = file_of(&pairs.each_ref().map(|(name, pair)| pair.jwk(name)));
    let server = server(file.path().to_str().unwrap());
    for (name, pair) in &pairs {
        assert_good(&server, name, &pair.named_token(name, &claims()));
    }
    (pairs, server, file)
}

#[test]
fn a_key_verifies_what_it_signed_under_its_own_name_and_algorithm() {
    let (pairs, server, _file) = of_each();
    assert_good(&server, "the secret beside them", &customer(1));
    assert_good(&server, "the only RSA key", &pairs[0].1.token(&claims()));

    let mut cases = vec![("no name, and two keys of the algorithm", pairs[1].1.token(&claims()))];
    for (_, signer) in &pairs {
        for algorithm in [
            "HS256", "RS256", "PS256", "RS512", "ES256", "ES384", "EdDSA", "none", "None", "",
        ] {
            for (kid, named) in &pairs {
                if (algorithm, signer.public_der()) != (named.algorithm(), named.public_der()) {
                    let header = json!({ "alg": algorithm, "kid": kid });
                    cases.push((*kid, jwt(&header, &claims(), |message| signer.sign(message))));
                }
            }
        }
    }
    let pss = |message: &[u8]| pairs[0].1.sign_rsa(&RSA_PSS_SHA256, message);
    for algorithm in ["RS256", "PS256"] {
        cases.push(("PSS", jwt(&json!({ "alg": algorithm, "kid": "rsa" }), &claims(), pss)));
    }
    cases.push((
        "zeros",
        jwt(&json!({ "alg": "ES256", "kid": "p256" }), &claims(), |_| vec![0; 64]),
    ));
    cases.push((
        "no signature",
        jwt(&json!({ "alg": "RS256", "kid": "rsa" }), &claims(), |_| Vec::new()),
    ));
    assert_all_refused(&server, &cases);
}

#[test]
fn a_published_key_is_not_a_secret() {
    let (pairs, server, _file) = of_each();
    let mut cases = Vec::new();
    for (name, pair) in &pairs {
        let jwk = pair.jwk(name);
        let texts = ["n", "e", "x", "y"].iter().filter_map(|part| jwk.get(part)?.as_str());
        let decoded = texts.clone().map(|text| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap());
        let mut secrets: Vec<Vec<u8>> = texts
            .clone()
            .map(|text| text.as_bytes().to_vec())
            .chain(decoded)
            .collect();
        secrets.extend([
            pair.public_pem().into_bytes(),
            pair.public_der(),
            jwk.to_string().into_bytes(),
        ]);
        for header in [json!({ "alg": "HS256", "kid": name }), json!({ "alg": "HS256" })] {
            for secret in &secrets {
                cases.push((*name, jwt(&header, &claims(), |message| hmac_sha256(secret, message))));
            }
        }
    }
    assert_all_refused(&server, &cases);
}

#[test]
fn a_key_id_is_looked_up_and_nothing_else() {
    let pair = KeyPair::p256();
    let provider = Provider::of(&[pair.jwk("key")]);
    let server = server(&provider.url());
    assert_good(&server, "its name", &pair.named_token("key", &claims()));

    let long = "k".repeat(4_000);
    let kids = [
        "../../../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "' UNION SELECT 'secret",
        "|sleep 5",
        "a\u{0}b",
        "line\nof a log",
        "KEY",
        "key ",
        "",
        "http://127.0.0.1/",
        long.as_str(),
    ];
    let mut cases: Vec<_> = kids.map(|kid| (kid, pair.named_token(kid, &claims()))).to_vec();
    for odd in [json!(1), json!(["key"]), json!({ "kid": "key" }), json!(true)] {
        let header = json!({ "alg": "ES256", "kid": odd });
        cases.push(("no text", jwt(&header, &claims(), |message| pair.sign(message))));
    }
    assert_all_refused(&server, &cases);
    assert!(!settled_log(&server).contains("of a log"));
    assert_good(&server, "its name", &pair.named_token("key", &claims()));
}

#[test]
fn a_key_that_the_token_brings_or_points_to_is_not_used() {
    let (ours, theirs) = (KeyPair::rsa(), KeyPair::rsa());
    let provider = Provider::of(&[ours.jwk("1")]);
    let server = server(&provider.url());
    assert_good(&server, "ours", &ours.named_token("1", &claims()));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let mut cases = Vec::new();
    for kid in ["1", "2"] {
        for brought in [
            json!({ "jwk": theirs.jwk(kid) }),
            json!({ "jku": url }),
            json!({ "jku": provider.url() }),
            json!({ "x5u": url }),
            json!({ "x5c": [BASE64_URL_SAFE_NO_PAD.encode(theirs.public_der())] }),
            json!({ "iss": url }),
        ] {
            let mut header = json!({ "alg": "RS256", "typ": "JWT", "kid": kid });
            header
                .as_object_mut()
                .unwrap()
                .extend(brought.as_object().unwrap().clone());
            cases.push((kid, jwt(&header, &claims(), |message| theirs.sign(message))));
        }
    }
    assert_all_refused(&server, &cases);
    let called = listener.accept().unwrap_err().kind();
    assert_eq!(called, ErrorKind::WouldBlock, "it called the forger");
}

#[test]
fn a_host_starts_without_its_provider_and_serves_whom_it_can() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    drop(listener);
    let server = server(&url);

    assert_good(&server, "the secret", &customer(1));
    wait_for(&server, r#"liveness_stale_files{setting="LIVENESS_JWT_JWKS"}"#, 1.0);
    assert_all_refused(&server, &[("theirs", KeyPair::p256().named_token("key", &claims()))]);
    assert!(settled_log(&server).contains("JWKS: "), "{}", server.log());
}

#[test]
fn a_provider_is_one_that_the_authorities_of_the_machine_vouch_for() {
    let (made, other) = (Identity::of("127.0.0.1"), Identity::of("127.0.0.1"));
    let pair = KeyPair::p256();
    let provider = Provider::with_tls(made.server_config(), &[pair.jwk("key")]);
    let token = pair.named_token("key", &claims());
    let trusting = |identity: &Identity| {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &identity.certificate_pem).unwrap();
        let settings = [
            ("LIVENESS_JWT_JWKS", provider.https_url()),
            ("LIVENESS_JWT_ISSUER", ISSUER.to_owned()),
            ("LIVENESS_JWT_AUDIENCE", "any".to_owned()),
            ("SSL_CERT_FILE", file.path().to_str().unwrap().to_owned()),
        ];
        Server::with(
            Engine::Sqlite,
            &settings.each_ref().map(|(name, value)| (*name, value.as_str())),
        )
    };

    assert_good(&trusting(&made), "vouched for", &token);
    let server = trusting(&other);
    assert_all_refused(&server, &[("not vouched for", token)]);
    assert!(settled_log(&server).contains("certificate"), "{}", server.log());
    assert_eq!(provider.fetches(), 1);
}
