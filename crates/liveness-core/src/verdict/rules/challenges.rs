//! Rules about the challenges that were completed.
//!
//! SDKs tell the challenges that were asked for in `challenges`, whether or not they were completed. So only
//! `completedChallenges` counts as completed.

use super::Seen;
use crate::Challenges;
use crate::challenge_name::is_same;
use crate::verdict::facts::{Facts, SessionBinding};

/// `challenges.incomplete`: fewer challenges were completed than asked for. Seen is how many of them were, the bound how many
/// were asked for.
///
/// An issued session says what was asked for. Without one the report says it, by its list and by its count; one that does not
/// tell what was completed says nothing.
pub(in crate::verdict) fn incomplete(facts: &Facts<'_>) -> Option<Seen> {
    let metrics = &facts.check.metrics;
    let completed = metrics.completed_challenges.as_ref();
    match facts.session {
        SessionBinding::Bound(session) => too_few(session.challenges.iter().map(String::as_str), completed),
        SessionBinding::Unbound(_) => {
            let completed = completed?;
            let listed = metrics.challenges.as_ref();
            let by_list = listed.and_then(|asked| too_few(asked.names(), Some(completed)));
            by_list.or_else(|| {
                let (asked, done) = (metrics.challenge_count?.get(), completed.names().len());
                (done < usize::try_from(asked).unwrap_or_default()).then(|| Seen::beyond(done, asked))
            })
        }
    }
}

/// Each challenge asked for needs one of its own that was completed, in any order.
fn too_few<'a>(
    asked: impl ExactSizeIterator<Item = &'a str> + Clone,
    completed: Option<&'a Challenges>,
) -> Option<Seen> {
    let number = asked.len();
    // Most reports name all, in their order.
    if completed
        .is_some_and(|completed| completed.names().len() == number && are_same(completed.names(), asked.clone()))
    {
        return None;
    }
    let mut left: Vec<&str> = completed.into_iter().flat_map(Challenges::names).collect();
    let done = asked.filter(|asked| {
        let found = left.iter().position(|done| is_same(done, asked));
        found.map(|place| left.swap_remove(place)).is_some()
    });
    let done = done.count();
    (done < number).then(|| Seen::beyond(done, number))
}

/// `challenges.order`: the completed challenges are not the issued ones in their order. Seen are those that were completed, the
/// bound those that were issued.
///
/// If the first ones were completed and nothing else, the order is right, and `challenges.incomplete` speaks.
pub(in crate::verdict) fn order(facts: &Facts<'_>) -> Option<Seen> {
    let SessionBinding::Bound(session) = facts.session else {
        return None;
    };
    let completed = facts.check.metrics.completed_challenges.as_ref()?;
    let issued = session.challenges.iter().map(String::as_str);
    let is_right = completed.names().len() <= issued.len() && are_same(completed.names(), issued);
    (!is_right).then(|| Seen::beyond(completed.to_strings(), session.challenges.clone()))
}

/// Whether two lists are the same as far as the shorter one goes.
fn are_same<'a>(one: impl Iterator<Item = &'a str>, other: impl Iterator<Item = &'a str>) -> bool {
    one.zip(other).all(|(one, other)| is_same(one, other))
}

#[cfg(test)]
mod tests;
