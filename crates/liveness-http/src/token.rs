//! Bearer tokens: which keys verify them, and what they say: `docs/api.md#authentication`.
//!
//! A key has exactly one algorithm. A token names an algorithm only to pick among the configured keys.

mod key;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use liveness_bus::Principal;
use liveness_core::{Claims, UserReference};
use serde_json::{Map, Value};

pub(crate) use self::key::sign_hs256;
pub use self::key::{KeyError, VerificationKey};

const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What a token has to say besides being signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// `iss` must be this, where set.
    pub issuer: Option<String>,
    /// `aud` must be or hold this, where set.
    pub audience: Option<String>,
    /// The claim that names the user.
    pub user_id_claim: String,
    /// The claim that holds the roles; `role`, then `roles`, where not set.
    pub role_claim: Option<String>,
    /// How far clocks may differ.
    pub leeway: Duration,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            user_id_claim: "sub".to_owned(),
            role_claim: None,
            leeway: Duration::from_secs(30),
        }
    }
}

/// A token that is not good. Why is told to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid_token")]
pub struct InvalidToken;

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Who sends it and with which roles, no user behind them yet.
    pub principal: Principal,
    /// The user that it names, where it names one.
    pub user: Option<Claims>,
}

/// Verifies bearer tokens.
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    keys: Vec<(VerificationKey, Validation)>,
    rules: TokenRules,
}

impl TokenVerifier {
    /// Verifies by any of the keys.
    pub fn new(keys: Vec<VerificationKey>, rules: TokenRules) -> Self {
        let keys = keys.into_iter().map(|key| {
            let validation = validation(key.algorithm, &rules);
            (key, validation)
        });
        Self {
            keys: keys.collect(),
            rules,
        }
    }

    /// Verifies a token and reads it.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`], whatever is wrong with it.
    pub fn verify(&self, token: &str) -> Result<VerifiedToken, InvalidToken> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvalidToken);
        }
        let header = decode_header(token).map_err(|_| InvalidToken)?;
        // RFC 7515 section 4.1.11: what is critical and not understood is refused. We understand none.
        if names_crit(token) || !header.typ.as_deref().is_none_or(is_access_token) {
            return Err(InvalidToken);
        }
        let found = self.keys.iter().find(|(key, _)| key.algorithm == header.alg);
        let (key, validation) = found.ok_or(InvalidToken)?;
        let claims: Map<String, Value> = decode(token, &key.key, validation).map_err(|_| InvalidToken)?.claims;
        self.read(&claims)
    }

    fn read(&self, claims: &Map<String, Value>) -> Result<VerifiedToken, InvalidToken> {
        if !claims.get("iss").is_none_or(Value::is_string) || !claims.get("aud").is_none_or(is_audience) {
            return Err(InvalidToken);
        }
        let user_id = claim_text(claims.get(&self.rules.user_id_claim));
        let subject = claim_text(claims.get("sub")).or_else(|| user_id.clone());
        let subject = subject.unwrap_or_else(|| "(no subject)".to_owned());
        if subject.contains(char::is_control) {
            return Err(InvalidToken);
        }
        let principal = self
            .roles(claims)
            .iter()
            .fold(Principal::new(subject), |principal, role| principal.with_role(role));
        let user = user_id.map(|id| user_claims(claims, UserReference::parse(&id)));
        Ok(VerifiedToken { principal, user })
    }

    /// Without any role claim a token is a customer's; one that is there, whatever it holds, is what counts.
    fn roles(&self, claims: &Map<String, Value>) -> Vec<String> {
        let claim = match &self.rules.role_claim {
            Some(name) => claims.get(name),
            None => claims.get("role").or_else(|| claims.get("roles")),
        };
        match claim {
            None => vec!["customer".to_owned()],
            // A role stands in the audit entry among others with commas between them.
            Some(Value::String(role)) if is_role(role) => vec![role.clone()],
            Some(Value::Array(roles)) => {
                let roles = roles.iter().filter_map(Value::as_str).filter(|role| is_role(role));
                roles.map(str::to_owned).collect()
            }
            Some(_) => Vec::new(),
        }
    }
}

fn is_role(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == ',' || c.is_control())
}

fn validation(algorithm: Algorithm, rules: &TokenRules) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = rules.leeway.as_secs();
    validation.validate_nbf = true;
    // Without an audience of ours, whatever the token is for is not our business.
    validation.validate_aud = rules.audience.is_some();
    let mut required = vec!["exp"];
    if let Some(issuer) = &rules.issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if let Some(audience) = &rules.audience {
        validation.set_audience(&[audience]);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

/// Whether the header names `crit`, whatever its value: `null` is not the same as nothing.
fn names_crit(token: &str) -> bool {
    let encoded = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(encoded).ok();
    let header = header.and_then(|json| serde_json::from_slice::<Map<String, Value>>(&json).ok());
    header.is_none_or(|header| header.contains_key("crit"))
}

/// RFC 9068 section 2.1; an ID token or a logout token is no access token.
fn is_access_token(typ: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(typ))
}

fn is_audience(claim: &Value) -> bool {
    match claim {
        Value::Array(audiences) => audiences.iter().all(Value::is_string),
        claim => claim.is_string(),
    }
}

/// A text, or an integer as text.
fn claim_text(claim: Option<&Value>) -> Option<String> {
    match claim? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

fn user_claims(claims: &Map<String, Value>, reference: UserReference) -> Claims {
    let text = |name: &str| {
        let text = claims
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.contains(char::is_control));
        text.map(str::to_owned)
    };
    let pre_registration_id = claim_text(claims.get("preRegistrationId"))
        .and_then(|id| id.parse().ok())
        .filter(|id| *id >= 1);
    Claims {
        reference,
        email: text("email"),
        given_name: text("given_name"),
        family_name: text("family_name"),
        middle_name: text("middle_name"),
        name: text("name"),
        pre_registration_id: pre_registration_id.filter(|id| *id >= 1),
    }
}
