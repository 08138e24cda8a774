//! Numbers that are not counted by us but read at each scrape: those of the store, and those that Linux keeps of the process.

use std::fmt;

use liveness_core::store::{Distribution, Store, StoreStats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Reports what the store counts of itself.
#[derive(Debug)]
pub(super) struct StoreCollector(pub(super) Store);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        for (name, help, value) in gauges(&stats) {
            gauge(&mut encoder, name, help, value)?;
        }
        let failed = ConstCounter::new(stats.failed_commits);
        let help = "Transactions that failed";
        failed.encode(encoder.encode_descriptor("failed_commits", help, None, MetricType::Counter)?)?;
        histogram(
            &mut encoder,
            ("commit_writes", "Writes in each commit"),
            None,
            &stats.batch_sizes,
        )?;
        histogram(
            &mut encoder,
            ("commit_duration", "How long each commit took"),
            Some(&Unit::Seconds),
            &stats.commit_micros,
        )
    }
}

/// Name, help and value of each gauge.
fn gauges(stats: &StoreStats) -> [(&'static str, &'static str, u64); 6] {
    [
        (
            "database_connections",
            "Connections to the database",
            stats.connections.into(),
        ),
        (
            "database_idle_connections",
            "Connections to the database that nobody uses",
            stats.idle_connections.into(),
        ),
        (
            "database_max_connections",
            "Most connections to the database",
            stats.max_connections.into(),
        ),
        (
            "database_waiting_reads",
            "Calls that wait for a turn to read",
            stats.waiting_reads,
        ),
        (
            "waiting_writes",
            "Writes that wait to be committed",
            stats.waiting_writes,
        ),
        (
            "waiting_write_bytes",
            "Bytes of images among the writes that wait",
            stats.waiting_bytes,
        ),
    ]
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let value = ConstGauge::new(value);
    value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

/// Writes a distribution. With a unit it is one of microseconds, and is shown in seconds.
fn histogram(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    unit: Option<&Unit>,
    distribution: &Distribution,
) -> fmt::Result {
    let scale = if unit.is_some() { 1e6 } else { 1.0 };
    let bounds = distribution.bounds.iter().map(|bound| *bound as f64 / scale);
    let buckets: Vec<_> = bounds
        .chain([f64::INFINITY])
        .zip(distribution.counts.iter().copied())
        .collect();
    let count = distribution.counts.iter().sum();
    encoder
        .encode_descriptor(name, help, unit, MetricType::Histogram)?
        .encode_histogram::<NoLabelSet>(distribution.sum as f64 / scale, count, &buckets, None)
}

/// Reports the memory and the open files of this process, on Linux. On other systems it reports nothing.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let shown = [
            (
                "VmRSS:",
                "process_resident_memory_bytes",
                "Resident memory of the process",
            ),
            ("VmHWM:", "process_resident_memory_peak_bytes", "The most that it was"),
        ];
        for (line, name, help) in shown {
            if let Some(bytes) = bytes(&status, line) {
                gauge(&mut encoder, name, help, bytes)?;
            }
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            let open = open.count() as u64;
            gauge(&mut encoder, "process_open_fds", "Open files and connections", open)?;
        }
        Ok(())
    }
}

/// The bytes in a line of `/proc/self/status`, such as `VmRSS:     5120 kB`.
fn bytes(status: &str, line: &str) -> Option<u64> {
    let value = status.lines().find_map(|found| found.strip_prefix(line))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
