//! When a job that failed runs again.

use std::time::Duration;

/// How long a job waits after a failure, and how many times it is begun. The wait doubles with each failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait after the first failure.
    pub first: Duration,
    /// The longest wait after any failure.
    pub longest: Duration,
    /// How many times a job is begun before it is given up.
    pub attempts: u32,
}

impl Default for Backoff {
    /// 5 s after the first failure, 21 minutes at most, 10 attempts: 43 minutes in all at most.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(60 * 60),
            attempts: 10,
        }
    }
}

impl Backoff {
    /// How long a job waits after its attempt number `attempt` failed, counted from 1. `None` if that was the last one.
    ///
    /// `jitter` is a random number from 0 to 1. It shortens the wait by up to a half, so that jobs that failed together do not
    /// all come back together. Another number is taken for 0.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use liveness_core::jobs::Backoff;
    ///
    /// let backoff = Backoff::default();
    /// assert_eq!(backoff.after(1, 0.0), Some(Duration::from_secs(5)));
    /// assert_eq!(backoff.after(2, 0.0), Some(Duration::from_secs(10)));
    /// assert_eq!(backoff.after(2, 1.0), Some(Duration::from_secs(5)));
    /// assert_eq!(backoff.after(10, 0.0), None);
    /// ```
    pub fn after(&self, attempt: u32, jitter: f64) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(31);
        let wait = self.first.saturating_mul(1 << doublings).min(self.longest);
        let jitter = if (0.0..=1.0).contains(&jitter) { jitter } else { 0.0 };
        Some(wait.mul_f64(1.0 - jitter / 2.0))
    }

    /// Whether a job may be begun for the time number `attempt`, counted from 1.
    pub fn allows(&self, attempt: u32) -> bool {
        attempt <= self.attempts
    }
}

/// A random number from 0 to 1, for [`Backoff::after`].
pub(crate) fn jitter() -> f64 {
    let mut random = [0; 4];
    // Without random bytes, the wait is a whole one.
    let _ = aws_lc_rs::rand::fill(&mut random);
    f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
        attempts: 100,
    };

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let waits = [1, 2, 3, 4, 5, 6, 7, 8, 50, 99].map(|attempt| BACKOFF.after(attempt, 0.0).unwrap().as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn jitter_takes_half_of_the_wait_at_most() {
        for (jitter, millis) in [
            (0.0, 4000),
            (0.5, 3000),
            (1.0, 2000),
            (-1.0, 4000),
            (2.0, 4000),
            (f64::NAN, 4000),
        ] {
            let wait = BACKOFF.after(3, jitter).unwrap();
            assert_eq!(wait.as_millis(), millis, "{jitter}");
        }
    }

    #[test]
    fn after_the_last_attempt_there_is_no_other() {
        assert!(BACKOFF.after(99, 0.0).is_some() && BACKOFF.allows(100));
        assert!(BACKOFF.after(100, 0.0).is_none() && !BACKOFF.allows(101));
        let once = Backoff { attempts: 1, ..BACKOFF };
        assert_eq!(once.after(1, 0.0), None);
    }

    #[test]
    fn no_setting_overflows() {
        let endless = Backoff {
            first: Duration::MAX,
            longest: Duration::MAX,
            attempts: u32::MAX,
        };
        assert!(endless.after(u32::MAX - 1, 0.5).is_some());
    }
}
