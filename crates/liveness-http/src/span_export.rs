//! Exports spans to a collector, by OpenTelemetry's protocol (OTLP) over HTTP: `docs/operations.md#traces`.
//!
//! The settings are OpenTelemetry's own variables. Without an endpoint there is no exporter, and no span is made. A queue of bounded
//! length stands between requests and the thread that exports, so that no request ever waits for a collector.

mod collector_client;
mod counted_exporter;
mod settings;
mod span_queue;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::oneshot;
use tokio::time::timeout;
use ureq::http::Uri;

use self::collector_client::CollectorClient;
use self::counted_exporter::CountedExporter;
use self::settings::Settings;
use self::span_queue::SpanQueue;
use crate::metrics::SpanCounts;

pub use self::settings::SpanExportError;

/// What exports the spans of this process.
pub(crate) struct SpanExport {
    provider: SdkTracerProvider,
    counts: Arc<SpanCounts>,
}

impl SpanExport {
    /// Begins to make spans and to export them, if the environment says where to.
    ///
    /// # Errors
    ///
    /// When a variable says what cannot be done.
    pub(crate) fn start() -> Result<Option<Self>, SpanExportError> {
        let Some(settings) = Settings::of_environment()? else {
            return Ok(None);
        };
        let counts = Arc::<SpanCounts>::default();
        let client = CollectorClient::of(&settings)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(client)
            .with_endpoint(settings.endpoint.to_string())
            .with_timeout(settings.timeout)
            .build()?;
        let exporter = CountedExporter::new(exporter, Arc::clone(&counts));
        let queue = SpanQueue::start(exporter, settings.queue, Arc::clone(&counts));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(&settings))
            .with_span_processor(queue)
            .build();
        global::set_tracer_provider(provider.clone());
        log::info!("spans are exported to {}", settings.endpoint);
        Ok(Some(Self { provider, counts }))
    }

    /// Where [`start`](Self::start) would export spans to, if it would. It begins nothing.
    ///
    /// # Errors
    ///
    /// Those of `start`.
    pub(crate) fn destination() -> Result<Option<Uri>, SpanExportError> {
        let Some(settings) = Settings::of_environment()? else {
            return Ok(None);
        };
        CollectorClient::of(&settings)?;
        Ok(Some(settings.endpoint))
    }

    /// What became of the spans.
    pub(crate) fn counts(&self) -> &Arc<SpanCounts> {
        &self.counts
    }

    /// Exports what waits, and ends. It gives up when the collector takes longer than that.
    pub(crate) async fn finish(self, patience: Duration) {
        let (end, ended) = oneshot::channel();
        let provider = self.provider;
        // Not a thread of the runtime, which would wait for it.
        thread::spawn(move || {
            let _ = end.send(provider.shutdown_with_timeout(patience).is_ok());
        });
        if !matches!(timeout(patience, ended).await, Ok(Ok(true))) {
            log::warn!("stopped with spans that are not exported: the collector was too slow or did not take them");
        }
    }
}

/// What all spans say of this process: `service.name`, which is `liveness` unless the environment has another, and its version.
fn resource(settings: &Settings) -> Resource {
    let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if settings.is_service_named {
        resource.build()
    } else {
        resource.with_service_name("liveness").build()
    }
}
