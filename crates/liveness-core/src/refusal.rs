//! Why the policy refuses a report, or a new session. Then only the audit entry is written.

use std::time::Duration;

use crate::verdict::Unbound;

/// Why the policy refuses something.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The report is bound to no session that the server has issued, and the policy requires one.
    Session(Unbound),
    /// The user has failed too often in a row, and may try again after a while.
    TooManyFailures {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The user has failed too often in all, and is locked until somebody unlocks them.
    Locked {
        /// Another way to prove who they are, in the operator's words.
        other_way: Option<String>,
    },
    /// The user has recorded as much as the policy allows in a day.
    Quota {
        /// How long to wait.
        retry_after: Duration,
    },
}
