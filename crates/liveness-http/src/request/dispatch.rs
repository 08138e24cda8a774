//! The steps of a request: admit it, authenticate and authorize its sender, read the body, send the message, answer.
//!
//! Once the sender is known, refusals go through the bus too, so that they are audited and logged like any message.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use liveness_bus::{BusError, Context, IdempotencyKey, Kind, Meta, Principal, Wait};
use tokio::task::JoinHandle;

use super::api_state::ApiState;
use super::authentication::{Origin, authenticate, authorize};
use super::body::{self, Body};
use super::connection_state::ConnectionState;
use super::envelope::Success;
use super::failure::Failure;
use super::limits::permit::Permit;
use super::limits::waiting_room::WaitingCaller;
use super::message_headers::{device, idempotency_key};
use super::prefer;
use super::request_id::request_id;
use super::request_span::{RequestSpan, within};
use super::sliced_body::in_slices;
use super::trace_headers::trace;
use super::upgrade::decline_upgrade;
use crate::token::VerifiedToken;

/// How long a message may take once its body has been received. Then a query is abandoned, and a command is not begun.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_QUERY_BYTES: usize = 64 * 1024;

const LOG: &str = "liveness::message";

/// `POST …/commands/{name}`
pub(super) async fn dispatch(request: HttpRequest, payload: web::Payload, state: web::Data<ApiState>) -> HttpResponse {
    let (state, headers) = (state.into_inner(), request.headers());
    let (request_id, sent) = (request_id(headers), trace(headers));
    let span = RequestSpan::begin(|| known_name(&state, name(&request)), &request_id, sent.as_ref());
    let trace = span.trace(sent);
    let origin = Origin {
        request_id: &request_id,
        client_address: state
            .trusted_proxies
            .client(request.peer_addr(), headers, &state.forwarded_header),
        trace: trace.as_ref(),
    };
    let answered = span.around(answer(&request, payload, state, origin)).await;
    let mut response = answered.unwrap_or_else(|failure| failure.answer(&request_id));
    decline_upgrade(request.head(), response.head_mut());
    span.end(response.status());
    response
}

async fn answer(
    request: &HttpRequest,
    payload: web::Payload,
    state: Arc<ApiState>,
    origin: Origin<'_>,
) -> Result<HttpResponse, Failure> {
    // A request may wait for long once it is ready. What comes before takes much more memory, and gives it back.
    let ready = Box::pin(prepare(request, payload, &state, origin)).await?;
    let (wait, task) = ready.begin(request, state);
    let outcome = task.await.unwrap_or_else(|error| Err(BusError::Internal(error.into())));
    let (reply, answer_memory) = outcome?;
    let answer = wait.told_in(reply.answer(origin.request_id));
    Ok(in_slices(answer, request.conn_data(), answer_memory))
}

/// A request that is ready for the bus.
struct Ready {
    permit: Permit,
    context: Context,
    /// Its body, or why it is refused.
    body: Result<Body, BusError>,
    /// What its answer may take.
    answer_memory: Option<Permit>,
    /// Its place, if its client likes to wait, and may.
    waiting: Option<WaitingCaller>,
}

/// A reply, and the memory that it takes if it is large.
type Outcome = Result<(Success, Option<Permit>), BusError>;

impl Ready {
    /// Begins the work, which is a task of its own. When the client goes away, actix drops the request's future, but a command
    /// that has begun must finish, and a refusal must be audited.
    fn begin(self, request: &HttpRequest, state: Arc<ApiState>) -> (RequestWait, JoinHandle<Outcome>) {
        let wait = RequestWait::of(request, self.waiting.as_ref());
        let name = name(request).to_owned();
        let task = actix_web::rt::spawn(within(async move {
            let _held_until_done = held_until_waiting(self.permit, self.waiting.as_ref());
            let reply = send(&state, &name, self.body, &self.context).await?;
            let mut answer_memory = self.answer_memory;
            if let Some(memory) = &mut answer_memory {
                memory.shrink_to(reply.len());
            }
            Ok((reply, answer_memory))
        }));
        (wait, task)
    }
}

/// Everything before the bus. What fails here is not sent, not even as a refusal.
async fn prepare(
    request: &HttpRequest,
    payload: web::Payload,
    state: &ApiState,
    origin: Origin<'_>,
) -> Result<Ready, Failure> {
    let name = name(request);
    let accepted = accept(state, name, request.headers(), origin.client_address).await;
    let (permit, token) = accepted.inspect_err(|failure| report_refusal(state, name, failure, origin))?;
    let (principal, authorized) = authorize(state, name, token, origin).await;
    let received = match authorized {
        Ok(meta) => receive(request, payload, &meta, &principal, state).await,
        Err(refusal) => Err(refusal),
    };
    let (body, key, answer_memory, waiting) = match received {
        Ok(received) => (
            Ok(received.body),
            received.key,
            received.answer_memory,
            received.waiting,
        ),
        Err(refusal) => (Err(refusal), None, None, None),
    };
    let context = Context::builder(principal)
        .request_id(origin.request_id.clone())
        .trace(origin.trace.cloned())
        .client_address(origin.client_address)
        .device(device(request.headers()))
        .idempotency_key(key)
        .deadline(Instant::now() + MESSAGE_TIMEOUT)
        .wait(waiting.as_ref().map(|caller| caller.wait.clone()))
        .clock(state.clock.clone())
        .build();
    Ok(Ready {
        permit,
        context,
        body,
        answer_memory,
        waiting,
    })
}

/// The wait of a request, if it may wait. It ends with the future of the request, which actix drops when the client goes away.
struct RequestWait(Option<Wait>);

impl RequestWait {
    fn of(request: &HttpRequest, waiting: Option<&WaitingCaller>) -> Self {
        let wait = waiting.map(|caller| caller.wait.clone());
        if let Some((wait, connection)) = wait.clone().zip(request.conn_data::<ConnectionState>()) {
            connection.may_wait(wait);
        }
        Self(wait)
    }

    /// Says in the answer that the preference was heeded.
    fn told_in(&self, mut answer: HttpResponse) -> HttpResponse {
        if let Some(applied) = self.0.as_ref().and_then(|wait| prefer::applied(wait.time())) {
            answer.headers_mut().insert(prefer::PREFERENCE_APPLIED, applied);
        }
        answer
    }
}

impl Drop for RequestWait {
    fn drop(&mut self) {
        if let Some(wait) = &self.0 {
            wait.end();
        }
    }
}

/// Who waits is not in flight. So the permit of such a request ends when the waiting begins.
fn held_until_waiting(permit: Permit, waiting: Option<&WaitingCaller>) -> Option<Permit> {
    match waiting {
        Some(caller) => {
            caller.wait.hold_until_waiting(permit);
            None
        }
        None => Some(permit),
    }
}

/// The name of the message: the last part of the path.
fn name(request: &HttpRequest) -> &str {
    let mut parts = request.match_info().as_str().rsplit('/');
    parts.find(|part| !part.is_empty()).unwrap_or_default()
}

/// What comes before the bus: the limit on requests, the token, and whether the message exists.
async fn accept(
    state: &ApiState,
    name: &str,
    headers: &HeaderMap,
    client_address: Option<IpAddr>,
) -> Result<(Permit, VerifiedToken), Failure> {
    // This permit is dropped at once. Verifying a stranger's token may wait for a key, and must not use up the places of
    // others meanwhile.
    drop(state.admission.admit_request()?);
    let token = authenticate(state, name, headers, client_address).await?;
    let permit = state.admission.admit_request()?;
    state.bus.meta(name).ok_or(BusError::UnknownMessage)?;
    Ok((permit, token))
}

/// The name of a message that the bus knows. Any other may have been made up by anybody.
fn known_name(state: &ApiState, name: &str) -> Option<&'static str> {
    state.bus.meta(name).map(Meta::name)
}

/// Counts and logs a request that the bus never sees. The log does not show the name.
fn report_refusal(state: &ApiState, name: &str, failure: &Failure, origin: Origin<'_>) {
    let (request_id, code, token) = (origin.request_id, failure.code(), failure.token_problem());
    state.metrics.count_refused(known_name(state, name), code);
    let client = origin.client_address.map(|address| address.to_string());
    let client = client.as_deref();
    match origin.trace {
        Some(trace) => log::info!(
            target: LOG, code, request:% = request_id, client, token,
            trace_id:% = trace.trace_id(), span_id:% = trace.span_id();
            "-"
        ),
        None => log::info!(target: LOG, code, request:% = request_id, client, token; "-"),
    }
}

/// What was sent: the body, and the key under which the command may be repeated.
struct Received {
    body: Body,
    key: Option<IdempotencyKey>,
    /// What its answer may take.
    answer_memory: Option<Permit>,
    /// Its place, if its client likes to wait, and may.
    waiting: Option<WaitingCaller>,
}

/// Whether the answer may be large: it shows a face, or many records.
fn has_large_answer(meta: &Meta) -> bool {
    // A user's own answers are small.
    meta.kind() == Kind::Query && !meta.access().needs_user()
}

async fn receive(
    request: &HttpRequest,
    payload: web::Payload,
    meta: &Meta,
    principal: &Principal,
    state: &ApiState,
) -> Result<Received, BusError> {
    let is_command = meta.kind() == Kind::Command;
    let limit = if is_command {
        state.max_command_bytes
    } else {
        MAX_QUERY_BYTES
    };
    let body = body::read(request, &mut payload.into_inner(), limit, principal, &state.admission).await?;
    let key = if is_command {
        idempotency_key(request.headers(), &body.bytes)?
    } else {
        None
    };
    let answer_memory = if has_large_answer(meta) {
        Some(state.admission.reserve_answer(principal).await?)
    } else {
        None
    };
    let has_left = request.conn_data().is_some_and(ConnectionState::has_left);
    let may_wait = meta.waits() && !has_left;
    let wait = may_wait.then(|| prefer::wait(request.headers())).flatten();
    Ok(Received {
        body,
        key,
        answer_memory,
        waiting: wait.and_then(|time| state.waiting_room.admit(principal, time)),
    })
}

/// Sends the message, or its refusal, through the bus.
async fn send(
    state: &ApiState,
    name: &str,
    body: Result<Body, BusError>,
    context: &Context,
) -> Result<Success, BusError> {
    let mut reply = Success::default();
    match body {
        Ok(Body { bytes, memory }) => {
            let done = state.bus.dispatch(name, bytes, context, &mut reply).await;
            // The memory is in use until here: what was decoded from the body lives as long as the message.
            drop(memory);
            done.map(|()| reply)
        }
        Err(refusal) => Err(state.bus.refuse(name, refusal, context).await),
    }
}
