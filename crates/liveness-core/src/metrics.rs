//! Numbers that the SDK measured. A value of these types is always within its range: `docs/api.md#fields`.

use crate::Violation;

/// How long something took, in milliseconds: 0 to 2^31-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionDuration(i32);

impl SessionDuration {
    /// The most milliseconds.
    pub const MAX_MILLIS: i32 = i32::MAX;

    /// Takes 0 to 2^31-1 milliseconds.
    ///
    /// # Errors
    ///
    /// `range`.
    pub fn from_millis(millis: i64) -> Result<Self, Violation> {
        match i32::try_from(millis) {
            Ok(millis) if millis >= 0 => Ok(Self(millis)),
            _ => Err(Violation::new("range", "must be 0 to 2147483647 milliseconds")),
        }
    }

    /// The duration in milliseconds.
    pub const fn millis(self) -> i32 {
        self.0
    }
}

/// How well lit the face was: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LightingValue(f64);

impl LightingValue {
    /// Takes 0 to 1.
    ///
    /// # Errors
    ///
    /// `range`, also for a value that is not a number (NaN).
    pub fn new(value: f64) -> Result<Self, Violation> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(Violation::new("range", "must be 0 to 1"))
        }
    }

    /// The value, 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// How many challenges were presented: 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChallengeCount(i32);

impl ChallengeCount {
    /// The most challenges.
    pub const MAX: i32 = 100;

    /// Takes 0 to 100.
    ///
    /// # Errors
    ///
    /// `range`.
    pub fn new(count: i64) -> Result<Self, Violation> {
        match i32::try_from(count) {
            Ok(count) if (0..=Self::MAX).contains(&count) => Ok(Self(count)),
            _ => Err(Violation::new("range", "must be 0 to 100")),
        }
    }

    /// The number of challenges, 0 to 100.
    pub const fn get(self) -> i32 {
        self.0
    }
}

/// The SDK's measurements of one captured picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CaptureMetrics {
    /// Whether the SDK took the picture for a real face.
    pub verification_result: Option<bool>,
    /// How long the capture took, in milliseconds.
    pub session_duration: Option<SessionDuration>,
    /// How well lit the face was, 0 to 1.
    pub lighting_value: Option<LightingValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_their_ends_and_nothing_beyond() {
        assert!(
            [0, i64::from(i32::MAX)]
                .map(SessionDuration::from_millis)
                .iter()
                .all(Result::is_ok)
        );
        assert!(
            [-1, 1 << 31, i64::MIN]
                .map(SessionDuration::from_millis)
                .iter()
                .all(Result::is_err)
        );

        assert!([0.0, 0.42, 1.0].map(LightingValue::new).iter().all(Result::is_ok));
        assert!(
            [-0.000_001, 1.000_001, f64::NAN, f64::INFINITY]
                .map(LightingValue::new)
                .iter()
                .all(Result::is_err)
        );

        assert!([0, 100].map(ChallengeCount::new).iter().all(Result::is_ok));
        assert!([-1, 101, i64::MAX].map(ChallengeCount::new).iter().all(Result::is_err));
    }
}
