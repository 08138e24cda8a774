//! What a policy says of a tally: whether the user has to wait, is locked, or has recorded enough. Nothing here reads a clock.

use std::time::Duration;

use super::{Attempt, Tally};
use crate::policy::{Attempts, Policy, Quota};

/// The longest wait after a failure.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Milliseconds of 24 hours.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Whether a policy limits anything.
pub(crate) fn is_on(policy: &Policy) -> bool {
    let attempts = policy.attempts();
    attempts.in_a_row.is_some() || attempts.in_all.is_some() || has_quota(policy.quota())
}

/// Whether a policy limits what a user records in a day.
pub(super) fn has_quota(quota: &Quota) -> bool {
    quota.records_a_day.is_some() || quota.bytes_a_day.is_some()
}

/// Whether the user is locked until somebody unlocks them.
pub(super) fn is_locked(attempts: &Attempts, tally: Tally) -> bool {
    attempts.in_all.is_some_and(|most| tally.failures_in_all >= most)
}

/// How long the last of so many failures in a row keeps a user waiting.
pub(super) fn delay(attempts: &Attempts, in_a_row: u32) -> Option<Duration> {
    let further = in_a_row.checked_sub(attempts.in_a_row?)?;
    Some(attempts.delay?.saturating_mul(2_u32.saturating_pow(further)).min(HOUR))
}

/// How long the user still has to wait, so many milliseconds after the last failure.
pub(super) fn wait(attempts: &Attempts, tally: Tally, since: i64) -> Option<Duration> {
    let delay = delay(attempts, tally.failures_in_a_row)?;
    let left = delay.saturating_sub(Duration::from_millis(since.unsigned_abs()));
    Some(left).filter(|left| !left.is_zero())
}

/// How many more failures the user has before a wait or the lock. After a wait, one.
pub(super) fn left(attempts: &Attempts, tally: Tally) -> Option<u32> {
    let in_a_row = attempts.in_a_row.zip(attempts.delay);
    let in_a_row = in_a_row.map(|(most, _)| most.saturating_sub(tally.failures_in_a_row).max(1));
    let in_all = attempts.in_all.map(|most| most.saturating_sub(tally.failures_in_all));
    in_a_row.into_iter().chain(in_all).min()
}

/// Whether nothing more can be recorded in the day of the tally.
pub(super) fn is_used_up(quota: &Quota, tally: Tally) -> bool {
    quota.records_a_day.is_some_and(|most| tally.records_today >= most)
        || quota.bytes_a_day.is_some_and(|most| tally.bytes_today >= most)
}

/// How long until the user may record one more with an image of so many bytes, if not now. The day of the tally began so many
/// milliseconds ago.
pub(super) fn quota(quota: &Quota, tally: Tally, since: i64, bytes: u64) -> Option<Duration> {
    let is_over = tally.records_today == 0 || since >= DAY;
    let (records, recorded, left) = if is_over {
        (0, 0, DAY)
    } else {
        (tally.records_today, tally.bytes_today, DAY - since)
    };
    let is_refused = quota.records_a_day.is_some_and(|most| records >= most)
        || quota
            .bytes_a_day
            .is_some_and(|most| recorded.saturating_add(bytes) > most);
    is_refused.then(|| Duration::from_millis(left.unsigned_abs()))
}

/// The tally with one more record in its day, which began so many milliseconds ago.
pub(super) fn recorded(tally: Tally, attempt: Attempt, since: i64) -> Tally {
    let mut tally = tally;
    if tally.records_today == 0 || since >= DAY {
        tally.day_began_at = attempt.at.unix_millis();
        (tally.records_today, tally.bytes_today) = (0, 0);
    }
    tally.records_today = tally.records_today.saturating_add(1);
    tally.bytes_today = tally.bytes_today.saturating_add(attempt.bytes);
    tally
}

/// The tally with one more failure, or with a success.
pub(super) fn judged(tally: Tally, attempt: Attempt, is_failure: bool) -> Tally {
    let mut tally = tally;
    if is_failure {
        tally.failures_in_a_row = tally.failures_in_a_row.saturating_add(1);
        tally.failures_in_all = tally.failures_in_all.saturating_add(1);
        tally.last_failure_at = Some(attempt.at.unix_millis());
    } else {
        tally.failures_in_a_row = 0;
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(in_a_row: u32, in_all: u32) -> Tally {
        Tally {
            failures_in_a_row: in_a_row,
            failures_in_all: in_all,
            ..Tally::default()
        }
    }

    #[test]
    fn the_delay_doubles_with_each_further_failure_up_to_an_hour() {
        let policy = Policy::enforce();
        let seconds = |failures| delay(policy.attempts(), failures).map(|delay| delay.as_secs());
        let cases = [(0, None), (4, None), (5, Some(30)), (6, Some(60)), (7, Some(120))];
        for (failures, expected) in cases {
            assert_eq!(seconds(failures), expected, "{failures}");
        }
        for (failures, expected) in [(11, 1920), (12, 3600), (37, 3600), (u32::MAX, 3600)] {
            assert_eq!(seconds(failures), Some(expected), "{failures}");
        }
    }

    #[test]
    fn a_wait_is_over_when_the_delay_has_passed() {
        let policy = Policy::enforce();
        let cases = [
            (4, 0, None),
            (5, 0, Some(30_000)),
            (5, 29_999, Some(1)),
            (5, 30_000, None),
            (6, 30_000, Some(30_000)),
        ];
        for (failures, since, expected) in cases {
            let left = wait(policy.attempts(), failed(failures, failures), since);
            assert_eq!(left, expected.map(Duration::from_millis), "{failures} {since}");
        }
    }

    #[test]
    fn so_many_failures_are_left() {
        let policy = Policy::enforce();
        let cases = [(0, 0, 5), (4, 4, 1), (5, 5, 1), (9, 20, 1), (0, 47, 3), (0, 50, 0)];
        for (in_a_row, in_all, expected) in cases {
            assert_eq!(left(policy.attempts(), failed(in_a_row, in_all)), Some(expected));
        }
        assert_eq!(left(Policy::record().attempts(), failed(9, 9)), None);
    }

    #[test]
    fn the_image_that_does_not_fit_into_the_day_is_refused() {
        let policy = Policy::parse("base = \"record\"\n[quota]\nbytes_a_day = \"1 MB\"\n").unwrap();
        let tally = Tally {
            records_today: 1,
            bytes_today: 999_000,
            ..Tally::default()
        };
        let quota = |since, bytes| quota(policy.quota(), tally, since, bytes).map(|wait| wait.as_millis());
        assert_eq!(quota(0, 1000), None);
        assert_eq!(quota(1, 1001), Some(86_399_999));
        assert_eq!(quota(DAY, 1001), None);
        assert_eq!(quota(DAY, 1_000_001), Some(86_400_000));
    }
}
