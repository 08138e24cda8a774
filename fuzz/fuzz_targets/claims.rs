//! The claims of tokens that are signed: the user, the roles, and the paths by which settings name their claims.
//!
//! The input is the setting of the user's claim, the setting of the roles' claim (none if it is empty), and the claims, in
//! one line each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use liveness_core::UserReference;
use liveness_fuzz::{SECRET, token};
use liveness_http::token::{TokenRules, TokenVerifier, VerificationKey};
use serde_json::{Map, Value};

const MOST_DOTS: usize = 6;

/// The claim of a name: of all ways to cut the name into a path, the first that leads to one. Ways with a longer first part
/// go first, then those with a longer second part, and so on.
fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    let dots: Vec<_> = name.match_indices('.').map(|(at, _)| at).collect();
    let path = |cuts: usize| {
        let mut parts = Vec::new();
        let mut start = 0;
        for dot in dots
            .iter()
            .enumerate()
            .filter(|(index, _)| cuts & 1 << index != 0)
            .map(|(_, dot)| *dot)
        {
            parts.push(&name[start..dot]);
            start = dot + 1;
        }
        parts.push(&name[start..]);
        parts
    };
    let mut paths: Vec<_> = (0..1 << dots.len()).map(path).collect();
    paths.sort_by_key(|parts| std::cmp::Reverse(parts.iter().map(|part| part.len()).collect::<Vec<_>>()));
    paths.into_iter().find_map(|parts| {
        let (last, parents) = parts.split_last()?;
        let object = parents
            .iter()
            .try_fold(claims, |object, part| object.get(*part)?.as_object())?;
        object.get(*last)
    })
}

/// The text of a claim that names somebody.
fn text(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64()?;
            let is_exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
            is_exact.then(|| format!("{}", number as i64))
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts(claim: &Value) -> Vec<&str> {
    match claim {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        claim => claim.as_str().into_iter().collect(),
    }
}

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(3, '\n');
    let (Some(user_id), Some(role), Some(claims)) = (lines.next(), lines.next(), lines.next()) else {
        return;
    };
    let Ok(mut claims) = serde_json::from_str::<Map<String, Value>>(claims) else {
        return;
    };
    if user_id.matches('.').count().max(role.matches('.').count()) > MOST_DOTS {
        return;
    }
    claims.insert("exp".to_owned(), 9_999_999_999_u64.into());
    let rules = TokenRules {
        user_id_claim: user_id.to_owned(),
        role_claim: Some(role.to_owned()).filter(|role| !role.is_empty()),
        ..TokenRules::default()
    };
    let verifier = TokenVerifier::new(vec![VerificationKey::hs256(SECRET).unwrap()], rules);
    let token = token(r#"{"alg":"HS256"}"#, &serde_json::to_string(&claims).unwrap(), SECRET);
    let Ok(token) = pollster::block_on(verifier.verify(&token)) else {
        return;
    };

    let expected = find(&claims, user_id)
        .and_then(text)
        .map(|id| UserReference::parse(&id));
    assert_eq!(token.user.map(|user| user.reference), expected);

    let claim = match role {
        "" => claims.get("role").or_else(|| claims.get("roles")),
        role => find(&claims, role),
    };
    let is_role = |role: &&str| !role.is_empty() && !role.contains(|c: char| c == ',' || c.is_control());
    let mut roles: Vec<_> = claim.map(texts).unwrap_or_default();
    roles.retain(is_role);
    if role.is_empty() && claim.is_none() {
        roles.push("customer");
    }
    let principal = &token.principal;
    assert!(roles.iter().all(|role| principal.has_role(role)), "{roles:?}");
    let is_in_claim = |role: &String| roles.iter().any(|named| named.eq_ignore_ascii_case(role));
    assert!(principal.roles().iter().all(is_in_claim), "{:?}", principal.roles());

    let subject = principal.subject();
    assert!(subject.len() <= 255 && !subject.contains(char::is_control));
    assert!(!subject.to_ascii_lowercase().starts_with("cli:"));
    if principal.roles().iter().any(|role| role != "customer") {
        assert_eq!(claims.get("sub").and_then(text).as_deref(), Some(subject));
        assert!(principal.issuer().is_some_and(|issuer| !issuer.is_empty()));
    }
});
