//! How many faces are not sealed yet, as last counted by the job that seals them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// A gauge that is shown where the job ran on this node. Cloning it is cheap.
#[derive(Debug, Clone, Default)]
pub(crate) struct FacesInClear(Arc<Mutex<Option<u64>>>);

impl FacesInClear {
    /// How many are left. `None` if another node may know better.
    pub(crate) fn set(&self, left: Option<u64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

impl Collector for FacesInClear {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(left) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else {
            return Ok(());
        };
        let help = "Faces in clear that are still to be sealed";
        let left: ConstGauge<u64> = ConstGauge::new(left);
        left.encode(encoder.encode_descriptor("faces_in_clear", help, None, MetricType::Gauge)?)
    }
}
