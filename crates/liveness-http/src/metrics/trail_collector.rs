//! Numbers of the audit trail, read at each scrape.

use std::fmt;
use std::sync::{Arc, OnceLock};

use liveness_core::store::TrailKeeper;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reports what the keeper of the trail says, once there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct TrailCollector(Arc<OnceLock<Arc<TrailKeeper>>>);

impl TrailCollector {
    /// Reports on this keeper from now on. A second one is not reported on.
    pub(super) fn show(&self, keeper: Arc<TrailKeeper>) {
        let _ = self.0.set(keeper);
    }
}

impl Collector for TrailCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(keeper) = self.0.get() else { return Ok(()) };
        let state = keeper.state();
        let found = ConstCounter::new(state.found);
        let help = "Rows of the audit trail that were changed, taken away or put in";
        found.encode(encoder.encode_descriptor("trail_findings", help, None, MetricType::Counter)?)?;
        let gauges = [
            (
                "trail_signed_entries",
                "Entries in the newest checkpoint that this node has signed",
                state.size,
            ),
            (
                "trail_failing",
                "Whether entries cannot be put into the log now",
                state.failure.is_some().into(),
            ),
        ];
        for (name, help, value) in gauges {
            let value: ConstGauge<u64> = ConstGauge::new(value);
            value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}
