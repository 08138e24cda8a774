//! Looks at the events that wait: whether somebody takes them, and which were set aside.

use liveness_core::store::{EventCounts, Store};

use super::findings::Findings;
use crate::config::ServeConfig;
use crate::webhooks::SUBSCRIPTION;

const SUBJECT: &str = "events";
/// For how long an event may wait, in seconds. It is that of the alert `LivenessWebhooksLate`.
const LATE: u64 = 15 * 60;

/// Checks each subscription. A schema from before events has none to ask for.
pub(crate) fn check(config: &ServeConfig, store: &Store, findings: &mut Findings) {
    if store.check_schema().is_err() {
        return;
    }
    let has_receiver = config.webhooks.url().is_some();
    match store.events().count() {
        Ok(subscriptions) => check_all(&subscriptions, has_receiver, findings),
        Err(error) => findings.problem(
            SUBJECT,
            format!("they cannot be counted: {error}"),
            "let the server's user read all liveness tables",
        ),
    }
}

fn check_all(subscriptions: &[EventCounts], has_receiver: bool, findings: &mut Findings) {
    for counts in subscriptions {
        let is_left_over = counts.subscription == SUBSCRIPTION && !has_receiver;
        if is_left_over {
            left_over(counts, findings);
        } else {
            delivery(counts, findings);
        }
        set_aside(counts, findings);
    }
    let is_webhooks = |counts: &EventCounts| counts.subscription == SUBSCRIPTION;
    if has_receiver && !subscriptions.iter().any(is_webhooks) {
        findings.hint(
            SUBJECT,
            "none is kept for webhooks: no server has begun with LIVENESS_WEBHOOK_URL, or `events end` was run since",
            "`serve` keeps them from its start on",
        );
    }
}

fn left_over(counts: &EventCounts, findings: &mut Findings) {
    let kept = counts.waiting + counts.set_aside;
    findings.warning(
        SUBJECT,
        format!("LIVENESS_WEBHOOK_URL is not set, and events are still kept for webhooks ({kept} now)"),
        "set it, or run `liveness-http events end`",
    );
}

/// Whether what waits is being delivered.
fn delivery(counts: &EventCounts, findings: &mut Findings) {
    let EventCounts {
        subscription, waiting, ..
    } = counts;
    let why = counts.why.as_deref().unwrap_or("no reason was noted");
    let minutes = counts.oldest_seconds / 60;
    if counts.is_disabled {
        findings.problem(
            SUBJECT,
            format!("{subscription}: nothing is delivered, and {waiting} wait: {why}"),
            "ask those who receive them; then enable it again (`liveness-http events enable`), or end it",
        );
    } else if counts.oldest_seconds > LATE {
        findings.warning(
            SUBJECT,
            format!("{subscription}: {waiting} wait, one of them for {minutes} minutes"),
            "`liveness-http events list` says why; look also whether a server runs that delivers them",
        );
    } else {
        findings.ok(SUBJECT, format!("{subscription}: {waiting} wait"));
    }
}

fn set_aside(counts: &EventCounts, findings: &mut Findings) {
    let EventCounts {
        subscription,
        set_aside,
        ..
    } = counts;
    if *set_aside > 0 {
        findings.warning(
            SUBJECT,
            format!("{subscription}: {set_aside} were set aside after their last attempt"),
            "`liveness-http events list --set-aside` says why; mend it, then `liveness-http events resend --all`",
        );
    }
}
