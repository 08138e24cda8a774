//! The values of `--verdict` and `--decision`, as flags take them.

use clap::ValueEnum;
use liveness_core::Decision;
use liveness_core::store::DecisionFilter;
use liveness_core::verdict::VerdictOutcome;

/// A verdict, as in an answer.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum VerdictWord {
    Accepted,
    Review,
    Rejected,
}

impl From<VerdictWord> for VerdictOutcome {
    fn from(word: VerdictWord) -> Self {
        match word {
            VerdictWord::Accepted => Self::Accepted,
            VerdictWord::Review => Self::Review,
            VerdictWord::Rejected => Self::Rejected,
        }
    }
}

/// A decision, as in a request.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum DecisionWord {
    Approve,
    Reject,
    AskAgain,
    None,
}

impl From<DecisionWord> for DecisionFilter {
    fn from(word: DecisionWord) -> Self {
        match word {
            DecisionWord::Approve => Self::Is(Decision::Approve),
            DecisionWord::Reject => Self::Is(Decision::Reject),
            DecisionWord::AskAgain => Self::Is(Decision::AskAgain),
            DecisionWord::None => Self::Undecided,
        }
    }
}
