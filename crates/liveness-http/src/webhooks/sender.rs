//! Sends one event to the receiver, signed, and says how that ended.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use liveness_core::{Clock as _, SystemClock};
use ureq::unversioned::resolver::DefaultResolver;

use super::answer::Ended;
use super::receiver::Receiver;
use super::resolver::CheckedResolver;
use super::signing::seconds;
use crate::http_client::{self, NoAuthorities};

/// How long an attempt may take in all, from the question for the name to the answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a client is used. The authorities of the machine may have changed then.
const RENEWED_AFTER: Duration = Duration::from_secs(10 * 60);
/// The most bytes of an answer's body that are read, for the sake of the connection. They are for nobody.
const MOST_READ: u64 = 8 * 1024;

/// An event as it is sent. It has no `Debug`, because its body is a person's.
pub(super) struct Message<'a> {
    /// The same in each attempt.
    pub(super) id: &'a str,
    pub(super) body: &'a [u8],
    /// The W3C trace context of the request that the event comes from, if the event has one.
    pub(super) traceparent: Option<&'a str>,
}

/// A client for the receiver. It keeps connections open, and is renewed now and then.
pub(super) struct Sender {
    receiver: Receiver,
    agent: Mutex<Option<(ureq::Agent, Instant)>>,
}

impl Sender {
    pub(super) fn new(receiver: Receiver) -> Self {
        Self {
            receiver,
            agent: Mutex::default(),
        }
    }

    /// Sends an event once. Blocks, for [`TIMEOUT`] at most.
    pub(super) fn send(&self, message: &Message<'_>) -> Ended {
        let agent = match self.agent() {
            Ok(agent) => agent,
            Err(NoAuthorities) => {
                return Ended::Failed {
                    label: "unreached",
                    why: http_client::NO_AUTHORITIES.to_owned(),
                    hold: None,
                };
            }
        };
        let now = SystemClock.now();
        let mut request = agent
            .post(self.receiver.url().clone())
            .header("Content-Type", "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", seconds(now).to_string())
            .header("webhook-signature", self.receiver.sign(message.id, now, message.body));
        if let Some(traceparent) = message.traceparent {
            request = request.header("traceparent", traceparent);
        }
        match request.send(message.body) {
            Ok(answer) => {
                let ended = Ended::of_answer(answer.status(), answer.headers(), SystemClock.now());
                read_on(answer.into_body());
                ended
            }
            Err(error) => Ended::of_error(&error),
        }
    }

    fn agent(&self) -> Result<ureq::Agent, NoAuthorities> {
        let mut kept = self.lock();
        if let Some((agent, made)) = &*kept
            && made.elapsed() < RENEWED_AFTER
        {
            return Ok(agent.clone());
        }
        let (url, proxy) = (self.receiver.url(), self.receiver.proxy());
        // The name of a proxy is not the receiver's. Whom the proxy dials is its own rule.
        let agent = match proxy {
            None => {
                let resolver = CheckedResolver::new(DefaultResolver::default(), self.receiver.rule());
                http_client::resolving_agent(url, TIMEOUT, None, resolver)?
            }
            Some(_) => http_client::resolving_agent(url, TIMEOUT, proxy, DefaultResolver::default())?,
        };
        *kept = Some((agent.clone(), Instant::now()));
        Ok(agent)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(ureq::Agent, Instant)>> {
        // What it guards is whole at all times.
        self.agent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a short body to its end, so that its connection serves again. The outcome is known already.
fn read_on(body: ureq::Body) {
    if body.content_length().is_some_and(|length| length <= MOST_READ) {
        let _ = body.into_with_config().limit(MOST_READ).read_to_vec();
    }
}
