//! What a forger without the key can make.

use std::io::ErrorKind;
use std::net::TcpListener;

use aws_lc_rs::hmac::{HMAC_SHA384, HMAC_SHA512};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{assert_all_refused, assert_good};
use crate::engine::Engine;
use crate::keys::{KeyPair, base64url, claims, hmac_of, hmac_sha256, hs256, jwt, jwt_of};
use crate::server::{SECRET, Server, customer};

/// The order of P-256: no part of a signature may be as large.
const P256_ORDER: [u64; 4] = [
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff,
    0xbce6_faad_a717_9e84,
    0xf3b9_cac2_fc63_2551,
];

#[test]
fn an_unsigned_token_is_no_token() {
    let server = Server::start(Engine::Sqlite);
    let token = customer(1);
    assert_good(&server, "signed", &token);

    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut cases = vec![
        ("nothing behind the dot", format!("{message}.")),
        ("no third part", message.to_owned()),
        ("a shorter signature", format!("{message}.{}", &signature[..8])),
    ];
    for algorithm in ["none", "None", "NONE", "nOnE"] {
        let header = json!({ "alg": algorithm, "typ": "JWT" });
        cases.push((algorithm, jwt(&header, &claims(), |_| Vec::new())));
        cases.push((algorithm, hs256(&header, &claims())));
    }
    assert_all_refused(&server, &cases);
}

#[test]
fn no_algorithm_but_that_of_the_key_is_taken() {
    let rsa = KeyPair::rsa();
    let (server, _file) = rsa.server();
    assert_good(&server, "RS256", &rsa.token(&claims()));

    let header = |algorithm: &str| json!({ "alg": algorithm, "typ": "JWT" });
    let by_rsa = |name, encoding| jwt(&header(name), &claims(), |message| rsa.sign_rsa(encoding, message));
    let by_secret = |name, hash| {
        jwt(&header(name), &claims(), |message| {
            hmac_of(hash, SECRET.as_bytes(), message)
        })
    };
    let mut cases = vec![
        ("PS256", by_rsa("PS256", &RSA_PSS_SHA256)),
        ("PS256 as RS256", by_rsa("RS256", &RSA_PSS_SHA256)),
        ("RS384", by_rsa("RS384", &RSA_PKCS1_SHA384)),
        ("RS512", by_rsa("RS512", &RSA_PKCS1_SHA512)),
        ("HS384", by_secret("HS384", HMAC_SHA384)),
        ("HS512", by_secret("HS512", HMAC_SHA512)),
        ("no alg", hs256(&json!({ "typ": "JWT" }), &claims())),
    ];
    for unknown in ["hs256", "HS256 ", "HS1", "ES512", "ES256K", "", "\u{0}"] {
        cases.push((unknown, hs256(&header(unknown), &claims())));
    }
    for odd in [Value::Null, json!(256), json!(["HS256"]), json!({ "alg": "HS256" })] {
        cases.push(("no text", hs256(&json!({ "alg": odd }), &claims())));
    }
    assert_all_refused(&server, &cases);
}

#[test]
fn a_public_key_is_not_a_secret() {
    for pair in [KeyPair::rsa(), KeyPair::p256(), KeyPair::ed25519()] {
        let (server, _file) = pair.server();
        assert_good(&server, pair.algorithm(), &pair.token(&claims()));

        let pem = pair.public_pem();
        let secrets = [
            ("PEM", pem.clone().into_bytes()),
            ("PEM without its last line feed", pem.trim_end().as_bytes().to_vec()),
            ("base64", BASE64_STANDARD.encode(pair.public_der()).into_bytes()),
            ("DER", pair.public_der()),
            ("nothing", Vec::new()),
        ];
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let forge = |secret: Vec<u8>| jwt(&header, &claims(), |message| hmac_sha256(&secret, message));
        assert_all_refused(&server, &secrets.map(|(case, secret)| (case, forge(secret))));
    }
}

#[test]
fn a_degenerate_signature_verifies_nothing() {
    let p256 = KeyPair::p256();
    let (server, _file) = p256.server();
    assert_good(&server, "ES256", &p256.token(&claims()));

    let order: Vec<u8> = P256_ORDER.into_iter().flat_map(u64::to_be_bytes).collect();
    let header = json!({ "alg": "ES256", "typ": "JWT" });
    let forge = |signature: Vec<u8>| jwt(&header, &claims(), |_| signature.clone());
    assert_all_refused(
        &server,
        &[
            ("all zero", forge(vec![0; 64])),
            ("r and s are the order", forge(order.repeat(2))),
            ("zero and one", forge([vec![0; 63], vec![1]].concat())),
            ("too short", forge(vec![0; 32])),
            ("empty", forge(Vec::new())),
            ("in DER", jwt(&header, &claims(), |message| p256.sign_as_der(message))),
        ],
    );
}

#[test]
fn a_key_that_the_token_brings_or_names_is_not_used() {
    let (ours, theirs) = (KeyPair::rsa(), KeyPair::rsa());
    let (server, _file) = ours.server();
    assert_good(&server, "ours", &ours.token(&claims()));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let KeyPair::Rsa(key) = &theirs else { unreachable!() };
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
    let (modulus, exponent) = (base64url(public.n), base64url(public.e));
    let jwk = json!({ "kty": "RSA", "n": modulus, "e": exponent, "alg": "RS256", "use": "sig", "kid": "1" });
    let certificate = BASE64_STANDARD.encode(theirs.public_der());
    let brought = [
        ("jwk", json!({ "jwk": jwk })),
        ("jwk and kid", json!({ "jwk": jwk, "kid": "1" })),
        ("jku", json!({ "jku": url, "kid": "1" })),
        (
            "jku to us",
            json!({ "jku": format!("http://{}/health/live", server.address()) }),
        ),
        ("jku to a file", json!({ "jku": "file:///etc/passwd" })),
        ("x5u", json!({ "x5u": url })),
        ("x5c", json!({ "x5c": [certificate] })),
        ("x5t", json!({ "x5t": "AAAA", "x5t#S256": "AAAA" })),
    ];
    let forge = |extra: Value| {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        header
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        jwt(&header, &claims(), |message| theirs.sign(message))
    };
    assert_all_refused(&server, &brought.map(|(case, extra)| (case, forge(extra))));

    assert_eq!(
        listener.accept().unwrap_err().kind(),
        ErrorKind::WouldBlock,
        "it called the forger"
    );
}

#[test]
fn a_key_id_opens_no_file_and_asks_no_database() {
    let server = Server::start(Engine::Sqlite);
    let kids = [
        ("../../../../../../dev/null", ""),
        ("/proc/sys/kernel/randomize_va_space", "2\n"),
        ("' UNION SELECT 'secret", "secret"),
        ("|sleep 5", "secret"),
        ("a\u{0}b", ""),
        ("line\nof a log", ""),
        ("", ""),
    ];
    let forge = |kid, secret: &str| {
        let header = json!({ "alg": "HS256", "typ": "JWT", "kid": kid });
        jwt(&header, &claims(), |message| hmac_sha256(secret.as_bytes(), message))
    };
    assert_all_refused(&server, &kids.map(|(kid, secret)| (kid, forge(kid, secret))));
    assert_good(&server, "a good one", &customer(1));
}

#[test]
fn a_token_that_is_changed_or_written_otherwise_is_refused() {
    let server = Server::start(Engine::Sqlite);
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let of_number = |number: u32| {
        let mut claims = claims();
        claims["jti"] = json!(number);
        hs256(&header, &claims)
    };
    // One whose signature is spelled otherwise in the standard alphabet.
    let token = (0..)
        .map(of_number)
        .find(|token| token[token.len() - 43..].contains(['-', '_']))
        .unwrap();
    assert_good(&server, "unchanged", &token);

    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else {
        panic!("{token}")
    };
    let mut admin = claims();
    admin["role"] = json!("admin");
    // 32 bytes leave two bits over in the last character; the letters go up by four.
    let last = signature.chars().last().unwrap();
    let next = char::from_u32(u32::from(last) + 1).unwrap();
    let claims_text = claims().to_string();
    let tower = |levels| {
        let tower = format!(r#"{{"tower":{}{},"#, "[".repeat(levels), "]".repeat(levels));
        claims_text.replacen('{', &tower, 1)
    };
    let signed = |header: &str, claims: &str| jwt_of(header, claims, |message| hmac_sha256(SECRET.as_bytes(), message));
    let standard = signature.replace('-', "+").replace('_', "/");
    assert_all_refused(
        &server,
        &[
            (
                "another role",
                format!("{head}.{}.{signature}", base64url(admin.to_string())),
            ),
            ("padding", format!("{token}=")),
            ("the standard alphabet", format!("{head}.{body}.{standard}")),
            ("bits behind the end", format!("{}{next}", &token[..token.len() - 1])),
            ("a dot more", format!("{token}.")),
            ("a dot before", format!(".{token}")),
            ("five parts", format!("{token}.{body}.{signature}")),
            ("no claims", format!("{head}..{signature}")),
            ("space within", format!("{head}. {body}.{signature}")),
            ("twice", format!("{token}{token}")),
            ("a header that is a list", signed("[\"HS256\"]", &claims_text)),
            ("a header that is no JSON", signed("HS256", &claims_text)),
            (
                "two algorithms",
                signed(r#"{"alg":"none","alg":"HS256"}"#, &claims_text),
            ),
            (
                "claims that are a list",
                signed(&header.to_string(), &format!("[{claims_text}]")),
            ),
            ("a tower of 1,000 lists", signed(&header.to_string(), &tower(1000))),
            ("a tower of 10,000 lists", signed(&header.to_string(), &tower(10_000))),
            (
                "two subjects",
                signed(&header.to_string(), &claims_text.replacen('{', r#"{"sub":"2","#, 1)),
            ),
        ],
    );
}
