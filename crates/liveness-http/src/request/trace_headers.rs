//! The headers by which a caller tells in which trace a request is: W3C Trace Context.

use actix_web::http::header::{HeaderMap, HeaderName};
use liveness_bus::TraceContext;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Where the request stands in a trace. Headers that break a rule of the standard count for nothing: they are no error.
pub(super) fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    let mut sent = headers.get_all(TRACEPARENT);
    let traceparent = sent.next()?.to_str().ok()?;
    if sent.next().is_some() {
        return None;
    }
    let trace = TraceContext::parse(traceparent.trim_matches([' ', '\t']))?;
    let states: Result<Vec<_>, _> = headers.get_all(TRACESTATE).map(|value| value.to_str()).collect();
    Some(trace.with_state(states.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const SENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn of(headers: &[(&'static str, &[u8])]) -> Option<TraceContext> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        trace(&map)
    }

    #[test]
    fn one_good_traceparent_is_a_trace_and_two_are_none() {
        assert_eq!(of(&[("traceparent", SENT.as_bytes())]).unwrap().traceparent(), SENT);
        let spaced = format!("\t{SENT} ");
        assert_eq!(of(&[("traceparent", spaced.as_bytes())]).unwrap().traceparent(), SENT);
        assert_eq!(
            of(&[("traceparent", SENT.as_bytes()), ("traceparent", SENT.as_bytes())]),
            None
        );
        assert_eq!(of(&[("traceparent", b"00-\xff")]), None);
        assert_eq!(of(&[("tracestate", b"a=1")]), None);
    }

    #[test]
    fn all_tracestates_are_one_list_and_one_that_is_no_text_ends_it() {
        let sent: (&str, &[u8]) = ("traceparent", SENT.as_bytes());
        let several = of(&[sent, ("tracestate", b"a=1"), ("tracestate", b"b=2")]);
        assert_eq!(several.unwrap().tracestate(), Some("a=1,b=2"));
        let broken = of(&[sent, ("tracestate", b"a=1"), ("tracestate", b"b=\xff")]);
        assert_eq!(broken.unwrap().tracestate(), None);
    }
}
