//! The one envelope of every answer: `docs/api.md#envelope`.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, HttpResponseBuilder};
use liveness_bus::{FieldError, ReplyWriter, RequestId};
use serde::Serialize;

use super::failure::Failure;
use super::request_id::REQUEST_ID;

/// The envelope of a failure.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureEnvelope<'a> {
    is_successful: bool,
    status_code: &'a str,
    message: String,
    data: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [FieldError]>,
}

impl Failure {
    /// The envelope, as JSON.
    pub(crate) fn envelope(&self, request_id: &RequestId) -> String {
        let envelope = FailureEnvelope {
            is_successful: false,
            status_code: self.code(),
            message: self.message(request_id),
            data: None,
            errors: self.field_errors(),
        };
        // Strings and numbers always serialize.
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// Logs the failure where needed, and makes the response.
    pub(crate) fn answer(&self, request_id: &RequestId) -> HttpResponse {
        self.log(request_id);
        let mut response = response(self.status(), request_id);
        if let Some(header) = self.header() {
            response.insert_header(header);
        }
        response.body(self.envelope(request_id))
    }
}

/// A response with the headers that all envelopes have.
fn response(status: StatusCode, request_id: &RequestId) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .insert_header((REQUEST_ID, request_id.as_str()));
    response
}

/// The envelope of a success. The bus writes the reply into the middle of it.
#[derive(Debug, Default)]
pub(crate) struct Success(Vec<u8>);

impl Success {
    /// How many bytes it has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Makes the response.
    pub(crate) fn answer(self, request_id: &RequestId) -> HttpResponse {
        response(StatusCode::OK, request_id).body(self.0)
    }

    /// Makes a response without data.
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
            // A string always serializes, and a `Vec` always takes it.
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
