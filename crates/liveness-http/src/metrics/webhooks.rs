//! Numbers of webhooks: attempts by this node, and the events of all nodes that wait or were set aside.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndedLabel {
    outcome: &'static str,
}

/// What there is of events for the receiver, on all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct WebhookCounts {
    /// Events that are to be sent.
    pub(crate) waiting: u64,
    /// Events that were sent in vain too often.
    pub(crate) set_aside: u64,
    /// For how many seconds the oldest event that is to be sent has waited.
    pub(crate) oldest_seconds: u64,
    /// Whether nothing is sent any more, because the receiver has said so.
    pub(crate) is_disabled: bool,
}

/// Counts webhooks. Cloning it is cheap, and all clones count together. Where no webhooks are sent, it shows nothing.
#[derive(Debug, Clone)]
pub(crate) struct WebhookMetrics {
    attempts: Family<EndedLabel, Counter>,
    durations: Histogram,
    counts: Arc<Mutex<Option<WebhookCounts>>>,
}

impl Default for WebhookMetrics {
    fn default() -> Self {
        Self {
            attempts: Family::default(),
            durations: Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0]),
            counts: Arc::default(),
        }
    }
}

impl WebhookMetrics {
    /// Counts an attempt.
    pub(crate) fn ended(&self, outcome: &'static str, took: Duration) {
        self.attempts.get_or_create(&EndedLabel { outcome }).inc();
        self.durations.observe(took.as_secs_f64());
    }

    /// Shows these counts from now on.
    pub(crate) fn show(&self, counts: WebhookCounts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = Some(counts);
    }
}

impl Collector for WebhookMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counts = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(counts) = counts else { return Ok(()) };
        let help = "Attempts to send an event, by how they ended";
        let attempts = encoder.encode_descriptor("webhooks_sent", help, None, MetricType::Counter)?;
        self.attempts.encode(attempts)?;
        let help = "How long each attempt to send an event took";
        let durations =
            encoder.encode_descriptor("webhook_duration", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        self.durations.encode(durations)?;
        let gauges = [
            ("webhooks_waiting", "Events that are to be sent", counts.waiting),
            (
                "webhooks_set_aside",
                "Events that were sent in vain too often",
                counts.set_aside,
            ),
            (
                "webhooks_oldest_seconds",
                "For how long the oldest event that is to be sent has waited",
                counts.oldest_seconds,
            ),
            (
                "webhooks_disabled",
                "Whether nothing is sent any more, because the receiver has said so",
                counts.is_disabled.into(),
            ),
        ];
        for (name, help, value) in gauges {
            let gauge: ConstGauge<u64> = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn where_no_webhooks_are_sent_nothing_is_shown_of_them() {
        let metrics = Metrics::default();
        assert!(!metrics.to_prometheus_text().unwrap().contains("webhook"));
        metrics.webhooks.ended("delivered", Duration::from_millis(30));
        metrics.webhooks.show(WebhookCounts {
            waiting: 3,
            set_aside: 2,
            oldest_seconds: 90,
            is_disabled: true,
        });
        let text = metrics.to_prometheus_text().unwrap();
        for line in [
            "liveness_webhooks_sent_total{outcome=\"delivered\"} 1",
            "liveness_webhook_duration_seconds_count 1",
            "liveness_webhook_duration_seconds_bucket{le=\"0.05\"} 1",
            "liveness_webhooks_waiting 3",
            "liveness_webhooks_set_aside 2",
            "liveness_webhooks_oldest_seconds 90",
            "liveness_webhooks_disabled 1",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
        }
    }
}
