//! Which keys of a provider's set are taken, and which of them a token is tried with.

use aws_lc_rs::hmac::HMAC_SHA256;
use aws_lc_rs::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use serde_json::{Value, json};

use super::jwks::{file_of, server};
use super::{assert_all_refused, assert_good};
use crate::keys::{KeyPair, base64url, claims, hmac_of, jwt};
use crate::provider::Provider;
use crate::server::SECRET;
use crate::wire::settled_log;

#[test]
fn an_empty_name_is_none() {
    let (nameless, named) = (KeyPair::p256(), KeyPair::ed25519());
    let held = file_of(&[nameless.jwk(""), named.jwk("a")]);
    let server = server(held.path().to_str().unwrap());

    assert_good(&server, "another name", &nameless.named_token("b", &claims()));
    assert_good(&server, "an empty one", &nameless.named_token("", &claims()));
    assert_good(&server, "none", &nameless.token(&claims()));
    // Of a token, an empty name is one that no key has.
    let of_other = [("an empty one of the other key", named.named_token("", &claims()))];
    assert_all_refused(&server, &of_other);
}

#[test]
fn keys_that_are_not_fit_are_dropped_with_a_warning_each() {
    let good = KeyPair::ed25519();
    let (rsa, p256, ed25519) = (KeyPair::rsa(), KeyPair::p256(), KeyPair::ed25519());
    let with = |pair: &KeyPair, kid: &str, field: &str, value: Value| {
        let mut jwk = pair.jwk(kid);
        jwk[field] = value;
        jwk
    };
    let number = |bits: usize| json!(base64url([vec![0x80], vec![0; bits / 8 - 2], vec![1]].concat()));
    let off_curve = json!(base64url([1; 32]));
    let secret = base64url(SECRET);
    let bad = [
        ("use", &rsa, with(&rsa, "use", "use", json!("enc"))),
        ("ops", &rsa, with(&rsa, "ops", "key_ops", json!(["encrypt"]))),
        ("ops-sign", &rsa, with(&rsa, "ops-sign", "key_ops", json!(["sign"]))),
        ("ops-text", &rsa, with(&rsa, "ops-text", "key_ops", json!("verify"))),
        ("alg", &rsa, with(&rsa, "alg", "alg", json!("RSA-OAEP-256"))),
        ("alg-hs", &rsa, with(&rsa, "alg-hs", "alg", json!("HS256"))),
        ("alg-es", &rsa, with(&rsa, "alg-es", "alg", json!("ES256"))),
        ("alg-384", &p256, with(&p256, "alg-384", "alg", json!("ES384"))),
        ("kty", &p256, with(&p256, "kty", "kty", json!("RSA"))),
        ("kty-none", &p256, with(&p256, "kty-none", "kty", json!("XYZ"))),
        ("crv", &p256, with(&p256, "crv", "crv", json!("P-384"))),
        ("crv-521", &p256, with(&p256, "crv-521", "crv", json!("P-521"))),
        ("crv-k", &p256, with(&p256, "crv-k", "crv", json!("secp256k1"))),
        ("crv-x", &ed25519, with(&ed25519, "crv-x", "crv", json!("X25519"))),
        ("point", &p256, with(&p256, "point", "x", off_curve)),
        ("short", &p256, with(&p256, "short", "x", json!("AAAA"))),
        ("base64", &ed25519, with(&ed25519, "base64", "x", json!("+/=="))),
        ("private", &ed25519, with(&ed25519, "private", "d", json!("AAAA"))),
        ("private-rsa", &rsa, with(&rsa, "private-rsa", "p", json!("AAAA"))),
        ("small", &rsa, with(&rsa, "small", "n", number(1024))),
        ("smaller", &rsa, with(&rsa, "smaller", "n", number(2040))),
        ("large", &rsa, with(&rsa, "large", "n", number(16384))),
        ("one", &rsa, with(&rsa, "one", "e", json!("AQ"))),
        ("even", &rsa, with(&rsa, "even", "e", json!("AQAA"))),
        ("twice", &p256, p256.jwk("twice")),
        ("twice", &p256, KeyPair::p256().jwk("twice")),
        (
            "kid\nforged line",
            &p256,
            with(&p256, "kid\nforged line", "use", json!("enc")),
        ),
    ];
    let oct = json!({ "kty": "oct", "k": secret, "kid": "oct", "alg": "HS256" });
    let mut keys: Vec<_> = bad.iter().map(|(_, _, jwk)| jwk.clone()).collect();
    keys.extend([oct, json!("key"), json!(null), good.jwk("good")]);
    let file = file_of(&keys);
    let server = server(file.path().to_str().unwrap());
    assert_good(&server, "the one that is fit", &good.named_token("good", &claims()));

    let mut cases: Vec<_> = bad
        .iter()
        .map(|(kid, pair, _)| (*kid, pair.named_token(kid, &claims())))
        .collect();
    let by_oct = |message: &[u8]| hmac_of(HMAC_SHA256, b"another secret of more than 32 bytes", message);
    cases.push(("oct", jwt(&json!({ "alg": "HS256", "kid": "oct" }), &claims(), by_oct)));
    assert_all_refused(&server, &cases);

    let log = settled_log(&server);
    let warnings: Vec<_> = log
        .lines()
        .filter(|line| line.contains("JWKS: not used: key"))
        .collect();
    for (kid, _, _) in &bad {
        let of_key = format!("(kid {kid:?}): ");
        assert_eq!(
            warnings.iter().filter(|line| line.contains(&of_key)).count(),
            1,
            "{kid}: {log}"
        );
    }
    // One for the two of one name, and none for what is null.
    assert_eq!(warnings.len(), bad.len() - 1 + 2, "{log}");
    for part in ["n", "x", "k", "d"] {
        let values = keys.iter().filter_map(|key| key.get(part)?.as_str());
        assert!(
            values.filter(|value| value.len() > 8).all(|value| !log.contains(value)),
            "{part}: {log}"
        );
    }
}

/// The encodings of RSA signatures, by the algorithm that a key may be for.
const RSA_ALGORITHMS: [(&str, &dyn RsaEncoding); 6] = [
    ("RS256", &RSA_PKCS1_SHA256),
    ("RS384", &RSA_PKCS1_SHA384),
    ("RS512", &RSA_PKCS1_SHA512),
    ("PS256", &RSA_PSS_SHA256),
    ("PS384", &RSA_PSS_SHA384),
    ("PS512", &RSA_PSS_SHA512),
];

#[test]
fn an_rsa_key_is_for_the_one_algorithm_that_it_says() {
    let pair = KeyPair::rsa();
    let keys = RSA_ALGORITHMS.map(|(algorithm, _)| {
        let mut jwk = pair.jwk(algorithm);
        jwk["alg"] = json!(algorithm);
        jwk
    });
    let mut unsaid = pair.jwk("unsaid");
    unsaid.as_object_mut().unwrap().remove("alg");
    let file = file_of(&[&keys[..], &[unsaid]].concat());
    let server = server(file.path().to_str().unwrap());

    let mut cases = Vec::new();
    for (algorithm, encoding) in RSA_ALGORITHMS {
        let by = |kid: &str| {
            let header = json!({ "alg": algorithm, "kid": kid });
            jwt(&header, &claims(), |message| pair.sign_rsa(encoding, message))
        };
        assert_good(&server, algorithm, &by(algorithm));
        let others = RSA_ALGORITHMS.iter().filter(|(other, _)| *other != algorithm);
        cases.extend(others.map(|(other, _)| (*other, by(other))));
        if algorithm == "RS256" {
            assert_good(&server, "a key that says none", &by("unsaid"));
        } else {
            cases.push((algorithm, by("unsaid")));
        }
    }
    assert_all_refused(&server, &cases);
}

#[test]
fn a_member_that_is_null_is_one_that_is_not_there() {
    let pairs = [KeyPair::rsa(), KeyPair::p256(), KeyPair::p384(), KeyPair::ed25519()];
    let names = [
        "alg", "use", "key_ops", "x5c", "x5t", "x5u", "d", "p", "q", "dp", "dq", "qi", "oth", "k", "ext",
    ];
    let keys = pairs.each_ref().map(|pair| {
        let mut jwk = pair.jwk(pair.algorithm());
        names.iter().for_each(|name| jwk[*name] = Value::Null);
        jwk
    });
    let nameless = KeyPair::ed25519();
    let mut jwk = nameless.jwk("none");
    jwk["kid"] = Value::Null;
    let file = file_of(&[&[Value::Null], &keys[..], &[jwk, Value::Null]].concat());
    let server = server(file.path().to_str().unwrap());

    for pair in &pairs {
        assert_good(
            &server,
            pair.algorithm(),
            &pair.named_token(pair.algorithm(), &claims()),
        );
    }
    assert_good(&server, "no kid", &nameless.named_token("unknown", &claims()));
    assert!(!settled_log(&server).contains("not used"), "{}", server.log());
}

#[test]
fn keys_without_a_name_verify_tokens_that_name_another_or_none() {
    let nameless = |pair: &KeyPair| {
        let mut jwk = pair.jwk("none");
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    };
    let (old, new, named, stranger) = (KeyPair::p256(), KeyPair::p256(), KeyPair::p256(), KeyPair::p256());
    let only = KeyPair::rsa();
    let provider = Provider::of(&[nameless(&old), nameless(&new), named.jwk("named"), only.jwk("only")]);
    let server = server(&provider.url());

    for pair in [&old, &new] {
        for kid in ["r1", "r2", ""] {
            assert_good(&server, kid, &pair.named_token(kid, &claims()));
        }
        assert_good(&server, "no kid", &pair.token(&claims()));
    }
    assert_good(&server, "its name", &named.named_token("named", &claims()));
    assert_good(&server, "the only one of its algorithm", &only.token(&claims()));

    assert_all_refused(
        &server,
        &[
            ("under the name of another", old.named_token("named", &claims())),
            ("without its name", named.token(&claims())),
            ("under an unknown name", named.named_token("r1", &claims())),
            ("another algorithm", only.named_token("r1", &claims())),
            ("of a stranger", stranger.token(&claims())),
        ],
    );
}
