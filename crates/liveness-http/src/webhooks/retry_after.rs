//! Reads the header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.

use std::time::{Duration, SystemTime};

use liveness_core::Timestamp;

/// The longest time that is heeded: as long as the longest wait between two attempts, about.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long to wait, from now on. A date that is over is no wait. `None` if it is neither.
pub(super) fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // What does not fit is longer than is heeded.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let until = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = Duration::from_millis(u64::try_from(now.unix_millis()).unwrap_or_default());
    Some(until.saturating_sub(now).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(value: &str) -> Option<u64> {
        // 1994-11-06T08:49:37Z
        let now = Timestamp::from_unix_millis(784_111_777_000).unwrap();
        parse(value, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn both_forms_are_read_and_a_day_is_heeded_at_most() {
        for (value, expected) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("86401", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:50:37 1994", Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("Sat, 31 Dec 2050 00:00:00 GMT", Some(86_400)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(seconds(value), expected, "{value:?}");
        }
    }
}
