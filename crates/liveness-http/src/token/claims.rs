//! What the claims of a verified token say: the principal, the roles and the user.

use jsonwebtoken::get_current_timestamp;
use liveness_bus::Principal;
use liveness_core::{Claims, UserReference};
use serde_json::{Map, Value};

use super::claim_path::find_claim;
use super::flaw::TokenFlaw;
use super::payload::Payload;
use super::rules::TokenRules;

/// OpenID Connect Core 1.0 section 2.
const MAX_SUBJECT_BYTES: usize = 255;
/// The audit trail names those who used the command line like this, so no subject may. The actor of a token may: that is who
/// made it by the command line.
const COMMAND_LINE: &str = "cli:";

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The sender and their roles. The user is not looked up yet.
    pub principal: Principal,
    /// The claims about the user, where the token names one.
    pub user: Option<Claims>,
}

impl TokenRules {
    /// Reads the claims of a token whose signature has been checked.
    pub(super) fn read_claims(&self, payload: &Payload) -> Result<VerifiedToken, TokenFlaw> {
        let claims = &payload.claims;
        self.check_expiry(claims)?;
        self.check_texts(payload)?;
        let issuer = self.issuer_of(claims)?;
        self.check_audience(claims)?;
        if !claims.get("nbf").is_none_or(|nbf| seconds(nbf).is_some() && self.is_past(nbf))
            || !claims.get("iat").is_none_or(|iat| self.is_past(iat))
            || !self.is_short_lived(claims)
            // Only an ID token has this claim. It is meant for the app, and is no access token.
            || claims.contains_key("at_hash")
        {
            return Err(TokenFlaw::Claims);
        }
        let user_id = claim_text(find_claim(claims, &self.user_id_claim));
        let subject = subject_of(claims)?;
        let roles = self.roles_of(claims);
        if roles.iter().any(|role| !role.eq_ignore_ascii_case("customer")) {
            // Nobody looks at a face without a name, and a subject is a name only together with who has given it.
            issuer.filter(|issuer| !issuer.is_empty()).ok_or(TokenFlaw::Issuer)?;
            subject.as_ref().ok_or(TokenFlaw::Subject)?;
        }
        let actor = actor_of(claims)?;
        let name = subject.or_else(|| user_id.clone());
        let mut principal = Principal::new(checked_name(name.unwrap_or_else(|| "(no subject)".to_owned()))?);
        if let Some(issuer) = issuer {
            principal = principal.with_issuer(issuer);
        }
        if let Some(actor) = actor {
            principal = principal.with_actor(actor);
        }
        let mut principal = roles
            .iter()
            .fold(principal, |principal, role| principal.with_role(role));
        let user = user_id.map(|id| user_claims(claims, UserReference::parse(&id)));
        if let Some(user) = &user {
            principal = principal.with_user_claims(user.clone());
        }
        Ok(VerifiedToken { principal, user })
    }

    /// Checks that the token has an end (RFC 7519 section 4.1.4), which has not come.
    fn check_expiry(&self, claims: &Map<String, Value>) -> Result<(), TokenFlaw> {
        let end = claims.get("exp").and_then(seconds).ok_or(TokenFlaw::Claims)?;
        let earliest = get_current_timestamp().saturating_sub(self.leeway.as_secs());
        if end < earliest as f64 {
            Err(TokenFlaw::Expired)
        } else {
            Ok(())
        }
    }

    /// Refuses a token in which a claim that is needed holds a text that could not be read.
    fn check_texts(&self, payload: &Payload) -> Result<(), TokenFlaw> {
        let claims = &payload.claims;
        let audience = claims.get("aud").or_else(|| find_claim(claims, &self.audience_claim));
        let actor = claims.get("act").and_then(|act| act.get("sub"));
        let needed = [
            (claims.get("iss"), TokenFlaw::Issuer),
            (audience, TokenFlaw::Audience),
            (claims.get("sub"), TokenFlaw::Subject),
            (self.role_claim(claims), TokenFlaw::Claims),
            (find_claim(claims, &self.user_id_claim), TokenFlaw::Claims),
            (actor, TokenFlaw::Claims),
        ];
        let broken = needed.into_iter().find(|(claim, _)| payload.is_broken(*claim));
        broken.map_or(Ok(()), |(_, flaw)| Err(flaw))
    }

    /// The issuer, which is the configured one if there is one.
    fn issuer_of<'c>(&self, claims: &'c Map<String, Value>) -> Result<Option<&'c str>, TokenFlaw> {
        let issuer = match claims.get("iss") {
            Some(Value::String(issuer)) if !issuer.contains(char::is_control) => Some(issuer.as_str()),
            Some(_) => return Err(TokenFlaw::Issuer),
            None => None,
        };
        match &self.issuer {
            Some(configured) if issuer != Some(configured) => Err(TokenFlaw::Issuer),
            _ => Ok(issuer),
        }
    }

    /// Checks that the token is for us. A claim that stands in for `aud` counts only where there is no `aud`.
    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), TokenFlaw> {
        let stand_in = || find_claim(claims, &self.audience_claim);
        let is_ours = match (claims.get("aud"), &self.audience) {
            (Some(audience), None) => audiences(audience).is_some(),
            (None, None) => true,
            (audience, Some(ours)) => audience
                .or_else(stand_in)
                .and_then(audiences)
                .is_some_and(|audiences| audiences.contains(&ours.as_str())),
        };
        if is_ours { Ok(()) } else { Err(TokenFlaw::Audience) }
    }

    /// Whether a time has come, within the leeway. The issuer cannot have issued a token in the future.
    fn is_past(&self, time: &Value) -> bool {
        let latest = get_current_timestamp().saturating_add(self.leeway.as_secs());
        time.as_f64().is_some_and(|seconds| seconds <= latest as f64)
    }

    /// Whether the token expires soon enough after it was issued.
    fn is_short_lived(&self, claims: &Map<String, Value>) -> bool {
        let Some(longest) = self.max_lifetime else { return true };
        let time = |name| claims.get(name).and_then(seconds);
        let issued = time("iat").unwrap_or(get_current_timestamp() as f64);
        time("exp").is_some_and(|end| end <= issued + longest.as_secs_f64())
    }

    /// The claim that holds the roles.
    fn role_claim<'c>(&self, claims: &'c Map<String, Value>) -> Option<&'c Value> {
        self.role_claims().into_iter().find_map(|name| find_claim(claims, name))
    }

    /// Our roles. By the default setting, a token without a role claim is a customer's. A role claim that is there counts,
    /// even when it is empty. Once a setting names the claim, a token without it has no role.
    fn roles_of(&self, claims: &Map<String, Value>) -> Vec<String> {
        let claim = self.role_claim(claims);
        if claim.is_none() && self.role_claim.is_none() {
            return vec!["customer".to_owned()];
        }
        let named: Vec<&str> = match claim {
            Some(Value::String(role)) => vec![role],
            Some(Value::Array(roles)) => roles.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let named = named.into_iter().filter(|role| is_role(role));
        named
            .flat_map(|role| self.role_names.ours(role))
            .map(str::to_owned)
            .collect()
    }
}

/// The audit entry lists roles separated by commas, so no role may contain one.
fn is_role(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == ',' || c.is_control())
}

/// A time of a token in seconds since the epoch. It may have a fraction.
fn seconds(time: &Value) -> Option<f64> {
    const TOO_FAR: f64 = u64::MAX as f64;
    time.as_f64().filter(|seconds| (0.0..TOO_FAR).contains(seconds))
}

/// The audiences of a claim: a string or an array of strings.
fn audiences(claim: &Value) -> Option<Vec<&str>> {
    match claim {
        Value::Array(audiences) => audiences.iter().map(Value::as_str).collect(),
        claim => claim.as_str().map(|audience| vec![audience]),
    }
}

/// The subject of a token: a string, or a whole number as a string.
fn subject_of(claims: &Map<String, Value>) -> Result<Option<String>, TokenFlaw> {
    let subject = claims.get("sub");
    let text = claim_text(subject);
    if subject.is_some() && text.is_none() {
        return Err(TokenFlaw::Subject);
    }
    Ok(text)
}

/// A name that the log and the audit trail can show.
fn checked_name(name: String) -> Result<String, TokenFlaw> {
    let prefix = name.get(..COMMAND_LINE.len());
    let is_taken = prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(COMMAND_LINE));
    if is_taken || !is_name(&name) {
        return Err(TokenFlaw::Subject);
    }
    Ok(name)
}

fn is_name(text: &str) -> bool {
    text.len() <= MAX_SUBJECT_BYTES && !text.contains(char::is_control)
}

/// Who acts for the subject: the `sub` of the claim `act` (RFC 8693, section 4.1). The actors inside that one acted earlier, and
/// do not count. An `act` that names nobody is refused, because the audit trail could not say who acted.
fn actor_of(claims: &Map<String, Value>) -> Result<Option<String>, TokenFlaw> {
    let Some(act) = claims.get("act") else { return Ok(None) };
    let actor = claim_text(act.get("sub")).filter(|actor| is_name(actor));
    actor.map(Some).ok_or(TokenFlaw::Claims)
}

/// A string, or a whole number as a string.
pub(super) fn claim_text(claim: Option<&Value>) -> Option<String> {
    match claim? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Number(number) => whole(number.as_f64()?).map(|number| number.to_string()),
        _ => None,
    }
}

/// A number that was written with a fraction of zero, or with an exponent. Larger ones may not be what the issuer wrote.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    let is_whole = number.fract() == 0.0 && number.abs() < EXACT;
    is_whole.then_some(number as i64)
}

fn user_claims(claims: &Map<String, Value>, reference: UserReference) -> Claims {
    let text = |name: &str| {
        let text = claims.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    // Anybody can give the address of another when they sign up.
    let email = if may_be_verified(claims) { text("email") } else { None };
    let pre_registration_id = claim_text(claims.get("preRegistrationId"))
        .and_then(|id| id.parse().ok())
        .filter(|id| *id >= 1);
    Claims {
        reference,
        email,
        given_name: text("given_name"),
        family_name: text("family_name"),
        middle_name: text("middle_name"),
        name: text("name"),
        pre_registration_id,
    }
}

/// Whether the token does not say that its `email` is unverified (OpenID Connect Core 1.0, section 5.1). Some providers write
/// the claim as a string.
fn may_be_verified(claims: &Map<String, Value>) -> bool {
    match claims.get("email_verified") {
        None | Some(Value::Bool(true)) => true,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        Some(_) => false,
    }
}
