//! Numbers of the durable jobs, read at each scrape.

use std::fmt;
use std::sync::{Arc, OnceLock};

use liveness_core::store::{JobCounts, JobRunner};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reports what the runner of jobs has counted, once there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct JobsCollector(Arc<OnceLock<Arc<JobRunner>>>);

impl JobsCollector {
    /// Reports on this runner from now on. A second one is not reported on.
    pub(super) fn show(&self, runner: Arc<JobRunner>) {
        let _ = self.0.set(runner);
    }
}

/// Name and help of a gauge, and its value for a kind.
type Shown = (&'static str, &'static str, fn(&JobCounts) -> u64);

const GAUGES: [Shown; 3] = [
    ("jobs_waiting", "Jobs that wait or run", |of| of.waiting),
    ("jobs_dead", "Jobs that were given up", |of| of.dead),
    (
        "jobs_late_seconds",
        "For how long the oldest job has been due that nobody runs",
        |of| of.late_seconds,
    ),
];

impl Collector for JobsCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(runner) = self.0.get() else { return Ok(()) };
        let counts = runner.counts();
        if counts.is_empty() {
            return Ok(());
        }
        for (name, help, value) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for of_kind in &counts {
                let gauge: ConstGauge<u64> = ConstGauge::new(value(of_kind));
                gauge.encode(family.encode_family(&[("kind", of_kind.kind)])?)?;
            }
        }
        Ok(())
    }
}
