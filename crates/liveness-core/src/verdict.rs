//! The verdict: what the evidence of a report says, judged by the rules of a policy when the report is recorded.
//!
//! The verdict is kept beside the claim of the phone, never in its place. No rule sees whether the person is alive: they find
//! contradictions, repetitions and what the SDK itself was alarmed by. `docs/api.md#verdict` has the rules.

mod facts;
mod judging;
mod outcome;
mod rules;

pub use self::facts::{Facts, IssuedSession, Picture, Reuse, SessionBinding, Unbound};
pub use self::judging::judge;
pub use self::outcome::{Reason, Verdict, VerdictOutcome};
