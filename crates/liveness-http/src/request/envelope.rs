//! The one envelope of every answer, and the one place where a failure becomes a status: `docs/api.md#envelope`.

use std::error::Error;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use liveness_bus::{BusError, FieldError, ReplyWriter, RequestId};
use serde::Serialize;

use crate::token::TokenFlaw;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Every way in which a request can end other than well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The bus says so.
    Bus(BusError),
    /// There is no bearer token.
    NoToken,
    /// The bearer token is not good; why is no business of the caller's.
    InvalidToken(TokenFlaw),
    /// There is no such route.
    NoRoute,
    /// The route takes other methods: these.
    Method(&'static str),
}

impl From<BusError> for Failure {
    fn from(error: BusError) -> Self {
        Self::Bus(error)
    }
}

impl Failure {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Bus(error) => match error {
                BusError::Malformed(_) | BusError::Invalid(_) => StatusCode::BAD_REQUEST,
                BusError::Unauthenticated => StatusCode::UNAUTHORIZED,
                BusError::Forbidden(_) => StatusCode::FORBIDDEN,
                BusError::UnknownMessage | BusError::NotFound(_) => StatusCode::NOT_FOUND,
                BusError::TooSlow => StatusCode::REQUEST_TIMEOUT,
                BusError::Conflict(_) => StatusCode::CONFLICT,
                BusError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
                BusError::UnsupportedContent(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                BusError::Declined(_) => StatusCode::UNPROCESSABLE_ENTITY,
                BusError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
                BusError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
                BusError::Unavailable(_) | BusError::OutcomeUnknown(_) => StatusCode::SERVICE_UNAVAILABLE,
            },
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Bus(error) => error.code(),
            Self::NoToken | Self::InvalidToken(_) => BusError::Unauthenticated.code(),
            Self::NoRoute | Self::Method(_) => BusError::UnknownMessage.code(),
        }
    }

    /// What is wrong with the token, as a word for those who count; none when it is something else.
    pub(crate) fn token_class(&self) -> Option<&'static str> {
        match self {
            Self::NoToken => Some("missing"),
            Self::InvalidToken(flaw) => Some(flaw.as_str()),
            Self::Bus(_) | Self::NoRoute | Self::Method(_) => None,
        }
    }

    /// What a person is told, as a sentence.
    fn message(&self, request_id: &RequestId) -> String {
        match self {
            Self::Bus(error @ BusError::Internal(_)) => sentence(&format!("{error}; the request id is {request_id}")),
            Self::Bus(error) => sentence(&error.to_string()),
            Self::NoToken => "A bearer token is needed.".to_owned(),
            Self::InvalidToken(_) => "The bearer token is not valid.".to_owned(),
            Self::NoRoute => "There is no such route.".to_owned(),
            Self::Method(_) => "The method is not allowed here.".to_owned(),
        }
    }

    /// The header that tells the caller what to do about it.
    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let value = HeaderValue::from_static;
        match self {
            Self::NoToken | Self::Bus(BusError::Unauthenticated) => {
                Some((WWW_AUTHENTICATE, value("Bearer realm=\"liveness\"")))
            }
            Self::InvalidToken(_) => Some((
                WWW_AUTHENTICATE,
                value("Bearer realm=\"liveness\", error=\"invalid_token\""),
            )),
            Self::Bus(BusError::Forbidden(_)) => Some((
                WWW_AUTHENTICATE,
                value("Bearer realm=\"liveness\", error=\"insufficient_scope\""),
            )),
            Self::Method(allowed) => Some((ALLOW, value(allowed))),
            Self::Bus(BusError::Unavailable(_) | BusError::OutcomeUnknown(_)) => Some((RETRY_AFTER, value("1"))),
            Self::Bus(BusError::TooMany { retry_after }) => Some((
                RETRY_AFTER,
                HeaderValue::from(retry_after.as_nanos().div_ceil(1_000_000_000) as u64),
            )),
            Self::NoRoute | Self::Bus(_) => None,
        }
    }

    /// What the log is told: a route that there is not, and why a fault is ours. What was a message has its line.
    fn log(&self, request_id: &RequestId) {
        let error = match self {
            Self::NoToken | Self::InvalidToken(_) => return,
            Self::NoRoute | Self::Method(_) => {
                log::info!(code = self.code(), request:% = request_id; "{}", self.message(request_id));
                return;
            }
            Self::Bus(error) => error,
        };
        let mut causes = String::new();
        let mut cause = error.source();
        while let Some(source) = cause {
            causes.push_str(": ");
            causes.push_str(&source.to_string());
            cause = source.source();
        }
        match error {
            BusError::Internal(_) => log::error!(request:% = request_id; "{error}{causes}"),
            BusError::Unavailable(_) | BusError::OutcomeUnknown(_) => {
                log::warn!(request:% = request_id; "{error}{causes}")
            }
            _ => {}
        }
    }

    /// The envelope.
    pub(crate) fn envelope(&self, request_id: &RequestId) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Envelope<'a> {
            is_successful: bool,
            status_code: &'a str,
            message: String,
            data: Option<()>,
            #[serde(skip_serializing_if = "Option::is_none")]
            errors: Option<&'a [FieldError]>,
        }

        let errors = match self {
            Self::Bus(BusError::Invalid(errors)) => Some(errors.as_slice()),
            _ => None,
        };
        let message = self.message(request_id);
        let envelope = Envelope {
            is_successful: false,
            status_code: self.code(),
            message,
            data: None,
            errors,
        };
        // Texts and numbers always serialize.
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// The answer.
    pub(crate) fn answer(&self, request_id: &RequestId) -> HttpResponse {
        self.log(request_id);
        let mut answer = answer(self.status(), request_id);
        if let Some(header) = self.header() {
            answer.insert_header(header);
        }
        answer.body(self.envelope(request_id))
    }
}

/// An error's text, which begins small and has no stop, as errors in Rust do.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
        .unwrap_or_default()
}

/// The head of every answer.
fn answer(status: StatusCode, request_id: &RequestId) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .insert_header((REQUEST_ID, request_id.as_str()));
    answer
}

/// The envelope of a success, written around the reply as the bus writes it.
#[derive(Debug, Default)]
pub(crate) struct Success(Vec<u8>);

impl Success {
    /// The answer.
    pub(crate) fn answer(self, request_id: &RequestId) -> HttpResponse {
        answer(StatusCode::OK, request_id).body(self.0)
    }

    /// An answer without data.
    pub(crate) fn without_data(message: &'static str, request_id: &RequestId) -> HttpResponse {
        let mut success = Self::default();
        success.begin(Some(message));
        success.buffer().extend_from_slice(b"null");
        success.end();
        success.answer(request_id)
    }
}

impl ReplyWriter for Success {
    fn begin(&mut self, summary: Option<&'static str>) {
        self.0.extend_from_slice(br#"{"isSuccessful":true,"statusCode":"00","#);
        if let Some(summary) = summary {
            self.0.extend_from_slice(br#""message":"#);
            // A string always serializes, and a Vec always takes it.
            let _ = serde_json::to_writer(&mut self.0, summary);
            self.0.push(b',');
        }
        self.0.extend_from_slice(br#""data":"#);
    }

    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    fn end(&mut self) {
        self.0.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_is_told_to_wait_is_not_told_to_come_back_too_early() {
        let cases = [(1, "1"), (1_000_000, "1"), (1_000_000_000, "1"), (1_000_000_001, "2")];
        for (nanos, expected) in cases {
            let retry_after = Duration::from_nanos(nanos);
            let header = Failure::Bus(BusError::TooMany { retry_after }).header();
            assert_eq!(
                header,
                Some((RETRY_AFTER, HeaderValue::from_static(expected))),
                "{nanos}"
            );
        }
    }
}
