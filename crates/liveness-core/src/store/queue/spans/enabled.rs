//! Spans by the API of OpenTelemetry, for whichever tracer provider the program has set. Names are ours and few; nothing that a
//! caller sent is in them.

use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};

use crate::store::engine::error::StoreError;

const SCOPE: &str = "liveness-core";

/// A span that begins when it is made, and ends at the latest when it is dropped. Nothing where the caller's is not sampled.
#[derive(Debug)]
pub(crate) struct Span(Option<Context>);

impl Span {
    /// Begins a span below the one that is current.
    pub(crate) fn begin(name: &'static str) -> Self {
        let parent = Origin::current().0;
        Self(parent.map(|parent| child(&parent, SpanBuilder::from_name(name))))
    }

    /// Whose work a thread does from here on.
    pub(crate) fn origin(&self) -> Origin {
        Origin(self.0.clone())
    }

    /// Ends the span. It says what kind of error there was, if the database failed.
    pub(crate) fn end<T>(self, outcome: &Result<T, StoreError>) {
        self.end_with(outcome.as_ref().err());
    }

    fn end_with(self, error: Option<&StoreError>) {
        let Some(context) = self.0 else { return };
        let span = context.span();
        if let Some(kind) = error.and_then(error_type) {
            span.set_attribute(KeyValue::new("error.type", kind));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// The span of a caller, for the thread that works for it.
#[derive(Debug, Clone)]
pub(crate) struct Origin(Option<Context>);

impl Origin {
    /// The span that is current.
    pub(crate) fn current() -> Self {
        let is_sampled = |current: &Context| current.span().span_context().is_sampled();
        Self(Context::map_current(|current| {
            is_sampled(current).then(|| current.clone())
        }))
    }

    /// Begins a span of the work, on the database of that kind.
    pub(crate) fn begin(&self, name: &'static str, database: &'static str) -> Span {
        Span(self.0.as_ref().map(|parent| child(parent, work(name, database, 1))))
    }

    /// Does work in which the span is current.
    pub(crate) fn carry<T>(self, work: impl FnOnce() -> T) -> T {
        let _attached = self.0.map(Context::attach);
        work()
    }
}

/// The spans of one piece of work, which is done for several callers at once: one in the trace of each.
#[derive(Debug)]
pub(crate) struct BatchSpans(Vec<(usize, Span)>);

impl BatchSpans {
    /// Begins them, on the database of that kind.
    pub(crate) fn begin<'a>(
        name: &'static str,
        database: &'static str,
        origins: impl Iterator<Item = &'a Origin> + Clone,
    ) -> Self {
        let size = origins.clone().count();
        let begun = origins.enumerate().filter_map(|(place, origin)| {
            let parent = origin.0.as_ref()?;
            Some((place, Span(Some(child(parent, work(name, database, size))))))
        });
        Self(begun.collect())
    }

    /// Ends them. The errors are those of the callers, in their order.
    pub(crate) fn end<'a>(self, errors: impl Iterator<Item = Option<&'a StoreError>>) {
        let mut spans = self.0.into_iter().peekable();
        for (place, error) in errors.enumerate() {
            if spans.peek().is_none() {
                return;
            }
            if let Some((_, span)) = spans.next_if(|(of, _)| *of == place) {
                span.end_with(error);
            }
        }
    }
}

fn child(parent: &Context, builder: SpanBuilder) -> Context {
    parent.with_span(global::tracer(SCOPE).build_with_context(builder, parent))
}

fn work(name: &'static str, database: &'static str, size: usize) -> SpanBuilder {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    SpanBuilder::from_name(name)
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("db.system.name", database),
            KeyValue::new("liveness.batch.size", size),
        ])
}

/// The word for an error of the database. A refusal is none.
fn error_type(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Unavailable(_) => Some("unavailable"),
        StoreError::OutcomeUnknown(_) => Some("outcome_unknown"),
        StoreError::Internal(_) => Some("internal"),
        StoreError::SessionOfAnotherUser | StoreError::IdempotencyKeyReused | StoreError::Refused(_) => None,
    }
}
