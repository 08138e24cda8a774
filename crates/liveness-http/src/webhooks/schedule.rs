//! When an event that was not delivered is sent again: `docs/operations.md#webhooks`.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The longest wait after each attempt, in seconds. All of them are 74 h 35 min. After the last attempt there is none.
const WAITS: [u64; 9] = [
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    23 * HOUR,
];

/// How long an event waits after its attempt number `attempt` failed, counted from 1. `None` if that was the last one.
///
/// `jitter` is a random number from 0 to 1. It shortens the wait by up to a tenth, so that events that failed together do not all
/// come back together.
pub(super) fn wait_after(attempt: u32, jitter: f64) -> Option<Duration> {
    let index = usize::try_from(attempt.checked_sub(1)?).ok()?;
    let wait = Duration::from_secs(*WAITS.get(index)?);
    Some(wait.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 10.0))
}

/// A random number from 0 to 1. Without random bytes it is 0.
pub(super) fn jitter() -> f64 {
    let mut random = [0; 4];
    let _ = aws_lc_rs::rand::fill(&mut random);
    f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_attempts_in_75_hours_and_the_first_two_within_ten_seconds() {
        let waits: Vec<_> = (1..).map_while(|attempt| wait_after(attempt, 0.0)).collect();
        assert_eq!(waits.len(), 9);
        assert!(waits[0] <= Duration::from_secs(10));
        // With the time that the attempts take themselves.
        let attempts = super::super::sender::TIMEOUT * 10;
        let all: Duration = waits.iter().sum();
        assert!(all + attempts <= Duration::from_secs(75 * HOUR), "{all:?}");
        assert!(all > Duration::from_secs(74 * HOUR));
        assert_eq!(
            [wait_after(0, 0.0), wait_after(10, 0.0), wait_after(u32::MAX, 0.0)],
            [None; 3]
        );
    }

    #[test]
    fn jitter_takes_a_tenth_of_the_wait_at_most() {
        for (jitter, seconds) in [(0.0, 300.0), (0.5, 285.0), (1.0, 270.0), (7.0, 270.0), (-1.0, 300.0)] {
            let wait = wait_after(2, jitter).unwrap().as_secs_f64();
            assert!((wait - seconds).abs() < 0.001, "{jitter}: {wait}");
        }
        assert!((0.0..=1.0).contains(&jitter()));
    }
}
