//! Spans of messages that a backend sends in process, for the tracer provider that it has set.

#![expect(clippy::unwrap_used, reason = "a lock that is poisoned ends the test")]

use std::sync::{Arc, LazyLock, Mutex};

use liveness_bus::TraceContext;
use liveness_bus::testing::TestBus;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{Status, TraceContextExt as _, TraceId, Tracer as _};
use opentelemetry::{Context, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use serde_json::json;

use crate::report::{SUBMIT, body_with};

/// Keeps the spans of all tests of this program, which has one provider.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

static KEPT: LazyLock<Kept> = LazyLock::new(|| {
    let kept = Kept::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build();
    global::set_tracer_provider(provider);
    kept
});

/// The spans of a trace, as each has ended: its name, and the name of the one that it is below.
fn ended(trace: TraceId, root: &str) -> Vec<(String, String)> {
    let mut spans = KEPT.0.lock().unwrap().clone();
    spans.retain(|span| span.span_context.trace_id() == trace);
    let name_of = |id| {
        let found = spans.iter().find(|span| span.span_context.span_id() == id);
        found.map_or_else(|| root.to_owned(), |span| span.name.to_string())
    };
    spans
        .iter()
        .map(|span| (span.name.to_string(), name_of(span.parent_span_id)))
        .collect()
}

/// What a submit leaves, below a span of that name.
fn submit_below(root: &str) -> Vec<(String, String)> {
    [("commit", "store write"), ("store write", SUBMIT), (SUBMIT, root)]
        .map(|(name, parent)| (name.to_owned(), parent.to_owned()))
        .to_vec()
}

fn trace(id: &str) -> TraceContext {
    let sent = format!("00-{id}-b7ad6b7169203331-01");
    TraceContext::parse(&sent).unwrap()
}

#[tokio::test]
async fn a_message_is_below_the_trace_that_it_is_sent_with() {
    LazyLock::force(&KEPT);
    let world = TestBus::new();
    let sent = trace("1af7651916cd43dd8448eb211c80319c");
    let context = world.context(TestBus::customer_principal(1)).trace(Some(sent.clone()));
    let body = body_with(json!({})).to_string();
    world.dispatch(SUBMIT, &body, &context.build()).await.unwrap();
    assert_eq!(
        ended(sent.remote_span().trace_id(), "the sender"),
        submit_below("the sender")
    );
}

#[tokio::test]
async fn a_span_of_the_backend_comes_before_the_trace_of_the_sender() {
    LazyLock::force(&KEPT);
    let world = TestBus::new();
    let sent = trace("2af7651916cd43dd8448eb211c80319c");
    let context = world.context(TestBus::customer_principal(1)).trace(Some(sent.clone()));
    let own = Context::new().with_span(global::tracer("backend").start_with_context("own", &Context::new()));
    let body = body_with(json!({})).to_string();
    let context = context.build();
    world
        .dispatch(SUBMIT, &body, &context)
        .with_context(own.clone())
        .await
        .unwrap();
    assert_eq!(ended(sent.remote_span().trace_id(), "the sender"), []);
    assert_eq!(ended(own.span().span_context().trace_id(), "own"), submit_below("own"));
}

#[tokio::test]
async fn a_refusal_is_no_failure_of_a_span() {
    LazyLock::force(&KEPT);
    let world = TestBus::new();
    let sent = trace("3af7651916cd43dd8448eb211c80319c");
    let context = world.context(TestBus::customer_principal(1)).trace(Some(sent.clone()));
    world.dispatch(SUBMIT, "{}", &context.build()).await.unwrap_err();
    let spans = KEPT.0.lock().unwrap();
    let mut of_trace = spans
        .iter()
        .filter(|span| span.span_context.trace_id() == sent.remote_span().trace_id());
    let told = |span: &SpanData| {
        let code = span
            .attributes
            .iter()
            .find(|pair| pair.key.as_str() == "liveness.status_code");
        code.map(|pair| pair.value.to_string())
    };
    let message = of_trace.find(|span| span.name == SUBMIT).unwrap();
    assert_eq!(
        (told(message).as_deref(), &message.status),
        (Some("30"), &Status::Unset)
    );
}
