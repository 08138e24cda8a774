//! Decisions about records: who may decide, what counts, and that nothing is changed, taken away or put in unseen.

use liveness_core::policy::Policy;
use liveness_core::store::{CheckFilter, Decided, DecisionError, DecisionFilter, PageRequest, Store, TrailPart};
use liveness_core::trail::TrailKey;
use liveness_core::verdict::VerdictOutcome;
use liveness_core::{CompletionRule, Decider, Decision, RecordedDecision};

use crate::database::{Database, on_each_engine};
use crate::erasures::{findings, signed};
use crate::samples::{HOUR, NOW, at, at_once, decision, made_at, order, recording};

/// The store, under a policy with these lines.
fn under(store: &Store, lines: &str) -> Store {
    let policy = Policy::parse(&format!("base = \"record\"\n{lines}")).unwrap();
    store.clone().with_policy(policy).unwrap()
}

const SECOND: &str = "[review]\nsecond = true\n";

async fn decide(store: &Store, who: &str, what: Decision, seen: i64) -> Result<Decided, DecisionError> {
    store.reviews().decide(decision(1, who, what, seen)).await
}

fn decider(who: &str) -> Decider {
    let entry = decision(1, who, Decision::Approve, 0).entry;
    Decider {
        issuer: entry.issuer,
        principal: entry.principal,
    }
}

/// The decisions about record 1 that a person is shown.
async fn shown(store: &Store, who: &str, second: bool) -> Vec<RecordedDecision> {
    let evidence = store.checks().evidence(1).await.unwrap().unwrap();
    evidence.decisions.shown_to(&decider(who), second)
}

async fn in_force(store: &Store) -> Option<Decision> {
    store.checks().evidence(1).await.unwrap().unwrap().check.decision
}

const COUNTS: Decided = Decided {
    counts: true,
    decided_at: at_decision(),
};

const fn at_decision() -> liveness_core::Timestamp {
    match liveness_core::Timestamp::from_unix_millis(NOW + HOUR) {
        Some(at) => at,
        None => panic!("a time"),
    }
}

async fn the_latest_decision_is_in_force_and_all_are_kept(database: Database) {
    let store = &database.store;
    database.record(recording(1, "a")).await;

    assert_eq!(decide(store, "anne", Decision::Reject, 0).await.unwrap(), COUNTS);
    assert_eq!(in_force(store).await, Some(Decision::Reject));
    assert_eq!(decide(store, "anne", Decision::Approve, 1).await.unwrap(), COUNTS);
    assert_eq!(in_force(store).await, Some(Decision::Approve));

    let made = shown(store, "bert", false).await;
    let expected = [Decision::Reject, Decision::Approve].map(|decision| RecordedDecision {
        decision,
        reason: Some("Looks like the passport".to_owned()),
        by: decider("anne"),
        decided_at: at(NOW + HOUR),
        counts: true,
    });
    assert_eq!(made, expected);
    let entry = store.trail().newest(1).await.unwrap().remove(0);
    let told = entry.subject.shown.decision.unwrap();
    assert_eq!((told.decision, told.number, told.counts), (Decision::Approve, 2, true));
    assert_eq!(
        (entry.self_service_user_id, entry.subject.liveness_check_id),
        (Some(1), Some(1))
    );
}

async fn a_decision_on_what_has_changed_since_is_refused_and_changes_nothing(database: Database) {
    let store = &database.store;
    database.record(recording(1, "a")).await;
    decide(store, "anne", Decision::Reject, 0).await.unwrap();

    for seen in [0, 2, -1, i64::MAX] {
        let refused = decide(store, "bert", Decision::Approve, seen).await;
        assert!(matches!(refused, Err(DecisionError::Stale)), "{seen}: {refused:?}");
    }

    assert_eq!(in_force(store).await, Some(Decision::Reject));
    assert_eq!(database.number("SELECT count(*) FROM liveness_decisions"), 1);
}

async fn nobody_decides_on_a_record_of_their_own_or_on_none(database: Database) {
    let store = &database.store;
    database.record(recording(1, "a")).await;
    let mut own = decision(1, "anne", Decision::Approve, 0);
    own.own_user = Some(1);
    let refused = store.reviews().decide(own).await;
    assert!(matches!(refused, Err(DecisionError::OwnRecord)), "{refused:?}");
    let refused = store.reviews().decide(decision(2, "anne", Decision::Approve, 0)).await;
    assert!(matches!(refused, Err(DecisionError::NoSuchRecord)), "{refused:?}");
    let mut of_another = decision(1, "anne", Decision::Approve, 0);
    of_another.own_user = Some(2);
    assert_eq!(store.reviews().decide(of_another).await.unwrap(), COUNTS);
}

async fn of_twenty_decisions_at_once_on_two_nodes_one_is_made(database: Database) {
    database.record(recording(1, "a")).await;
    let stores = [database.store.clone(), database.open()];
    let calls = (0..20).map(|number| {
        let store = stores[number % 2].clone();
        async move { decide(&store, &format!("reviewer-{number}"), Decision::ALL[number % 3], 0).await }
    });

    let answers = at_once(calls).await;

    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    let late = answers
        .iter()
        .filter(|answer| matches!(answer, Err(DecisionError::Stale)))
        .count();
    assert_eq!((made, late), (1, 19), "{answers:?}");
    assert_eq!(database.number("SELECT count(*) FROM liveness_decisions"), 1);
    let entries = "SELECT count(*) FROM liveness_audit_entries WHERE message = 'ReviewLivenessCheckCommand'";
    assert_eq!(database.number(entries), 1);
}

async fn a_second_person_who_agrees_makes_it_count_without_having_seen_the_first(database: Database) {
    database.record(recording(1, "a")).await;
    let store = &under(&database.store, SECOND);

    let first = decide(store, "anne", Decision::Approve, 0).await.unwrap();
    assert!(!first.counts);
    assert_eq!(
        (in_force(store).await, shown(store, "bert", true).await),
        (None, Vec::new())
    );
    assert_eq!(shown(store, "anne", true).await.len(), 1);
    for seen in [0, 1] {
        let again = decide(store, "anne", Decision::Approve, seen).await;
        assert!(matches!(again, Err(DecisionError::Twice)), "{again:?}");
    }
    let peeked = decide(store, "bert", Decision::Approve, 1).await;
    assert!(matches!(peeked, Err(DecisionError::Stale)), "{peeked:?}");

    let second = decide(store, "bert", Decision::Approve, 0).await.unwrap();

    assert_eq!((second, in_force(store).await), (COUNTS, Some(Decision::Approve)));
    let made = shown(store, "carl", true).await;
    assert_eq!(made.iter().map(|made| made.counts).collect::<Vec<_>>(), [true, true]);
    // What counts may be decided again, by two.
    let changed = decide(store, "anne", Decision::Reject, 2).await.unwrap();
    assert_eq!(
        (changed.counts, in_force(store).await),
        (false, Some(Decision::Approve))
    );
    assert_eq!(decide(store, "carl", Decision::Reject, 2).await.unwrap(), COUNTS);
    assert_eq!(in_force(store).await, Some(Decision::Reject));
}

async fn two_that_differ_stay_undecided_until_a_third_agrees_with_one(database: Database) {
    database.record(recording(1, "a")).await;
    let store = &under(&database.store, SECOND);
    for (who, what) in [("anne", Decision::Approve), ("bert", Decision::AskAgain)] {
        assert!(!decide(store, who, what, 0).await.unwrap().counts);
    }
    assert_eq!(in_force(store).await, None);

    assert_eq!(decide(store, "carl", Decision::AskAgain, 0).await.unwrap(), COUNTS);

    assert_eq!(in_force(store).await, Some(Decision::AskAgain));
    let made = shown(store, "dora", true).await;
    let counts: Vec<_> = made.iter().map(|made| made.counts).collect();
    assert_eq!(counts, [false, true, true]);
}

async fn two_at_once_who_agree_make_it_count_once(database: Database) {
    database.record(recording(1, "a")).await;
    let stores = [under(&database.store, SECOND), under(&database.open(), SECOND)];
    let calls = stores.into_iter().zip(["anne", "bert"]);
    let calls = calls.map(|(store, who)| async move { decide(&store, who, Decision::Approve, 0).await });

    let answers = at_once(calls).await;

    let counting = answers
        .iter()
        .filter(|answer| answer.as_ref().is_ok_and(|decided| decided.counts))
        .count();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(counting, 1);
    assert_eq!(in_force(&database.store).await, Some(Decision::Approve));
}

async fn under_a_policy_with_verdicts_a_user_passes_by_what_was_decided(database: Database) {
    let store = &under(&database.store, "[verdict]\ncounts = true\n");
    store.checks().record(recording(1, "a")).await.unwrap();
    let passes = async || {
        let completing = store
            .checks()
            .completing(1, CompletionRule::AnySuccessful)
            .await
            .unwrap();
        completing.is_some()
    };
    let decisions = [
        Decision::Reject,
        Decision::Approve,
        Decision::AskAgain,
        Decision::Approve,
    ];
    for (seen, what) in (0..).zip(decisions) {
        decide(store, "anne", what, seen).await.unwrap();
        assert_eq!(passes().await, what == Decision::Approve, "{what:?}");
    }
}

async fn an_erased_user_takes_the_words_away_and_nobody_decides_any_more(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    database.record(recording(1, "a")).await;
    decide(store, "anne", Decision::Approve, 0).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);

    store.erasures().erase_user(1, true, order()).await.unwrap();

    let made = shown(store, "bert", false).await;
    assert_eq!(made.len(), 1);
    assert_eq!((&made[0].reason, &made[0].by), (&None, &decider("anne")));
    let refused = decide(store, "bert", Decision::Reject, 1).await;
    assert!(matches!(refused, Err(DecisionError::Erased)), "{refused:?}");
    assert_eq!(findings(store, &pem), [""; 0]);
    // What is recorded later is another matter.
    let later = database.record(made_at(NOW + 2 * HOUR, recording(1, "b"))).await;
    let order = decision(later.check.id, "bert", Decision::Reject, 0);
    assert_eq!(store.reviews().decide(order).await.unwrap(), COUNTS);
    // Words that are put back are found.
    database.execute("UPDATE liveness_decisions SET reason = 'jane' WHERE liveness_check_id = 1");
    let found = findings(store, &pem);
    assert!(
        found
            .iter()
            .any(|found| found.contains("decision 1 about record 1 was changed")),
        "{found:?}"
    );
}

/// What somebody does to the database who has all rights in it, and what is found.
const TAMPERING: &[(&str, &str)] = &[
    (
        "UPDATE liveness_checks SET decision = 0 WHERE id = 1",
        "the decision of record 1 was changed",
    ),
    (
        "UPDATE liveness_checks SET decision = NULL WHERE id = 1",
        "the decision of record 1 was changed",
    ),
    (
        "UPDATE liveness_checks SET decision = 0 WHERE id = 2",
        "the decision of record 2 was changed",
    ),
    (
        "UPDATE liveness_decisions SET decision = 0 WHERE number = 2; UPDATE liveness_checks SET decision = 0 WHERE id = 1",
        "decision 2 about record 1 was changed",
    ),
    (
        "UPDATE liveness_decisions SET reason = 'other' WHERE number = 1",
        "decision 1 about record 1 was changed",
    ),
    (
        "UPDATE liveness_decisions SET reason = '' WHERE number = 1",
        "decision 1 about record 1 was changed",
    ),
    (
        "UPDATE liveness_decisions SET principal = 'mallory' WHERE number = 1",
        "decision 1 about record 1 was changed",
    ),
    (
        "UPDATE liveness_decisions SET issuer = NULL WHERE number = 1",
        "decision 1 about record 1 was changed",
    ),
    (
        "UPDATE liveness_decisions SET decided_at = decided_at - 1 WHERE number = 2",
        "decision 2 about record 1 was changed",
    ),
    (
        "UPDATE liveness_decisions SET self_service_user_id = 2 WHERE number = 2",
        "decision 2 about record 1 was changed",
    ),
    (
        "DELETE FROM liveness_decisions WHERE number = 2; UPDATE liveness_checks SET decision = 0 WHERE id = 1",
        "decision 2 about record 1 was taken away",
    ),
    (
        "INSERT INTO liveness_decisions SELECT 1, 3, 1, 0, reason, issuer, principal, decided_at, counts, writer, writer_count \
         FROM liveness_decisions WHERE number = 1; UPDATE liveness_checks SET decision = 0 WHERE id = 1",
        "decision 3 about record 1 was put in or changed",
    ),
    (
        "INSERT INTO liveness_decisions SELECT 2, 1, 2, 0, reason, issuer, principal, decided_at, counts, writer, writer_count \
         FROM liveness_decisions WHERE number = 1; UPDATE liveness_checks SET decision = 0 WHERE id = 2",
        "decision 1 about record 2 was put in or changed",
    ),
    (
        "INSERT INTO liveness_decisions SELECT -7, 1, 2, 0, reason, issuer, principal, decided_at, counts, writer, writer_count \
         FROM liveness_decisions WHERE number = 1",
        "decision 1 about record -7 was put in or changed",
    ),
    (
        "UPDATE liveness_audit_entries SET subject = replace(subject, 'reject', 'approve') \
         WHERE message = 'ReviewLivenessCheckCommand'",
        "was changed: its leaf says something else",
    ),
    (
        "DELETE FROM liveness_audit_entries WHERE message = 'ReviewLivenessCheckCommand'",
        "was put in or changed: no audit entry tells of it",
    ),
];

async fn tampering_with_decisions_is_found(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    for user in 1..=2 {
        database.record(recording(user, &format!("session-{user}"))).await;
    }
    decide(store, "anne", Decision::Approve, 0).await.unwrap();
    decide(store, "bert", Decision::Reject, 1).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);
    let key = TrailKey::from_pem(&pem).unwrap();
    let verified = |part| store.trail().verify(&key, false, part, |_, _| {}).unwrap().findings;
    let kept = ["liveness_checks", "liveness_decisions", "liveness_audit_entries"];
    for (statements, expected) in TAMPERING {
        for table in kept {
            database.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
        }
        database.execute(statements);
        let found = verified(TrailPart::WHOLE);
        assert!(
            found.iter().any(|found| found.contains(expected)),
            "{statements}: {found:?}"
        );
        // In parts as well.
        let parts: Vec<_> = (0..3)
            .flat_map(|number| verified(TrailPart { number, of: 3 }))
            .collect();
        assert!(
            parts.iter().any(|found| found.contains(expected)),
            "{statements}: {parts:?}"
        );
        for table in kept {
            database.execute(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"
            ));
        }
        assert_eq!(verified(TrailPart::WHOLE), [""; 0], "{statements}");
    }
}

async fn a_list_is_filtered_by_decision_and_comes_in_either_order(database: Database) {
    let store = &database.store;
    for user in 1..=4 {
        database
            .record(made_at(NOW + user, recording(user, &format!("session-{user}"))))
            .await;
    }
    for (id, what) in [(1, Decision::Approve), (3, Decision::AskAgain), (4, Decision::Approve)] {
        store.reviews().decide(decision(id, "anne", what, 0)).await.unwrap();
    }
    let page = PageRequest { number: 1, size: 2 };
    let of = |decision| CheckFilter {
        decision: Some(decision),
        ..CheckFilter::default()
    };
    let ids = |page: liveness_core::store::CheckPage| {
        let ids: Vec<_> = page.items.iter().map(|check| check.id).collect();
        (ids, page.total)
    };
    let approved = of(DecisionFilter::Is(Decision::Approve));
    let checks = store.checks();
    assert_eq!(ids(checks.page(approved.clone(), page).await.unwrap()), (vec![4, 1], 2));
    assert_eq!(
        ids(checks.page_oldest_first(approved, page).await.unwrap()),
        (vec![1, 4], 2)
    );
    let undecided = of(DecisionFilter::Undecided);
    assert_eq!(ids(checks.page(undecided, page).await.unwrap()), (vec![2], 1));
    let all = CheckFilter::default();
    assert_eq!(ids(checks.page_oldest_first(all, page).await.unwrap()), (vec![1, 2], 4));
    // Without an image, a success is for a person to look at.
    let to_review = CheckFilter {
        verdict: Some(VerdictOutcome::Review),
        self_service_user_id: Some(3),
        ..of(DecisionFilter::Is(Decision::AskAgain))
    };
    let stepped = checks.after(to_review, None, 9).await.unwrap();
    assert_eq!(stepped.iter().map(|check| check.id).collect::<Vec<_>>(), [3]);
}

on_each_engine! {
    the_latest_decision_is_in_force_and_all_are_kept,
    a_decision_on_what_has_changed_since_is_refused_and_changes_nothing,
    nobody_decides_on_a_record_of_their_own_or_on_none,
    of_twenty_decisions_at_once_on_two_nodes_one_is_made,
    a_second_person_who_agrees_makes_it_count_without_having_seen_the_first,
    two_that_differ_stay_undecided_until_a_third_agrees_with_one,
    two_at_once_who_agree_make_it_count_once,
    under_a_policy_with_verdicts_a_user_passes_by_what_was_decided,
    an_erased_user_takes_the_words_away_and_nobody_decides_any_more,
    a_list_is_filtered_by_decision_and_comes_in_either_order,
    ;
    not on Citus: tampering_with_decisions_is_found,
}
