//! The store's queries answer what the rule in the code answers.

use liveness_core::CompletionRule;
use liveness_core::store::{Recording, Store};

use crate::database::{NOW, at, in_memory, jpeg, recording};

/// Marsaglia's xorshift64: pseudo-random, and the same in every run.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[derive(Debug, Clone, Copy)]
struct Outcome {
    user: i64,
    is_successful: bool,
    verification_result: Option<bool>,
    created_at: i64,
}

/// So few instants that many records have the same.
fn any_outcome(random: &mut Xorshift) -> Outcome {
    Outcome {
        user: 1 + random.below(80) as i64,
        is_successful: random.below(2) == 0,
        verification_result: [None, Some(false), Some(true)][random.below(3) as usize],
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

/// The id that the rule names, read from everything that was recorded.
fn expected(rule: CompletionRule, user: i64, recorded: &[(i64, Outcome)]) -> Option<i64> {
    let mut newest_first: Vec<_> = recorded.iter().filter(|(_, outcome)| outcome.user == user).collect();
    newest_first.sort_by_key(|(id, outcome)| std::cmp::Reverse((outcome.created_at, *id)));
    let outcomes: Vec<_> = newest_first
        .iter()
        .map(|(_, outcome)| (outcome.is_successful, outcome.verification_result))
        .collect();
    rule.completed_by(&outcomes).map(|position| newest_first[position].0)
}

#[expect(clippy::unwrap_used, reason = "the store is in memory")]
async fn answered(store: &Store, rule: CompletionRule, user: i64) -> Option<i64> {
    store.completing_check(user, rule).await.unwrap().map(|check| check.id)
}

#[tokio::test]
async fn any_history_is_completed_by_the_record_that_the_rule_names() {
    let store = in_memory();
    let mut random = Xorshift(0x5EED);
    let mut recorded = Vec::new();
    for _ in 0..400 {
        let outcome = any_outcome(&mut random);
        recorded.push((store.record(recording_of(outcome)).await.unwrap().check.id, outcome));
    }

    let mut completed = [0, 0];
    for user in 1..=80 {
        for (rule, count) in [CompletionRule::AnySuccessful, CompletionRule::LatestVerified]
            .into_iter()
            .zip(&mut completed)
        {
            let answer = answered(&store, rule, user).await;
            assert_eq!(answer, expected(rule, user, &recorded), "{rule:?} of user {user}");
            *count += usize::from(answer.is_some());
        }
    }

    // Neither all nor none: otherwise the histories would not tell the rules apart.
    assert!(completed.iter().all(|count| (5..75).contains(count)), "{completed:?}");
    assert!(completed[0] > completed[1]);
}

#[tokio::test]
async fn of_records_of_one_instant_the_last_is_the_newest() {
    let store = in_memory();
    store.record(recording(1, "session-1")).await.unwrap();
    let last = store.record(recording(1, "session-1")).await.unwrap();

    let completing = store.completing_check(1, CompletionRule::AnySuccessful).await.unwrap();

    assert_eq!(completing, Some(last.check));
}

#[tokio::test]
async fn a_user_without_a_record_has_not_completed() {
    let store = in_memory();
    store.record(recording(1, "session-1")).await.unwrap();

    let completing = store.completing_check(2, CompletionRule::AnySuccessful).await.unwrap();

    assert_eq!(completing, None);
}

#[tokio::test]
async fn the_completing_record_comes_with_its_own_face() {
    let store = in_memory();
    let mut with_face = recording(1, "session-1");
    with_face.check.image = Some(jpeg());
    let with_face = store.record(with_face).await.unwrap().check;
    let rule = CompletionRule::AnySuccessful;
    let first = store.completing_check_with_image(1, rule).await.unwrap();

    let without_face = store.record(recording(1, "session-1")).await.unwrap().check;
    let second = store.completing_check_with_image(1, rule).await.unwrap();

    assert_eq!(first, Some((with_face, Some(jpeg()))));
    assert_eq!(second, Some((without_face, None)));
}
