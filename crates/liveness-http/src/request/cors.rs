//! Pages of other origins that may call the host from a browser: `docs/api.md#browsers`.
//!
//! The rules are those of <https://fetch.spec.whatwg.org/#http-cors-protocol>. Tokens are sent by scripts, never by the
//! browser itself, so there are no credentials in the sense of that protocol.

use std::str::FromStr;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::request_id::{REQUEST_ID, request_id};

const METHODS: &str = "GET, HEAD, POST";
/// What our clients send. A browser asks for the others before it sends them, and is refused.
const REQUEST_HEADERS: &str = "authorization, content-type, idempotency-key, prefer, traceparent, tracestate, \
    x-app-version, x-device-platform, x-request-id";
/// What a script may read of an answer besides its body.
const ANSWER_HEADERS: &str = "x-request-id, retry-after, preference-applied";
/// For how many seconds a browser may keep the answer to a preflight. Chromium keeps none longer.
const MAX_AGE: &str = "7200";

/// The origins whose pages may call the host. Without any, CORS is off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorsOrigins(Vec<HeaderValue>);

impl FromStr for CorsOrigins {
    type Err = String;

    /// Reads origins with commas between them: `https://portal.example, capacitor://localhost`.
    fn from_str(text: &str) -> Result<Self, String> {
        let origins = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        origins.map(origin).collect::<Result<_, _>>().map(Self)
    }
}

/// Reads an origin, which must be as browsers send it: they are compared byte for byte.
fn origin(text: &str) -> Result<HeaderValue, String> {
    if text == "*" || text == "null" {
        return Err(format!("{text:?} would let the pages of anybody in; name the origins"));
    }
    let canonical = canonical(text)
        .ok_or_else(|| format!("{text:?} is no origin such as https://portal.example or capacitor://localhost"))?;
    if canonical != text {
        return Err(format!("{text:?} is not as browsers send it; write {canonical}"));
    }
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}

/// An origin as browsers send it: scheme, host and port, without the port that the scheme implies.
fn canonical(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let host = uri.host()?.to_ascii_lowercase();
    let is_host = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte));
    if host.is_empty() || !is_host {
        return None;
    }
    let implied = match &*scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let port = uri.port_u16().filter(|port| Some(*port) != implied);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}"))
}

impl CorsOrigins {
    /// Whether CORS is off.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The origin of the request, if its pages may call the host.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut sent = headers.get_all(ORIGIN);
        let origin = sent.next().filter(|origin| self.0.contains(origin))?;
        sent.next().is_none().then(|| origin.clone())
    }
}

/// Answers preflights, and says on every other answer whether a page of another origin may read it.
pub(crate) async fn allow_origins<B: MessageBody>(
    origins: Arc<CorsOrigins>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let allowed = origins.allowed(request.headers());
    if is_preflight(&request) {
        let answer = preflight(&request, allowed);
        return Ok(request.into_response(answer).map_into_right_body());
    }
    let mut response = next.call(request).await?.map_into_left_body();
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
    }
    Ok(response)
}

/// Whether a browser asks what it may send. It sends no token with that.
fn is_preflight(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight. If its origin is not allowed, it says nothing, and the browser sends no request.
fn preflight(request: &ServiceRequest, allowed: Option<HeaderValue>) -> HttpResponse {
    let mut answer = HttpResponse::NoContent();
    answer
        .insert_header((REQUEST_ID, request_id(request.headers()).as_str()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((
            VARY,
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        ));
    if let Some(origin) = allowed {
        answer
            .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, origin))
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
            .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
            .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE));
    }
    answer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_send_them() {
        let good = "https://localhost, capacitor://localhost,ionic://localhost, http://localhost:8100,\
            https://portal.example:8443,http://[::1]:3000,chrome-extension://abcdef,";
        assert_eq!(good.parse::<CorsOrigins>().unwrap().0.len(), 7);
        assert_eq!("".parse(), Ok(CorsOrigins::default()));
    }

    #[test]
    fn a_wrong_origin_is_told_with_what_would_be_right() {
        let not_canonical = [
            ("https://portal.example/", "https://portal.example"),
            ("https://Portal.example", "https://portal.example"),
            ("https://portal.example:443", "https://portal.example"),
            ("http://portal.example:080", "http://portal.example"),
            ("https://portal.example/app", "https://portal.example"),
            ("https://user@portal.example", "https://portal.example"),
            ("https://portal.example?x", "https://portal.example"),
        ];
        for (text, canonical) in not_canonical {
            let error = format!("https://a, {text}").parse::<CorsOrigins>().unwrap_err();
            assert_eq!(error, format!("{text:?} is not as browsers send it; write {canonical}"));
        }
        for text in [
            "portal.example",
            "localhost:8100",
            "https://",
            "https://*.example",
            "/x",
            "https://pörtal.example",
        ] {
            let error = text.parse::<CorsOrigins>().unwrap_err();
            assert!(error.starts_with(&format!("{text:?} is no origin such as ")), "{error}");
        }
        for text in ["*", "null"] {
            let error = text.parse::<CorsOrigins>().unwrap_err();
            assert!(error.ends_with("name the origins"), "{error}");
        }
    }
}
