//! When a periodic job is due next.

use std::time::Duration;

use crate::Timestamp;

/// When a periodic job is due that was due at `run_at`, and is done `now`. The times stay in step with the first one: those
/// that were missed are left out. If `run_at` is in the future, because the job was begun by hand or the clock was set back, the
/// next time is one period from now.
///
/// ```
/// use std::time::Duration;
///
/// use liveness_core::Timestamp;
/// use liveness_core::jobs::next_run;
///
/// let at = |millis| Timestamp::from_unix_millis(millis).unwrap();
/// assert_eq!(next_run(at(1_000), Duration::from_secs(60), at(3_000)), at(61_000));
/// assert_eq!(next_run(at(1_000), Duration::from_secs(60), at(200_000)), at(241_000));
/// ```
pub fn next_run(run_at: Timestamp, every: Duration, now: Timestamp) -> Timestamp {
    let every = millis(every).max(1);
    let late = now.unix_millis().saturating_sub(run_at.unix_millis());
    if late < 0 {
        return now.plus_millis(every);
    }
    // The time until the next multiple of the interval.
    now.plus_millis(every - late % every)
}

/// The same in milliseconds, as long as a 64-bit number can say.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(run_at: i64, every: u64, now: i64) -> i64 {
        let at = |millis| Timestamp::from_unix_millis(millis).unwrap();
        next_run(at(run_at), Duration::from_millis(every), at(now)).unix_millis()
    }

    #[test]
    fn times_stay_in_step_and_missed_ones_are_left_out() {
        assert_eq!(next(100, 50, 100), 150);
        assert_eq!(next(100, 50, 149), 150);
        assert_eq!(next(100, 50, 150), 200);
        assert_eq!(next(100, 50, 1_000_001), 1_000_050);
    }

    #[test]
    fn a_clock_that_was_set_back_puts_no_job_off_for_more_than_a_period() {
        assert_eq!(next(1_000_000, 50, 100), 150);
    }

    #[test]
    fn no_period_overflows() {
        assert_eq!(next(100, 0, 100), 101);
        assert!(next(100, u64::MAX, 100) > 100);
    }
}
