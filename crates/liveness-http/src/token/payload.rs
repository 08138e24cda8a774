//! Reads the claims of a token as mildly as the bus reads a body. A text that is broken in a claim that nobody needs does
//! not lock its user out. Which claims are needed is known in `claims.rs`.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use liveness_bus::replace_half_surrogates;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::flaw::TokenFlaw;

/// The claims of a token.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) claims: Map<String, Value>,
    /// Whether something in them could not be read, and is U+FFFD now.
    is_mended: bool,
}

/// The registered claims that are read here. None may be there twice: readers disagree about which one counts.
#[derive(Default, Deserialize)]
#[serde(default)]
struct GivenOnce {
    exp: IgnoredAny,
    nbf: IgnoredAny,
    iat: IgnoredAny,
    iss: IgnoredAny,
    aud: IgnoredAny,
    sub: IgnoredAny,
}

impl Payload {
    /// Reads the second part of a token.
    ///
    /// # Errors
    ///
    /// [`TokenFlaw::Malformed`], when it is no JSON object, is nested too deep, or has a registered claim twice.
    pub(super) fn parse(encoded: &str) -> Result<Self, TokenFlaw> {
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenFlaw::Malformed)?;
        let text = String::from_utf8_lossy(&bytes);
        let json = replace_half_surrogates(&text);
        let mut is_mended = matches!(text, Cow::Owned(_)) || matches!(json, Cow::Owned(_));
        serde_json::from_str::<GivenOnce>(&json).map_err(|_| TokenFlaw::Malformed)?;
        let raw: HashMap<String, &RawValue> = serde_json::from_str(&json).map_err(|_| TokenFlaw::Malformed)?;
        let mut claims = Map::new();
        for (name, raw) in raw {
            let value = match serde_json::from_str(raw.get()) {
                Err(error) if error.to_string().starts_with("number out of range") => {
                    is_mended = true;
                    Value::from(char::REPLACEMENT_CHARACTER.to_string())
                }
                // It is nested too deep.
                Err(_) => return Err(TokenFlaw::Malformed),
                Ok(value) => value,
            };
            claims.insert(name, value);
        }
        Ok(Self { claims, is_mended })
    }

    /// Whether a text of this claim could not be read. A provider that writes U+FFFD itself is right to, unless another text
    /// of the token is broken.
    pub(super) fn is_broken(&self, claim: Option<&Value>) -> bool {
        self.is_mended && claim.is_some_and(holds_replacement)
    }
}

fn holds_replacement(claim: &Value) -> bool {
    match claim {
        Value::String(text) => text.contains(char::REPLACEMENT_CHARACTER),
        Value::Array(items) => items.iter().any(holds_replacement),
        _ => false,
    }
}
