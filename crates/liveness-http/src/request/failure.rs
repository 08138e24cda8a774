//! Every way in which a request can fail, and the one place where a failure becomes a status: `docs/api.md#envelope`.

use std::borrow::Cow;
use std::error::Error;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use liveness_bus::{BusError, FieldError, RequestId};

use crate::token::TokenFlaw;

/// The head of the request is larger than actix-http reads.
pub(crate) const HEAD_TOO_LARGE: BusError = BusError::Malformed(Cow::Borrowed("the head of the request is too large"));

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The bus refused it, or failed.
    Bus(BusError),
    /// It has no bearer token.
    NoToken,
    /// Its bearer token is not valid. The reason is for the operator only.
    InvalidToken(TokenFlaw),
    /// Its path does not exist.
    NoRoute,
    /// Its path takes other methods only. These are they.
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
                BusError::Forbidden(_) | BusError::Locked(_) => StatusCode::FORBIDDEN,
                BusError::UnknownMessage | BusError::NotFound(_) => StatusCode::NOT_FOUND,
                BusError::Gone(_) => StatusCode::GONE,
                BusError::TooSlow => StatusCode::REQUEST_TIMEOUT,
                BusError::Conflict(_) => StatusCode::CONFLICT,
                BusError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
                BusError::UnsupportedContent(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                BusError::Declined(_) => StatusCode::UNPROCESSABLE_ENTITY,
                BusError::TooMany { .. } | BusError::Exhausted { .. } => StatusCode::TOO_MANY_REQUESTS,
                BusError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
                BusError::Unavailable(_) | BusError::OutcomeUnknown(_) => StatusCode::SERVICE_UNAVAILABLE,
            },
        }
    }

    /// The `statusCode` in the envelope.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Bus(error) => error.code(),
            Self::NoToken | Self::InvalidToken(_) => BusError::Unauthenticated.code(),
            Self::NoRoute | Self::Method(_) => BusError::UnknownMessage.code(),
        }
    }

    /// What is wrong with the token, as a word for logs and metrics. `None` when the failure is about something else.
    pub(crate) fn token_problem(&self) -> Option<&'static str> {
        match self {
            Self::NoToken => Some("missing"),
            Self::InvalidToken(flaw) => Some(flaw.as_str()),
            Self::Bus(_) | Self::NoRoute | Self::Method(_) => None,
        }
    }

    /// The sentence for people.
    pub(super) fn message(&self, request_id: &RequestId) -> String {
        match self {
            Self::Bus(error @ BusError::Internal(_)) => sentence(&format!("{error}; the request id is {request_id}")),
            Self::Bus(error) => sentence(&error.to_string()),
            Self::NoToken => "A bearer token is needed.".to_owned(),
            Self::InvalidToken(_) => "The bearer token is not valid.".to_owned(),
            Self::NoRoute => "There is no such route.".to_owned(),
            Self::Method(_) => "The method is not allowed here.".to_owned(),
        }
    }

    /// The fields that break a rule.
    pub(super) fn field_errors(&self) -> Option<&[FieldError]> {
        match self {
            Self::Bus(BusError::Invalid(errors)) => Some(errors),
            _ => None,
        }
    }

    /// The header that tells the caller what to do next.
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
            // Rounded up: a caller that waits this long must not be too early.
            Self::Bus(BusError::TooMany { retry_after } | BusError::Exhausted { retry_after, .. }) => Some((
                RETRY_AFTER,
                HeaderValue::from(retry_after.as_nanos().div_ceil(1_000_000_000) as u64),
            )),
            Self::NoRoute | Self::Bus(_) => None,
        }
    }

    /// Logs a path that does not exist, and the cause of an error of ours.
    ///
    /// Everything else was logged before: messages by the bus, bad tokens by the dispatch.
    pub(super) fn log(&self, request_id: &RequestId) {
        match self {
            Self::NoRoute | Self::Method(_) => {
                log::info!(code = self.code(), request:% = request_id; "{}", self.message(request_id));
            }
            Self::Bus(error @ BusError::Internal(_)) => {
                log::error!(request:% = request_id; "{error}{}", causes(error));
            }
            Self::Bus(error @ (BusError::Unavailable(_) | BusError::OutcomeUnknown(_))) => {
                log::warn!(request:% = request_id; "{error}{}", causes(error));
            }
            Self::NoToken | Self::InvalidToken(_) | Self::Bus(_) => {}
        }
    }
}

/// The causes of an error, each after a colon.
fn causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.map(|cause| format!(": {cause}")).collect()
}

/// Makes a sentence of an error's text, which by Rust's custom begins with a small letter and has no full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_caller_that_waits_as_told_does_not_come_back_too_early() {
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
