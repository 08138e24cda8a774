//! From a request to the bus and back: who, may they, what do they send, do it, answer.
//!
//! Whatever is refused once the sender is known goes through the bus too, so that it leaves its trace.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, web};
use liveness_bus::{Access, BusError, Context, IdempotencyKey, Kind, Meta, Principal, RequestId};
use liveness_core::{DeviceInfo, Violation};

use crate::metrics::count_stray;
use crate::request::admission::Held;
use crate::request::api::{LivenessApi, Parts};
use crate::request::body::{self, Body};
use crate::request::envelope::{Failure, REQUEST_ID, Success};
use crate::token::{TokenFlaw, VerifiedToken};

/// A query is abandoned, and a command not begun, this long after its head was read and its body received.
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_QUERY_BYTES: usize = 64 * 1024;
const MAX_DEVICE_CHARS: usize = 512;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const DEVICE_PLATFORM: HeaderName = HeaderName::from_static("x-device-platform");
const APP_VERSION: HeaderName = HeaderName::from_static("x-app-version");

/// `POST …/commands/{name}`
pub(crate) async fn command(request: HttpRequest, payload: web::Payload, api: web::Data<LivenessApi>) -> HttpResponse {
    let request_id = request_id(request.headers());
    let answered = answer(&request, payload, &api, &request_id).await;
    answered.unwrap_or_else(|failure| failure.answer(&request_id))
}

/// Any other method.
pub(crate) async fn method_not_allowed(request: HttpRequest, allowed: &'static str) -> HttpResponse {
    stray(&request, &Failure::Method(allowed))
}

/// Any other route.
pub(crate) async fn no_route(request: HttpRequest) -> HttpResponse {
    stray(&request, &Failure::NoRoute)
}

fn stray(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    count_stray(request, failure);
    failure.answer(&request_id(request.headers()))
}

/// The request id that the caller sent, or a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> RequestId {
    let sent = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    sent.and_then(RequestId::parse).unwrap_or_else(RequestId::random)
}

async fn answer(
    request: &HttpRequest,
    payload: web::Payload,
    api: &LivenessApi,
    request_id: &RequestId,
) -> Result<HttpResponse, Failure> {
    let parts = api.parts();
    let name = request.match_info().as_str().rsplit('/').next().unwrap_or_default();
    let client_address = parts.trusted_proxies.client(request.peer_addr(), request.headers());
    let begun = begin(parts, name, request.headers(), client_address).await;
    let (held, token) = begun.inspect_err(|failure| {
        parts.metrics.refused(&parts.bus, name, failure);
        // The bus logs what it is sent; what does not come so far is logged here, without a name that anybody may have
        // made up.
        let client = client_address.map(|address| address.to_string());
        log::info!(
            target: "liveness::message",
            code = failure.code(), request:% = request_id, client = client.as_deref(), token = failure.token_class();
            "-"
        );
    })?;

    let (principal, admitted) = admit(parts, name, token).await;
    let received = match admitted {
        Ok(meta) => receive(request, payload, &meta, &principal, parts).await,
        Err(refusal) => Err(refusal),
    };
    let context = Context::builder(principal)
        .request_id(request_id.clone())
        .client_address(client_address)
        .device(device(request.headers()))
        .idempotency_key(received.as_ref().ok().and_then(|received| received.key.clone()))
        .deadline(Instant::now() + PATIENCE)
        .clock(parts.clock.clone())
        .build();
    let work = finish(
        api.clone(),
        name.to_owned(),
        received.map(|received| received.body),
        context,
    );
    // In a task of its own: when the client goes away, the request's future is dropped, and neither the command nor the
    // trace of it may be lost with it.
    let done = actix_web::rt::spawn(async move {
        let _until_it_is_done = held;
        work.await
    });
    let outcome = done.await;
    let outcome = outcome.unwrap_or_else(|error| Err(BusError::Internal(error.into())));
    Ok(outcome?.answer(request_id))
}

/// What comes before the bus: whether it is too much, who sends it, and whether there is such a message.
async fn begin(
    parts: &Parts,
    name: &str,
    headers: &HeaderMap,
    client_address: Option<IpAddr>,
) -> Result<(Held, VerifiedToken), Failure> {
    // Not held meanwhile: a stranger's token may wait for a key, and must not take the place of others.
    drop(parts.capacity.begin()?);
    let token = authenticate(parts, name, headers, client_address).await?;
    let held = parts.capacity.begin()?;
    parts.bus.meta(name).ok_or(BusError::UnknownMessage)?;
    Ok((held, token))
}

/// Who sends it: by their token, or anybody where the message is for everybody.
async fn authenticate(
    parts: &Parts,
    name: &str,
    headers: &HeaderMap,
    client_address: Option<IpAddr>,
) -> Result<VerifiedToken, Failure> {
    let token = match bearer_token(headers) {
        Ok(token) => parts
            .verifier
            .verify(token)
            .await
            .map_err(|error| Failure::InvalidToken(error.flaw())),
        Err(failure) => Err(failure),
    };
    if let Some(limiters) = &parts.rate_limiters {
        let limited = |by, outcome| parts.metrics.limited(by, outcome);
        match &token {
            Ok(token) => limited("principal", limiters.check_principal(token.principal.subject()))?,
            Err(_) => limited("address", limiters.check_address(client_address))?,
        }
    }
    let is_public = || parts.bus.meta(name).is_some_and(|meta| meta.access() == Access::Public);
    match token {
        Err(Failure::NoToken) if is_public() => Ok(VerifiedToken {
            principal: Principal::anonymous(),
            user: None,
        }),
        token => token.inspect_err(|failure| {
            if let Some(class) = failure.token_class() {
                parts.metrics.rejected_token(class);
            }
        }),
    }
}

/// Takes it through the bus.
async fn finish(
    api: LivenessApi,
    name: String,
    body: Result<Body, BusError>,
    context: Context,
) -> Result<Success, BusError> {
    let bus = &api.parts().bus;
    let mut reply = Success::default();
    match body {
        Ok(Body { bytes, room }) => {
            let done = bus.dispatch(&name, bytes, &context, &mut reply).await;
            // What was decoded of the body is gone only now.
            drop(room);
            done.map(|()| reply)
        }
        Err(refusal) => Err(bus.refuse(&name, refusal, &context).await),
    }
}

/// Whether this principal may send that message, and who they are to the message: before the body is read.
async fn admit(parts: &Parts, name: &str, token: VerifiedToken) -> (Principal, Result<Meta, BusError>) {
    let VerifiedToken { principal, user } = token;
    let meta = match parts.bus.check_role(name, &principal) {
        Ok(meta) => meta,
        Err(refusal) => return (principal, Err(refusal)),
    };
    if !meta.access().needs_user() {
        return (principal, Ok(meta));
    }
    let user = match user {
        Some(claims) => parts.users.identify(&claims).await,
        None => Ok(None),
    };
    match user {
        Ok(Some(user)) => (principal.with_user(user), Ok(meta)),
        Ok(None) => {
            let refusal = meta.access().check(&principal);
            (principal, refusal.map(|()| meta))
        }
        Err(error) => (principal, Err(error.into())),
    }
}

/// What was sent: the body, and the key under which it may be repeated.
struct Received {
    body: Body,
    key: Option<IdempotencyKey>,
}

async fn receive(
    request: &HttpRequest,
    payload: web::Payload,
    meta: &Meta,
    principal: &Principal,
    parts: &Parts,
) -> Result<Received, BusError> {
    let is_command = meta.kind() == Kind::Command;
    let limit = if is_command {
        parts.max_command_bytes
    } else {
        MAX_QUERY_BYTES
    };
    let body = body::read(request, &mut payload.into_inner(), limit, principal, &parts.capacity).await?;
    let key = if is_command {
        idempotency_key(request.headers(), &body.bytes)?
    } else {
        None
    };
    Ok(Received { body, key })
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

fn idempotency_key(headers: &HeaderMap, body: &[u8]) -> Result<Option<IdempotencyKey>, BusError> {
    let invalid = |violation| BusError::invalid("Idempotency-Key", violation);
    let mut sent = headers.get_all(IDEMPOTENCY_KEY);
    let Some(key) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(invalid(Violation::new("duplicate", "must be given once")));
    }
    let key = String::from_utf8_lossy(key.as_bytes());
    IdempotencyKey::parse(&key, body).map(Some).map_err(invalid)
}

fn device(headers: &HeaderMap) -> DeviceInfo {
    let text = |name| {
        let value = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
        Some(
            value
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_DEVICE_CHARS)
                .collect(),
        )
    };
    DeviceInfo {
        user_agent: text(USER_AGENT),
        device_platform: text(DEVICE_PLATFORM),
        app_version: text(APP_VERSION),
    }
}
