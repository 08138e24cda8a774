//! Something that was admitted, for as long as it is in use.

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::OwnedSemaphorePermit;

use crate::metrics::GaugeGuard;

/// A permit of a semaphore for memory stands for this many bytes.
pub(super) const BYTES_PER_PERMIT: usize = 1024;

/// How many permits a number of bytes needs.
pub(super) fn permits_for(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BYTES_PER_PERMIT)).unwrap_or(u32::MAX)
}

/// Something that was admitted. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permit: OwnedSemaphorePermit,
    /// The same amount of the principal's own share.
    share: Option<OwnedSemaphorePermit>,
    gauge: GaugeGuard,
    /// What one permit of the semaphore adds to the gauge.
    gauge_unit: usize,
}

impl Permit {
    pub(super) fn new(permit: OwnedSemaphorePermit, gauge: &Gauge, gauge_unit: usize) -> Self {
        let gauge = GaugeGuard::raise(gauge, permit.num_permits() * gauge_unit);
        Self {
            permit,
            share: None,
            gauge,
            gauge_unit,
        }
    }

    /// The same, together with the principal's own share.
    pub(super) fn with_share(
        permit: OwnedSemaphorePermit,
        share: OwnedSemaphorePermit,
        gauge: &Gauge,
        gauge_unit: usize,
    ) -> Self {
        Self {
            share: Some(share),
            ..Self::new(permit, gauge, gauge_unit)
        }
    }

    /// Gives back all but the memory for this many bytes.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.permit.num_permits().saturating_sub(permits_for(bytes) as usize);
        drop(self.permit.split(surplus));
        drop(self.share.as_mut().and_then(|share| share.split(surplus)));
        self.gauge.lower_to(self.permit.num_permits() * self.gauge_unit);
    }
}
