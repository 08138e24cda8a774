//! Who sends a request, and whether they may: both are known before the body is read.

use std::net::IpAddr;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use liveness_bus::{Access, BusError, Context, Meta, Principal, RequestId, TraceContext};
use liveness_core::{Claims, ProvisionError, User, UserReference};

use super::api_state::ApiState;
use super::failure::Failure;
use crate::token::{TokenFlaw, VerifiedToken};

/// Verifies the token, within the rate limit. A public message may come without a token, from an anonymous principal.
pub(super) async fn authenticate(
    state: &ApiState,
    name: &str,
    headers: &HeaderMap,
    client_address: Option<IpAddr>,
) -> Result<VerifiedToken, Failure> {
    let token = match bearer_token(headers) {
        Ok(token) => state
            .verifier
            .verify(token)
            .await
            .map_err(|error| Failure::InvalidToken(error.flaw())),
        Err(failure) => Err(failure),
    };
    check_rate(state, token.as_ref().ok(), client_address)?;
    let is_public = || state.bus.meta(name).is_some_and(|meta| meta.access() == Access::Public);
    match token {
        Err(Failure::NoToken) if is_public() => Ok(VerifiedToken {
            principal: Principal::anonymous(),
            user: None,
        }),
        token => token.inspect_err(|failure| {
            if let Some(problem) = failure.token_problem() {
                state.metrics.count_rejected_token(problem);
            }
        }),
    }
}

/// Counts the request for the principal of a valid token, or else for the address.
fn check_rate(state: &ApiState, token: Option<&VerifiedToken>, client_address: Option<IpAddr>) -> Result<(), BusError> {
    let Some(limiters) = &state.rate_limiters else {
        return Ok(());
    };
    let (by, outcome) = match token {
        Some(token) => ("principal", limiters.check_principal(&token.principal)),
        None => ("address", limiters.check_address(client_address)),
    };
    outcome.inspect_err(|_| state.metrics.count_rate_limited(by))
}

/// Checks the role, and looks up the user where the message needs one. A user who is not there may be added.
///
/// The principal comes back in either case: the bus records who was refused.
pub(super) async fn authorize(
    state: &ApiState,
    name: &str,
    token: VerifiedToken,
    origin: Origin<'_>,
) -> (Principal, Result<Meta, BusError>) {
    let VerifiedToken { principal, user } = token;
    let meta = match state.bus.check_role(name, &principal) {
        Ok(meta) => meta,
        Err(refusal) => return (principal, Err(refusal)),
    };
    if !meta.access().needs_user() {
        return (principal, Ok(meta));
    }
    let user = match user {
        Some(claims) => identify(state, &meta, &claims, &principal, origin).await,
        None => Ok(None),
    };
    match user {
        Ok(Some(user)) => (principal.with_user(user), Ok(meta)),
        Ok(None) => {
            let allowed = meta.access().check(&principal);
            (principal, allowed.map(|()| meta))
        }
        Err(error) => (principal, Err(error)),
    }
}

/// Which request it is, where it comes from, and where it stands in a trace.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) request_id: &'a RequestId,
    pub(super) client_address: Option<IpAddr>,
    pub(super) trace: Option<&'a TraceContext>,
}

const UNFIT_CLAIM: &str = "a claim of the token about the user cannot be stored: each is a text of at most 255 characters, \
    without control characters";

/// The user of the claims. A user who is not there is added by the directory if it adds users. The audit entry of that names
/// the message that was sent.
async fn identify(
    state: &ApiState,
    meta: &Meta,
    claims: &Claims,
    principal: &Principal,
    origin: Origin<'_>,
) -> Result<Option<User>, BusError> {
    if let Some(user) = state.users.identify(claims).await? {
        return Ok(Some(user));
    }
    let context = Context::builder(principal.clone())
        .request_id(origin.request_id.clone())
        .trace(origin.trace.cloned())
        .client_address(origin.client_address)
        .clock(state.clock.clone())
        .build();
    let id = match claims.reference {
        UserReference::Id(id) => Some(id),
        UserReference::UserId(_) => None,
    };
    let entry = context.audit_entry_of(format!("{}: user added", meta.name()), id);
    match state.users.provision(claims, entry).await {
        Ok(user) => Ok(user),
        Err(ProvisionError::Claim(error)) => {
            log::warn!(request:% = origin.request_id, principal = principal.subject(); "the user is not added: {error}");
            Err(BusError::Forbidden(UNFIT_CLAIM))
        }
        Err(ProvisionError::Directory(error)) => Err(error.into()),
        Err(error) => Err(BusError::Internal(error.into())),
    }
}

/// The token of the one `Authorization: Bearer` header (RFC 6750 section 2.1).
fn bearer_token(headers: &HeaderMap) -> Result<&str, Failure> {
    const MALFORMED: Failure = Failure::InvalidToken(TokenFlaw::Malformed);
    let mut sent = headers.get_all(AUTHORIZATION);
    let Some(header) = sent.next() else {
        return Err(Failure::NoToken);
    };
    if sent.next().is_some() {
        return Err(MALFORMED);
    }
    let header = header.to_str().map_err(|_| MALFORMED)?;
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(MALFORMED),
    }
}
