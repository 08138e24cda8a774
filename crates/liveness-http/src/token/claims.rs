//! What the claims of a verified token say: the principal, the roles and the user.

use jsonwebtoken::get_current_timestamp;
use liveness_bus::Principal;
use liveness_core::{Claims, UserReference};
use serde_json::{Map, Value};

use super::flaw::TokenFlaw;
use super::rules::TokenRules;

/// OpenID Connect Core 1.0 section 2.
const MAX_SUBJECT_BYTES: usize = 255;

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The sender and their roles. The user is not looked up yet.
    pub principal: Principal,
    /// The claims about the user, where the token names one.
    pub user: Option<Claims>,
}

impl TokenRules {
    /// Reads the claims of a token whose signature and expiry have been checked.
    pub(super) fn read_claims(&self, claims: &Map<String, Value>) -> Result<VerifiedToken, TokenFlaw> {
        if !claims.get("iss").is_none_or(Value::is_string)
            || !claims.get("aud").is_none_or(is_audience)
            || !claims.get("iat").is_none_or(|iat| self.is_past(iat))
            || !self.is_short_lived(claims)
            // Only an ID token has this claim. It is meant for the app, and is no access token.
            || claims.contains_key("at_hash")
        {
            return Err(TokenFlaw::Claims);
        }
        let user_id = claim_text(claims.get(&self.user_id_claim));
        let subject = claim_text(claims.get("sub")).or_else(|| user_id.clone());
        let subject = subject.unwrap_or_else(|| "(no subject)".to_owned());
        let is_empty = claims.get("sub").is_some_and(|sub| sub == "");
        if is_empty || subject.len() > MAX_SUBJECT_BYTES || subject.contains(char::is_control) {
            return Err(TokenFlaw::Claims);
        }
        let principal = self
            .roles(claims)
            .iter()
            .fold(Principal::new(subject), |principal, role| principal.with_role(role));
        let user = user_id.map(|id| user_claims(claims, UserReference::parse(&id)));
        Ok(VerifiedToken { principal, user })
    }

    /// Whether a time has come, within the leeway. The issuer cannot have issued a token in the future.
    fn is_past(&self, time: &Value) -> bool {
        let latest = get_current_timestamp().saturating_add(self.leeway.as_secs());
        time.as_f64().is_some_and(|seconds| seconds <= latest as f64)
    }

    /// Whether the token expires soon enough after it was issued.
    fn is_short_lived(&self, claims: &Map<String, Value>) -> bool {
        let Some(longest) = self.max_lifetime else { return true };
        let seconds = |name| claims.get(name).and_then(Value::as_f64);
        let issued = seconds("iat").unwrap_or(get_current_timestamp() as f64);
        seconds("exp").is_some_and(|end| end <= issued + longest.as_secs_f64())
    }

    /// The roles. A token without a role claim is a customer's. A role claim that is there counts, even when it is empty.
    fn roles(&self, claims: &Map<String, Value>) -> Vec<String> {
        let claim = match &self.role_claim {
            Some(name) => claims.get(name),
            None => claims.get("role").or_else(|| claims.get("roles")),
        };
        match claim {
            None => vec!["customer".to_owned()],
            // The audit entry lists roles separated by commas, so no role may contain one.
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

fn is_audience(claim: &Value) -> bool {
    match claim {
        Value::Array(audiences) => audiences.iter().all(Value::is_string),
        claim => claim.is_string(),
    }
}

/// A string, or an integer as a string.
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
        pre_registration_id,
    }
}
