//! The document of an identity provider's keys.

#![no_main]

use jsonwebtoken::AlgorithmFamily;
use libfuzzer_sys::fuzz_target;
use liveness_http::token::Jwks;
use serde_json::Value;

const MAX_KEYS: usize = 100;

fuzz_target!(|document: &[u8]| {
    let Ok((keys, rejected)) = Jwks::read_document(document) else {
        return;
    };
    let document = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    let json: Value = serde_json::from_slice(document).expect("a document that is read is JSON");
    let listed = json["keys"].as_array().expect("a document that is read lists its keys");
    assert!(listed.len() <= MAX_KEYS && keys.len() <= listed.len());
    for (at, (kid, algorithm)) in keys.iter().enumerate() {
        assert_ne!(algorithm.family(), AlgorithmFamily::Hmac);
        let is_public = |key: &Value| ["d", "k"].iter().all(|part| key.get(*part).is_none_or(Value::is_null));
        // An empty name is none.
        let name = |key: &Value| key["kid"].as_str().filter(|kid| !kid.is_empty()).map(str::to_owned);
        let is_it = |key: &Value| name(key).as_deref() == kid.as_deref() && is_public(key);
        assert!(listed.iter().any(is_it), "{kid:?}");
        // A key id leads to one key of an algorithm.
        assert!(kid.is_none() || keys[at + 1..].iter().all(|other| *other != keys[at]));
    }
    // Each key is told of once, and once more if it shares its id. Nobody forges lines of the log.
    assert!(rejected.len() <= 2 * listed.len());
    for line in rejected {
        assert!(line.len() <= 1024 && !line.contains(char::is_control), "{line:?}");
    }
});
