//! When a user has passed: the two rules of `docs/api.md#completion-rules`. No other file repeats them.

use std::str::FromStr;

/// Decides which record completes a user's liveness check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CompletionRule {
    /// The newest record that is successful and whose verification did not fail.
    #[default]
    AnySuccessful,
    /// The latest record, if it is successful and verified.
    LatestVerified,
}

impl CompletionRule {
    /// Whether a record with these two outcomes counts under this rule.
    ///
    /// `verification_result` is `None` when the SDK did not say.
    pub const fn accepts(self, is_successful: bool, verification_result: Option<bool>) -> bool {
        match self {
            Self::AnySuccessful => is_successful && !matches!(verification_result, Some(false)),
            Self::LatestVerified => is_successful && matches!(verification_result, Some(true)),
        }
    }

    /// Whether only the latest record counts, and earlier records do not.
    pub const fn only_latest(self) -> bool {
        matches!(self, Self::LatestVerified)
    }

    /// The position of the record that completes the check, among outcomes from the newest to the oldest.
    ///
    /// This is the full rule. A store gives the same answer without reading every record.
    ///
    /// ```
    /// use liveness_core::CompletionRule;
    ///
    /// let newest_first = [(false, Some(false)), (true, None)];
    /// assert_eq!(CompletionRule::AnySuccessful.completed_by(&newest_first), Some(1));
    /// assert_eq!(CompletionRule::LatestVerified.completed_by(&newest_first), None);
    /// ```
    pub fn completed_by(self, newest_first: &[(bool, Option<bool>)]) -> Option<usize> {
        let asked = if self.only_latest() {
            newest_first.len().min(1)
        } else {
            newest_first.len()
        };
        newest_first[..asked]
            .iter()
            .position(|&(successful, verified)| self.accepts(successful, verified))
    }

    /// The name of this rule in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnySuccessful => "any-successful",
            Self::LatestVerified => "latest-verified",
        }
    }
}

impl FromStr for CompletionRule {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::AnySuccessful, Self::LatestVerified]
            .into_iter()
            .find(|rule| rule.name() == name)
            .ok_or_else(|| "must be any-successful or latest-verified".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::CompletionRule::{AnySuccessful, LatestVerified};

    type Outcome = (bool, Option<bool>);

    const PASSED: Outcome = (true, Some(true));
    const UNSAID: Outcome = (true, None);
    const DOUBTED: Outcome = (true, Some(false));
    const FAILED: Outcome = (false, Some(false));
    const ODD: Outcome = (false, Some(true));
    const SILENT: Outcome = (false, None);

    #[test]
    fn both_rules_by_table() {
        let cases: [(&[Outcome], Option<usize>, Option<usize>); 14] = [
            (&[], None, None),
            (&[PASSED], Some(0), Some(0)),
            (&[UNSAID], Some(0), None),
            (&[DOUBTED], None, None),
            (&[FAILED], None, None),
            (&[ODD], None, None),
            (&[SILENT], None, None),
            (&[FAILED, PASSED], Some(1), None),
            (&[PASSED, FAILED], Some(0), Some(0)),
            (&[DOUBTED, PASSED], Some(1), None),
            (&[UNSAID, PASSED], Some(0), None),
            (&[PASSED, UNSAID, PASSED], Some(0), Some(0)),
            (&[FAILED, DOUBTED, UNSAID], Some(2), None),
            (&[FAILED, ODD, SILENT, DOUBTED], None, None),
        ];
        for (newest_first, any_successful, latest_verified) in cases {
            assert_eq!(
                AnySuccessful.completed_by(newest_first),
                any_successful,
                "{newest_first:?}"
            );
            assert_eq!(
                LatestVerified.completed_by(newest_first),
                latest_verified,
                "{newest_first:?}"
            );
        }
    }

    #[test]
    fn a_rule_is_read_by_its_name() {
        for rule in [AnySuccessful, LatestVerified] {
            assert_eq!(rule.name().parse(), Ok(rule));
        }
        assert!("latest".parse::<super::CompletionRule>().is_err());
    }
}
