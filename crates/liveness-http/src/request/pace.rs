//! The pace that a client must keep, whether it sends a body or reads an answer: `docs/api.md#limits`.

use std::time::Duration;

/// How long a body or an answer may take before its pace is looked at.
const GRACE_PERIOD: Duration = Duration::from_secs(15);
/// The pace that it must keep from then on.
const MIN_BYTES_PER_SECOND: u64 = 50_000;

/// How long a body or an answer may take of which so many bytes have passed.
pub(crate) fn allowed_time(bytes: usize) -> Duration {
    GRACE_PERIOD + Duration::from_millis(bytes as u64 * 1000 / MIN_BYTES_PER_SECOND)
}
