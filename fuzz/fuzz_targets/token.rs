//! Tokens: the header, the signature and what is asked of every token.
//!
//! The input is a token, or a header and claims in two lines, which are signed here. A third line of `public` signs them
//! with a public key of the host, as if it were the secret.

#![no_main]

use std::sync::LazyLock;
use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use liveness_fuzz::{SECRET, signed_parts, token};
use liveness_http::token::{TokenRules, TokenVerifier, VerificationKey};
use serde_json::{Map, Value};

/// Public keys. Nobody has what they verify: their private keys were thrown away.
const PUBLIC_KEYS: [&[u8]; 3] = [
    include_bytes!("keys/rsa.pem"),
    include_bytes!("keys/ec.pem"),
    include_bytes!("keys/ed.pem"),
];
const ISSUER: &str = "https://issuer";
const AUDIENCE: &str = "liveness";

static VERIFIER: LazyLock<TokenVerifier> = LazyLock::new(|| {
    let public = PUBLIC_KEYS.map(|pem| VerificationKey::from_pem(pem).unwrap());
    let rules = TokenRules {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(AUDIENCE.to_owned()),
        ..TokenRules::default()
    };
    TokenVerifier::new(
        [vec![VerificationKey::hs256(SECRET).unwrap()], public.into()].concat(),
        rules,
    )
});

/// Whether a token of this header may be taken.
fn is_good_header(header: &Map<String, Value>) -> bool {
    let is_access_token = |typ: &Value| match typ {
        Value::Null => true,
        Value::String(typ) => {
            let typ = typ.to_ascii_lowercase();
            matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt") && typ != "application/jwt"
        }
        _ => false,
    };
    header.get("alg").is_some_and(|alg| alg == "HS256")
        && header.get("typ").is_none_or(is_access_token)
        && !header.contains_key("crit")
}

/// Whether a token of these claims may be taken.
fn is_good(claims: &Map<String, Value>) -> bool {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let leeway = TokenRules::default().leeway.as_secs_f64() + 2.0;
    let is_past = |name| match claims.get(name) {
        None => true,
        Some(time) => time.as_f64().is_some_and(|time| time <= now + leeway),
    };
    let is_audience = |audience: &Value| match audience {
        Value::Array(audiences) => audiences.iter().any(|audience| audience == AUDIENCE),
        audience => audience == AUDIENCE,
    };
    claims
        .get("exp")
        .and_then(Value::as_f64)
        .is_some_and(|end| end >= now - leeway)
        && (is_past("nbf") || claims.get("nbf").is_some_and(Value::is_null))
        && is_past("iat")
        && claims.get("iss").is_some_and(|issuer| issuer == ISSUER)
        && claims.get("aud").is_some_and(is_audience)
        && !claims.contains_key("at_hash")
}

fn verifies(token: &str) -> bool {
    pollster::block_on(VERIFIER.verify(token)).is_ok()
}

fuzz_target!(|input: &str| {
    let lines: Vec<_> = input.split('\n').collect();
    let token = match lines[..] {
        [header, claims, "public"] => {
            for key in PUBLIC_KEYS {
                assert!(!verifies(&token(header, claims, key)));
            }
            return;
        }
        [header, claims, ..] => token(header, claims, SECRET),
        [ref token, ..] => (*token).to_owned(),
        [] => return,
    };
    if verifies(&token) {
        let (header, claims) = signed_parts(&token).expect("a token that is taken is signed");
        assert!(is_good_header(&serde_json::from_slice(&header).unwrap()));
        assert!(is_good(&serde_json::from_slice(&claims).unwrap()));
    }
});
