//! Where a request stands in a trace, by W3C Trace Context.

#[cfg(feature = "opentelemetry")]
mod span_context;
mod trace_state;

use std::fmt;

/// A trace id, then a parent id, each with a hyphen before it, then two digits of flags: what a `traceparent` has of every version.
const LENGTH: usize = 55;
/// What W3C Trace Context defines of the flags: sampled, and random trace id.
const KNOWN_FLAGS: u8 = 0b11;
const SAMPLED: u8 = 0b01;

/// Where a request stands in a trace, by [W3C Trace Context](https://www.w3.org/TR/trace-context-2/): the headers `traceparent` and
/// `tracestate`.
///
/// ```
/// use liveness_bus::{Context, Principal, TraceContext};
///
/// let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let trace = TraceContext::parse(sent).map(|trace| trace.with_state(["vendor=1,other=2"]));
/// let context = Context::builder(Principal::new("1234")).trace(trace).build();
///
/// let trace = context.trace().expect("a trace");
/// assert_eq!(trace.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
/// assert!(trace.is_sampled());
/// // What a request to another service says.
/// assert_eq!((trace.traceparent().as_str(), trace.tracestate()), (sent, Some("vendor=1,other=2")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: u8,
    state: Option<Box<str>>,
}

impl TraceContext {
    /// One of these ids and flags, without a `tracestate`. `None` if an id is all zeros, which means that there is none. Flags that
    /// the standard does not define are cleared.
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) -> Option<Self> {
        let is_valid = trace_id != [0; 16] && span_id != [0; 8];
        is_valid.then_some(Self {
            trace_id,
            span_id,
            flags: flags & KNOWN_FLAGS,
            state: None,
        })
    }

    /// Reads a `traceparent`. `None` if it breaks a rule of the standard. Of a version that is not known yet, what every version
    /// begins with is read.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let fields = traceparent.as_bytes();
        let (fields, rest) = fields.split_at_checked(LENGTH)?;
        let [version] = hex(&fields[..2])?;
        let is_whole = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.first().is_none_or(|byte| *byte == b'-'),
        };
        let has_hyphens = [2, 35, 52].iter().all(|place| fields[*place] == b'-');
        if !is_whole || !has_hyphens {
            return None;
        }
        let [flags] = hex(&fields[53..])?;
        Self::new(hex(&fields[3..35])?, hex(&fields[36..52])?, flags)
    }

    /// Adds the `tracestate` of these headers, of which there may be several. If they break a rule of the standard, there is none:
    /// the trace goes on without. Of more than 512 characters, whole entries are left out, long ones first, then from the end.
    #[must_use]
    pub fn with_state<'a>(self, headers: impl IntoIterator<Item = &'a str>) -> Self {
        let state = trace_state::combined(headers);
        Self { state, ..self }
    }

    /// The id of the trace: 32 digits when it is written.
    pub fn trace_id(&self) -> impl fmt::Display {
        Hex(self.trace_id)
    }

    /// The id of the span that the request belongs to: 16 digits when it is written. It is that of the sender, or our own where
    /// spans are made.
    pub fn span_id(&self) -> impl fmt::Display {
        Hex(self.span_id)
    }

    /// Whether the sender may have recorded the trace, and asks others to do so.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The header `traceparent` for a request to another service.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id(), self.span_id(), self.flags)
    }

    /// The header `tracestate` for a request to another service, if there is one.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// Bytes that are written as small hexadecimal digits.
struct Hex<const N: usize>([u8; N]);

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The bytes of small hexadecimal digits; capital ones are not allowed.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    (digits.len() == 2 * N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn what_is_read_is_written_again() {
        for flags in ["00", "01", "02", "03"] {
            let sent = format!("00-{TRACE}-{SPAN}-{flags}");
            let trace = TraceContext::parse(&sent).unwrap();
            assert_eq!(trace.traceparent(), sent);
            assert_eq!(trace.trace_id().to_string(), TRACE);
            assert_eq!(trace.span_id().to_string(), SPAN);
            assert_eq!(trace.is_sampled(), flags == "01" || flags == "03");
        }
    }

    #[test]
    fn flags_that_are_not_defined_are_cleared() {
        let trace = TraceContext::parse(&format!("00-{TRACE}-{SPAN}-fd")).unwrap();
        assert_eq!(trace.traceparent(), format!("00-{TRACE}-{SPAN}-01"));
    }

    #[test]
    fn of_a_later_version_what_all_begin_with_is_read() {
        for rest in ["", "-", "-more", "-what the-future-will-be-like"] {
            let trace = TraceContext::parse(&format!("cc-{TRACE}-{SPAN}-01{rest}")).unwrap();
            assert_eq!(trace.traceparent(), format!("00-{TRACE}-{SPAN}-01"), "{rest:?}");
        }
        for rest in [".what", "0", "0-more"] {
            let sent = format!("cc-{TRACE}-{SPAN}-01{rest}");
            assert_eq!(TraceContext::parse(&sent), None, "{rest:?}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_no_trace() {
        let broken = [
            String::new(),
            "00".to_owned(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-{TRACE}-{SPAN}-.1"),
            format!("0-{TRACE}-{SPAN}-01"),
            format!(".0-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}-{}-01", &SPAN[1..]),
            format!("00_{TRACE}_{SPAN}_01"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}ä-1"),
        ];
        for sent in broken {
            assert_eq!(TraceContext::parse(&sent), None, "{sent:?}");
        }
    }
}
