//! How spans reach the collector: by the client of this program, over TLS with the authorities of this machine.

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

use super::settings::{Settings, SpanExportError};
use crate::http_client::{NoAuthorities, agent};

/// An answer has nothing in it but what the collector did not take.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Posts spans. It blocks, on the thread that exports.
#[derive(Debug)]
pub(super) struct CollectorClient(ureq::Agent);

impl CollectorClient {
    pub(super) fn of(settings: &Settings) -> Result<Self, SpanExportError> {
        let agent = agent(&settings.endpoint, settings.timeout);
        agent.map(Self).map_err(|NoAuthorities| SpanExportError::NoAuthorities)
    }
}

#[async_trait::async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(head, &body[..]))?;
        let (head, mut body) = answer.into_parts();
        let body = body.with_config().limit(LONGEST_ANSWER).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }
}
