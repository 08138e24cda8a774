//! The policy: what is required of a report, what a verdict does, who may look at faces, and how long they are kept.
//!
//! [`Policy::record`] and [`Policy::enforce`] are the two that a word names. A TOML file begins with one of them, and says
//! what differs:
//!
//! ```
//! use liveness_core::policy::Policy;
//!
//! let policy = Policy::parse(
//!     r#"
//!     base = "record"
//!     [looks]
//!     purpose = true
//!     [retention]
//!     not_passed = "30d"
//!     "#,
//! )?;
//! assert!(policy.looks().purpose);
//! assert_eq!(policy.retention().passed, None);
//! # Ok::<(), liveness_core::policy::PolicyMistakes>(())
//! ```
//!
//! A policy is parsed once, and is valid from then on. `docs/operations.md#policy` says what its keys mean.

mod base;
mod effect;
mod forms;
mod mistake;
mod parsing;
mod parts;
mod printing;
mod rules;
mod table;
mod texts;

pub use self::base::Base;
pub use self::effect::Effect;
pub use self::mistake::{PolicyMistake, PolicyMistakes};
pub use self::parts::{Attempts, Looks, Quota, Retention, Review, Session, Verdict};
pub use self::rules::{Alarm, BrokenImage, ClockOff, ConstantLight, Impossible, ReusedImage, Rule, Rules, TooFast};

/// What is required of a report, what a verdict does, who may look at faces, and how long they are kept.
///
/// Its parts can be read and not changed, so a policy is always valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    base: Base,
    session: Session,
    attempts: Attempts,
    quota: Quota,
    verdict: Verdict,
    rules: Rules,
    review: Review,
    looks: Looks,
    retention: Retention,
}

/// The names of the parts, in the order in which they are written.
const PARTS: [&str; 8] = [
    "session",
    "attempts",
    "quota",
    "verdict",
    "rules",
    "review",
    "looks",
    "retention",
];

impl Default for Policy {
    /// [`Policy::record`].
    fn default() -> Self {
        Self::record()
    }
}

impl Policy {
    /// The policy `record`. It refuses nothing, and everything is kept for good.
    pub fn record() -> Self {
        Self::of(Base::Record)
    }

    /// The policy `enforce`. It refuses what the evidence speaks against, and faces are kept for a time.
    pub fn enforce() -> Self {
        Self::of(Base::Enforce)
    }

    /// The policy of a base alone.
    pub fn of(base: Base) -> Self {
        Self {
            base,
            session: Session::of(base),
            attempts: Attempts::of(base),
            quota: Quota::of(base),
            verdict: Verdict::of(base),
            rules: Rules::of(base),
            review: Review::of(base),
            looks: Looks::of(base),
            retention: Retention::of(base),
        }
    }

    /// Sessions that the server issues.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What ends attempts.
    pub fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// How much a user may record.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// What the verdict is for.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The rules of the verdict.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Decisions by people.
    pub fn review(&self) -> &Review {
        &self.review
    }

    /// Looks at faces.
    pub fn looks(&self) -> &Looks {
        &self.looks
    }

    /// How long what is recorded is kept.
    pub fn retention(&self) -> &Retention {
        &self.retention
    }
}

#[cfg(test)]
mod tests;
