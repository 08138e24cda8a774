//! A collector of spans, which does what a test needs: it decodes OpenTelemetry's protocol with the types of its own crate.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use prost::Message as _;
use rustls::ServerConfig;

use crate::serving::serve;

/// A span as it arrived. Ids are written as in a `traceparent`; of a root, the parent is empty.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub kind: SpanKind,
    pub is_failed: bool,
    pub attributes: BTreeMap<String, String>,
    pub resource: BTreeMap<String, String>,
    pub begun: u64,
    pub ended: u64,
}

/// It keeps what it is sent.
pub struct Collector {
    address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    spans: Vec<Arrived>,
    /// What each request was: its first line, and the lines of its head.
    heads: Vec<String>,
    is_holding: bool,
    is_refusing: bool,
}

impl Collector {
    pub fn start() -> Self {
        Self::listening(None)
    }

    pub fn with_tls(config: ServerConfig) -> Self {
        Self::listening(Some(config))
    }

    fn listening(tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let address = serve(listener, tls, move |connection| receive(&shared, connection));
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn https_url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// From now on whoever sends waits for ever.
    pub fn hold(&self) {
        self.state.now.lock().unwrap().is_holding = true;
    }

    /// From now on it takes nothing, or again.
    pub fn refuse(&self, is_refusing: bool) {
        self.state.now.lock().unwrap().is_refusing = is_refusing;
    }

    /// What has arrived.
    pub fn spans(&self) -> Vec<Arrived> {
        self.state.now.lock().unwrap().spans.clone()
    }

    /// The heads of the requests.
    pub fn heads(&self) -> Vec<String> {
        self.state.now.lock().unwrap().heads.clone()
    }

    /// Waits for a span, and gives back its trace: all that has arrived of it. A span is exported after those below it.
    pub fn trace_of(&self, is_it: impl Fn(&Arrived) -> bool) -> Trace {
        let now = self.state.now.lock().unwrap();
        let is_there = |now: &mut Now| !now.spans.iter().any(&is_it);
        let (now, waited) = self
            .state
            .changed
            .wait_timeout_while(now, Duration::from_secs(30), is_there)
            .unwrap();
        assert!(!waited.timed_out(), "it has not arrived: {:?}", now.spans);
        let found = now.spans.iter().find(|span| is_it(span)).unwrap();
        let spans = now.spans.iter().filter(|span| span.trace == found.trace);
        Trace(spans.cloned().collect())
    }
}

/// The spans of one trace.
#[derive(Debug)]
pub struct Trace(pub Vec<Arrived>);

impl Trace {
    /// The only span of that name.
    pub fn only(&self, name: &str) -> &Arrived {
        let mut found = self.0.iter().filter(|span| span.name == name);
        let span = found.next().unwrap_or_else(|| panic!("no {name}:\n{}", self.tree()));
        assert!(found.next().is_none(), "several of {name}:\n{}", self.tree());
        span
    }

    /// The names of the spans right below one, in the order in which they began.
    pub fn below(&self, parent: &Arrived) -> Vec<&str> {
        self.children(&parent.id)
            .iter()
            .map(|span| span.name.as_str())
            .collect()
    }

    fn children(&self, parent: &str) -> Vec<&Arrived> {
        let mut children: Vec<_> = self.0.iter().filter(|span| span.parent == parent).collect();
        children.sort_by_key(|span| (span.begun, span.ended));
        children
    }

    /// The spans as a tree, each with its times and attributes, for people.
    pub fn tree(&self) -> String {
        let ids: Vec<_> = self.0.iter().map(|span| &span.id).collect();
        let roots = self.0.iter().filter(|span| !ids.contains(&&span.parent));
        let mut tree = String::new();
        for root in roots {
            writeln!(tree, "trace {}, below {:?}", root.trace, root.parent).unwrap();
            self.write(&mut tree, root, root.begun, 0);
        }
        tree
    }

    fn write(&self, tree: &mut String, span: &Arrived, begin: u64, depth: usize) {
        let micros = |from: u64, to: u64| to.saturating_sub(from) / 1000;
        let (after, took) = (micros(begin, span.begun), micros(span.begun, span.ended));
        let attributes: Vec<_> = span
            .attributes
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let (indent, name, kind) = ("  ".repeat(depth), &span.name, span.kind.as_str_name());
        let kind = kind.trim_start_matches("SPAN_KIND_").to_lowercase();
        writeln!(
            tree,
            "{indent}{name} ({kind}) after {after} us took {took} us {}",
            attributes.join(" ")
        )
        .unwrap();
        for child in self.children(&span.id) {
            self.write(tree, child, begin, depth + 1);
        }
    }
}

fn receive(state: &State, connection: impl Read + Write) {
    let mut reader = BufReader::new(connection);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            // Whoever does not like our certificate sends nothing.
            Ok(0) | Err(_) => return,
            Ok(2) => break,
            Ok(_) => {}
        }
        let line = line.to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let sent = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let mut now = state.now.lock().unwrap();
    now.heads.push(head);
    state.changed.notify_all();
    let now = state.changed.wait_while(now, |now| now.is_holding).unwrap();
    let status = take(now, sent);
    state.changed.notify_all();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = reader.get_mut().write_all(answer.as_bytes());
    let _ = reader.get_mut().flush();
}

fn take(mut now: std::sync::MutexGuard<'_, Now>, sent: ExportTraceServiceRequest) -> &'static str {
    if now.is_refusing {
        return "400 Bad Request";
    }
    now.spans.extend(arrived(TracesData {
        resource_spans: sent.resource_spans,
    }));
    "200 OK"
}

fn arrived(sent: TracesData) -> Vec<Arrived> {
    let mut spans = Vec::new();
    for of_resource in sent.resource_spans {
        let resource = named(&of_resource.resource.unwrap().attributes);
        for of_scope in of_resource.scope_spans {
            spans.extend(of_scope.spans.iter().map(|span| one(span, &resource)));
        }
    }
    spans
}

fn one(span: &Span, resource: &BTreeMap<String, String>) -> Arrived {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Arrived {
        name: span.name.clone(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        kind: span.kind(),
        is_failed: span
            .status
            .as_ref()
            .is_some_and(|status| status.code() == StatusCode::Error),
        attributes: named(&span.attributes),
        resource: resource.clone(),
        begun: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
    }
}

fn named(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &AnyValue| match value.value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let pairs = attributes.iter();
    pairs
        .map(|pair| (pair.key.clone(), text(pair.value.as_ref().unwrap())))
        .collect()
}
