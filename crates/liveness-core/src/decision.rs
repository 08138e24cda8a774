//! What people decided about a record, and what of it counts.
//!
//! Where the policy asks for a second person, a decision waits until another person has made the same. Those that wait are
//! *open*. Nobody is shown the open decisions of others, so that the second person judges for themselves. A decision that counts
//! settles all before it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A decision about a record. Decisions are added and never changed; the latest that counts is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The record counts.
    Approve,
    /// The record does not count.
    Reject,
    /// The record does not count, and the user should try again.
    AskAgain,
}

impl Decision {
    /// All decisions.
    pub const ALL: [Self; 3] = [Self::Approve, Self::Reject, Self::AskAgain];

    /// The word, as in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::AskAgain => "ask_again",
        }
    }
}

/// Who decides: a subject, and who vouches for it. Two issuers may have the same name for different people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    /// The issuer of the token.
    pub issuer: Option<String>,
    /// The subject of the token.
    pub principal: String,
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedDecision {
    /// What was decided.
    pub decision: Decision,
    /// Why. `None` once the user was erased.
    pub reason: Option<String>,
    /// Who decided.
    pub by: Decider,
    /// When.
    pub decided_at: Timestamp,
    /// Whether it counts. One that does not waits for the same decision by another person.
    pub counts: bool,
}

/// The decisions about one record, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions(pub Vec<RecordedDecision>);

impl Decisions {
    /// How many were made before the last that counts, and with it.
    fn settled(&self) -> usize {
        let last = self.0.iter().rposition(|made| made.counts);
        last.map_or(0, |last| last + 1)
    }

    /// Those that wait for a second person.
    fn open(&self) -> &[RecordedDecision] {
        self.0.get(self.settled()..).unwrap_or_default()
    }

    /// The latest decision that counts.
    pub fn in_force(&self) -> Option<Decision> {
        let last = self.0.iter().rfind(|made| made.counts);
        last.map(|made| made.decision)
    }

    /// Whether a person has decided, and waits for a second one.
    pub fn waits_for_another(&self, person: &Decider) -> bool {
        self.open().iter().any(|made| made.by == *person)
    }

    /// Whether another person has made this decision, and waits for a second one.
    pub fn is_second(&self, decision: Decision, person: &Decider) -> bool {
        let mut open = self.open().iter();
        open.any(|made| made.decision == decision && made.by != *person)
    }

    /// Those that a person is shown. `second` says that a decision needs another person's: then the open decisions of others
    /// are left out. Of two people who made the same decision, both decisions count.
    pub fn shown_to(&self, person: &Decider, second: bool) -> Vec<RecordedDecision> {
        let settled = self.settled();
        let is_shown = |place: usize, made: &RecordedDecision| !second || place < settled || made.by == *person;
        let numbered = self.0.iter().enumerate();
        let shown = numbered.filter(|(place, made)| is_shown(*place, made));
        shown
            .map(|(place, made)| RecordedDecision {
                counts: made.counts || self.was_seconded(place),
                ..made.clone()
            })
            .collect()
    }

    /// Whether the decision at this place waited, and another person has made the same.
    fn was_seconded(&self, place: usize) -> bool {
        let (Some(made), Some(later)) = (self.0.get(place), self.0.get(place + 1..)) else {
            return false;
        };
        let second = later.iter().find(|later| later.counts);
        second.is_some_and(|second| second.decision == made.decision && second.by != made.by)
    }
}

#[cfg(test)]
mod tests {
    use super::Decision::{Approve, Reject};
    use super::*;

    fn person(name: &str) -> Decider {
        Decider {
            issuer: Some("bank".to_owned()),
            principal: name.to_owned(),
        }
    }

    fn made(decisions: &[(&str, Decision, bool)]) -> Decisions {
        let made = decisions.iter().map(|(name, decision, counts)| RecordedDecision {
            decision: *decision,
            reason: None,
            by: person(name),
            decided_at: Timestamp::from_unix_millis(0).unwrap(),
            counts: *counts,
        });
        Decisions(made.collect())
    }

    fn shown(decisions: &Decisions, name: &str) -> Vec<(String, bool)> {
        let shown = decisions.shown_to(&person(name), true);
        shown.into_iter().map(|made| (made.by.principal, made.counts)).collect()
    }

    #[test]
    fn who_comes_second_is_not_shown_the_first() {
        let open = made(&[("anne", Approve, false)]);
        assert_eq!(shown(&open, "bert"), []);
        assert_eq!(shown(&open, "anne"), [("anne".to_owned(), false)]);
        assert_eq!(open.shown_to(&person("bert"), false).len(), 1);
        assert!(open.is_second(Approve, &person("bert")));
        assert!(!open.is_second(Approve, &person("anne")));
        assert!(open.waits_for_another(&person("anne")));
        assert_eq!(open.in_force(), None);
    }

    #[test]
    fn the_same_name_of_another_issuer_is_another_person() {
        let open = made(&[("anne", Approve, false)]);
        let other = Decider {
            issuer: Some("agency".to_owned()),
            ..person("anne")
        };
        assert!(open.is_second(Approve, &other));
        assert!(!open.waits_for_another(&other));
    }

    #[test]
    fn two_that_differ_stay_open_until_a_third_agrees_with_one() {
        let open = made(&[("anne", Approve, false), ("bert", Reject, false)]);
        assert_eq!((open.in_force(), shown(&open, "carl")), (None, Vec::new()));
        assert!(open.is_second(Approve, &person("carl")) && open.is_second(Reject, &person("carl")));

        let settled = made(&[
            ("anne", Approve, false),
            ("bert", Reject, false),
            ("carl", Reject, true),
        ]);
        assert_eq!(settled.in_force(), Some(Reject));
        let expected = [("anne", false), ("bert", true), ("carl", true)];
        let expected = expected.map(|(name, counts)| (name.to_owned(), counts));
        assert_eq!(shown(&settled, "dora"), expected);
        assert!(!settled.waits_for_another(&person("anne")));
        assert!(!settled.is_second(Approve, &person("dora")));
    }
}
