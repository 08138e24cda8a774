//! What became of the spans that were made for OpenTelemetry.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

/// Counts spans.
#[derive(Debug, Default)]
pub(crate) struct SpanCounts {
    waiting: AtomicUsize,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl SpanCounts {
    /// Counts a span that has ended. Returns whether there is room for it where at most so many wait; if not, it is dropped.
    pub(crate) fn enters_queue(&self, most: usize) -> bool {
        let has_room = |waiting| (waiting < most).then_some(waiting + 1);
        let entered = self
            .waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, has_room);
        if entered.is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        entered.is_ok()
    }

    /// Counts spans that wait no more.
    pub(crate) fn left_queue(&self, spans: usize, is_exported: bool) {
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        let count = if is_exported { &self.exported } else { &self.failed };
        count.fetch_add(spans as u64, Ordering::Relaxed);
    }
}

/// Reports what became of the spans, once some are made.
#[derive(Debug, Clone, Default)]
pub(super) struct SpanCollector(Arc<OnceLock<Arc<SpanCounts>>>);

impl SpanCollector {
    /// Reports on these from now on. Second ones are not reported on.
    pub(super) fn show(&self, counts: Arc<SpanCounts>) {
        let _ = self.0.set(counts);
    }
}

impl Collector for SpanCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(counts) = self.0.get() else { return Ok(()) };
        let help = "Spans of traces, by what became of them";
        let mut family = encoder.encode_descriptor("spans", help, None, MetricType::Counter)?;
        let outcomes = [
            ("exported", &counts.exported),
            ("failed", &counts.failed),
            ("dropped", &counts.dropped),
        ];
        for (outcome, count) in outcomes {
            let counter = ConstCounter::new(count.load(Ordering::Relaxed));
            counter.encode(family.encode_family(&[("outcome", outcome)])?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_the_queue_holds_is_dropped_until_some_have_left() {
        let counts = SpanCounts::default();
        assert!(counts.enters_queue(2) && counts.enters_queue(2));
        assert!(!counts.enters_queue(2));
        counts.left_queue(1, true);
        assert!(counts.enters_queue(2));
        counts.left_queue(2, false);
        let counted = [&counts.exported, &counts.failed, &counts.dropped].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(counted, [1, 2, 1]);
    }
}
