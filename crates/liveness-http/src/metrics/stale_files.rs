//! Which settings name files that have changed and cannot be read.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::Gauge;

/// A gauge for each setting. Those who watch the files keep it. Cloning this is cheap.
#[derive(Debug, Clone, Default)]
pub(super) struct StaleFiles(Arc<Mutex<Vec<(&'static str, Gauge)>>>);

impl StaleFiles {
    pub(super) fn add(&self, setting: &'static str, is_stale: Gauge) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.push((setting, is_stale));
    }
}

impl Collector for StaleFiles {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.is_empty() {
            return Ok(());
        }
        let help = "1 while what a setting names has changed and cannot be read";
        let mut family = encoder.encode_descriptor("stale_files", help, None, MetricType::Gauge)?;
        for (setting, is_stale) in &*files {
            is_stale.encode(family.encode_family(&[("setting", *setting)])?)?;
        }
        Ok(())
    }
}
