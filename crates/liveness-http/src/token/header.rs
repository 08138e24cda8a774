//! The header of a token (RFC 7515), which names the key that has signed it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::flaw::TokenFlaw;

const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Which key has signed a token, as its header says.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

impl Header {
    /// Reads the header of a token.
    pub(super) fn parse(token: &str) -> Result<Self, TokenFlaw> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenFlaw::TooLarge);
        }
        let encoded = token.split('.').next().unwrap_or_default();
        let fields = URL_SAFE_NO_PAD.decode(encoded).ok();
        let fields = fields.and_then(|json| serde_json::from_slice::<Map<String, Value>>(&json).ok());
        let mut fields = fields.ok_or(TokenFlaw::Malformed)?;
        // RFC 7515 section 4.1.11: a critical extension that is not understood must be refused, and we understand none. A
        // `crit` of `null` is refused too.
        if fields.contains_key("crit") {
            return Err(TokenFlaw::Malformed);
        }
        // The JWT library checks the rest, once there is a key.
        let mut text = |name| match fields.remove(name) {
            Some(Value::String(text)) => Ok(Some(text)),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(TokenFlaw::Malformed),
        };
        let algorithm = text("alg")?.ok_or(TokenFlaw::Malformed)?;
        let algorithm = algorithm.parse().map_err(|_| TokenFlaw::Algorithm)?;
        let (kid, typ) = (text("kid")?, text("typ")?);
        if typ.as_deref().is_none_or(is_access_token) {
            Ok(Self { algorithm, kid })
        } else {
            Err(TokenFlaw::Malformed)
        }
    }
}

/// Whether `typ` is that of an access token (RFC 9068 section 2.1). An ID token or a logout token has another one.
fn is_access_token(typ: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(typ))
}
