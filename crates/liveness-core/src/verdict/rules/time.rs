//! Rules about how long the run took, and about the phone's clock.

use std::time::Duration;

use super::Seen;
use crate::CaptureMetrics;
use crate::verdict::facts::{Facts, SessionBinding};

/// `time.too_fast`: the run took less than `at_least` for each challenge. Seen and bound are milliseconds.
///
/// How long it took is the duration that the report tells of the run, and for an issued session never longer than the time
/// since it was issued. The durations of pictures are parts of the run. Without any, the rule says nothing.
pub(in crate::verdict) fn too_fast(facts: &Facts<'_>, at_least: Duration) -> Option<Seen> {
    let needed = challenges(facts).saturating_mul(millis(at_least));
    let told = duration(&facts.check.metrics.run);
    let measured = since_issued(facts).map(|since| since.max(0));
    let took = told.into_iter().chain(measured).min()?;
    (took < needed).then(|| Seen::beyond(took, needed))
}

/// `time.impossible`: something took longer than the time since the session was issued, and `leeway`. Seen and bound are
/// milliseconds.
///
/// The time of pictures counts as well as that of the run. If our own clock went back by more than `leeway` meanwhile, it tells
/// nothing, and neither does the rule.
pub(in crate::verdict) fn impossible(facts: &Facts<'_>, leeway: Duration) -> Option<Seen> {
    let check = facts.check;
    let told = [&check.metrics.run, &check.metrics.final_capture, &check.image_metrics];
    let longest = told.into_iter().filter_map(duration).max()?;
    let possible = since_issued(facts)?.saturating_add(millis(leeway));
    (possible >= 0 && longest > possible).then(|| Seen::beyond(longest, possible))
}

/// `time.clock`: the phone's clock is more than `at_most` off. Seen is by how many milliseconds it is ahead, negative if it is
/// behind; of `timestamp` and `completedAt` the one that is further off.
pub(in crate::verdict) fn clock(facts: &Facts<'_>, at_most: Duration) -> Option<Seen> {
    let metrics = &facts.check.metrics;
    let phone = [metrics.timestamp, metrics.completed_at.map(|at| at.unix_millis())];
    let ours = facts.recorded_at.unix_millis();
    let ahead = phone.into_iter().flatten().map(|theirs| theirs.saturating_sub(ours));
    let furthest = ahead.max_by_key(|ahead| ahead.unsigned_abs())?;
    let at_most = millis(at_most);
    (furthest.unsigned_abs() > at_most.unsigned_abs()).then(|| Seen::beyond(furthest, at_most))
}

/// How many challenges there were: those issued, or else as many as the report tells of.
fn challenges(facts: &Facts<'_>) -> i64 {
    let metrics = &facts.check.metrics;
    let number = match facts.session {
        SessionBinding::Bound(session) => session.challenges.len(),
        SessionBinding::Unbound(_) => {
            let lists = [&metrics.challenges, &metrics.completed_challenges]
                .into_iter()
                .flatten();
            let listed = lists.map(|list| list.names().len()).max().unwrap_or_default();
            let count = metrics.challenge_count.map(|count| count.get());
            listed.max(count.and_then(|count| count.try_into().ok()).unwrap_or_default())
        }
    };
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Milliseconds from when the session was issued to when the report is recorded, both by our clock. Negative if it went back,
/// or if the clocks of two nodes differ.
fn since_issued(facts: &Facts<'_>) -> Option<i64> {
    match facts.session {
        SessionBinding::Bound(session) => Some(facts.recorded_at.unix_millis() - session.issued_at.unix_millis()),
        SessionBinding::Unbound(_) => None,
    }
}

fn duration(metrics: &CaptureMetrics) -> Option<i64> {
    metrics.session_duration.map(|duration| i64::from(duration.millis()))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
