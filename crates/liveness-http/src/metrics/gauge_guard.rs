//! A gauge that is raised for as long as something lasts.

use prometheus_client::metrics::gauge::Gauge;

/// Raises a gauge by an amount, and lowers it again when dropped.
#[derive(Debug)]
pub(crate) struct GaugeGuard {
    gauge: Gauge,
    amount: i64,
}

impl GaugeGuard {
    pub(crate) fn raise(gauge: &Gauge, amount: usize) -> Self {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        gauge.inc_by(amount);
        Self {
            gauge: gauge.clone(),
            amount,
        }
    }

    /// Gives back all but `amount`.
    pub(crate) fn lower_to(&mut self, amount: usize) {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        self.gauge.dec_by(self.amount - amount);
        self.amount = amount;
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.gauge.dec_by(self.amount);
    }
}
