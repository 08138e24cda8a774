//! The store's queries give the same answers as the rule in the code.

use liveness_core::CompletionRule;
use liveness_core::store::{Recording, Store};

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, Xorshift, at, at_once, jpeg, kept, recording, with_face};

#[derive(Debug, Clone, Copy)]
struct Outcome {
    user: i64,
    is_successful: bool,
    verification_result: Option<bool>,
    created_at: i64,
}

/// A random outcome. There are only four instants, so many records have the same instant.
fn any_outcome(random: &mut Xorshift) -> Outcome {
    Outcome {
        user: 1 + random.below(80) as i64,
        is_successful: random.below(2) == 0,
        verification_result: random.one_of(&[None, Some(false), Some(true)]),
        created_at: NOW + random.below(4) as i64,
    }
}

fn recording_of(outcome: Outcome) -> Recording {
    let mut recording = recording(outcome.user, &format!("session-{}", outcome.user));
    recording.check.is_successful = outcome.is_successful;
    recording.check.metrics.run.verification_result = outcome.verification_result;
    recording.check.created_at = at(outcome.created_at);
    recording
}

/// The id that the rule chooses among all records of the user.
fn expected(rule: CompletionRule, user: i64, recorded: &[(i64, Outcome)]) -> Option<i64> {
    let mut newest_first: Vec<_> = recorded.iter().filter(|(_, outcome)| outcome.user == user).collect();
    newest_first.sort_by_key(|(id, outcome)| std::cmp::Reverse((outcome.created_at, *id)));
    let outcomes: Vec<_> = newest_first
        .iter()
        .map(|(_, outcome)| (outcome.is_successful, outcome.verification_result))
        .collect();
    rule.completed_by(&outcomes).map(|position| newest_first[position].0)
}

async fn answered(store: &Store, rule: CompletionRule, user: i64) -> Option<i64> {
    store
        .checks()
        .completing(user, rule)
        .await
        .unwrap()
        .map(|check| check.id)
}

const RULES: [CompletionRule; 2] = [CompletionRule::AnySuccessful, CompletionRule::LatestVerified];

async fn any_history_is_completed_by_the_record_that_the_rule_names(database: Database) {
    let store = &database.store;
    let mut random = Xorshift(0x5EED);
    let mut recorded = Vec::new();
    for _ in 0..400 {
        let outcome = any_outcome(&mut random);
        recorded.push((database.record_by_its_clock(recording_of(outcome)).await, outcome));
    }

    let mut completed = [0, 0];
    for user in 1..=80 {
        for (rule, count) in RULES.into_iter().zip(&mut completed) {
            let answer = answered(store, rule, user).await;
            assert_eq!(answer, expected(rule, user, &recorded), "{rule:?} of user {user}");
            *count += usize::from(answer.is_some());
        }
    }

    // Some users must have completed and some not. Otherwise the test could not tell the rules apart.
    assert!(completed.iter().all(|count| (5..75).contains(count)), "{completed:?}");
    assert!(completed[0] > completed[1]);

    // Questions at the same time share a statement.
    let questions: Vec<_> = (1..=80).flat_map(|user| RULES.map(|rule| (rule, user))).collect();
    let answers = at_once(questions.clone().into_iter().map(|(rule, user)| {
        let store = store.clone();
        async move { answered(&store, rule, user).await }
    }));
    for ((rule, user), answer) in questions.into_iter().zip(answers.await) {
        assert_eq!(
            answer,
            expected(rule, user, &recorded),
            "{rule:?} of user {user} at once"
        );
    }
}

async fn the_last_record_of_one_instant_is_the_newest(database: Database) {
    let store = &database.store;
    store.checks().record(recording(1, "session-1")).await.unwrap();
    let last = store.checks().record(recording(1, "session-1")).await.unwrap();

    let completing = store
        .checks()
        .completing(1, CompletionRule::AnySuccessful)
        .await
        .unwrap();

    assert_eq!(completing, Some(last.check));
}

async fn a_user_without_a_record_has_not_completed(database: Database) {
    let store = &database.store;
    store.checks().record(recording(1, "session-1")).await.unwrap();

    let completing = store
        .checks()
        .completing(2, CompletionRule::AnySuccessful)
        .await
        .unwrap();

    assert_eq!(completing, None);
}

async fn the_completing_record_comes_with_its_own_face(database: Database) {
    let store = &database.store;
    let rule = CompletionRule::AnySuccessful;
    let with_a_face = database.record(with_face(recording(1, "session-1"))).await.check;
    let first = store.checks().completing_with_face(1, rule).await.unwrap();

    let without = database.record(recording(1, "session-1")).await.check;
    let second = store.checks().completing_with_face(1, rule).await.unwrap();

    assert_eq!(first, Some((with_a_face, Some(kept(jpeg())))));
    assert_eq!(second, Some((without, None)));
}

on_each_engine! {
    any_history_is_completed_by_the_record_that_the_rule_names,
    the_last_record_of_one_instant_is_the_newest,
    a_user_without_a_record_has_not_completed,
    the_completing_record_comes_with_its_own_face,
}
