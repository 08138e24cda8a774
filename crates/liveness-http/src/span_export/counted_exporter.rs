//! Counts what was exported, and logs when the collector stops taking spans and when it takes them again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;

use crate::metrics::SpanCounts;

#[derive(Debug)]
pub(super) struct CountedExporter {
    exporter: SpanExporter,
    counts: Arc<SpanCounts>,
    is_failing: AtomicBool,
}

impl CountedExporter {
    pub(super) fn new(exporter: SpanExporter, counts: Arc<SpanCounts>) -> Self {
        Self {
            exporter,
            counts,
            is_failing: AtomicBool::new(false),
        }
    }

    /// Says so once, not for each batch.
    fn log(&self, outcome: &OTelSdkResult) {
        let was_failing = self.is_failing.swap(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            Err(error) if !was_failing => log::warn!("spans are not exported, and lost: {error}"),
            Ok(()) if was_failing => log::info!("spans are exported again"),
            _ => {}
        }
    }
}

impl opentelemetry_sdk::trace::SpanExporter for CountedExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let outcome = self.exporter.export(batch).await;
        self.log(&outcome);
        self.counts.left_queue(spans, outcome.is_ok());
        outcome
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
