//! Which earlier record of an image the rule `image.reused` speaks of.

use liveness_core::policy::Policy;
use liveness_core::trail::TrailKey;
use serde_json::json;

use crate::database::{Database, on_each_engine};
use crate::samples::{recording, with_face};

/// What `image.reused` saw and did when each of these users recorded the same image, under a policy with this line.
async fn seen(database: &Database, rule: &str, users: &[i64]) -> Vec<Option<String>> {
    database
        .store
        .trail()
        .sign_entries(&TrailKey::generate().unwrap().key)
        .unwrap();
    let policy = Policy::parse(&format!("base = \"record\"\n[rules]\n\"image.reused\" = {rule}\n")).unwrap();
    let store = database.store.clone().with_policy(policy).unwrap();
    let mut seen = Vec::new();
    for (place, user) in users.iter().enumerate() {
        let report = with_face(recording(*user, &format!("session-{place}")));
        let id = store.checks().record(report).await.unwrap().check.id;
        let verdict = store
            .checks()
            .evidence(id)
            .await
            .unwrap()
            .unwrap()
            .details
            .verdict
            .unwrap();
        let reason = verdict.reasons.iter().find(|reason| reason.code == "image.reused");
        seen.push(reason.map(|reason| format!("{} {}", reason.effect.as_str(), reason.saw)));
    }
    seen
}

fn says(effect: &str, whose: &str, id: i64) -> Option<String> {
    Some(format!("{effect} {}", json!([whose, id])))
}

async fn another_users_record_goes_before_the_users_own(database: Database) {
    let found = seen(
        &database,
        "{ effect = \"reject\", same_user = \"review\" }",
        &[2, 2, 1, 3, 2],
    )
    .await;

    let other = |id| says("reject", "another_user", id);
    assert_eq!(
        found,
        [None, says("review", "same_user", 1), other(1), other(3), other(3)]
    );
}

async fn the_users_own_record_is_not_hidden_by_one_that_does_less(database: Database) {
    let found = seen(
        &database,
        "{ effect = \"off\", same_user = \"review\" }",
        &[1, 2, 3, 2, 3, 1],
    )
    .await;

    let own = |id| says("review", "same_user", id);
    assert_eq!(found, [None, None, None, own(2), own(3), own(1)]);
}

on_each_engine! {
    another_users_record_goes_before_the_users_own,
    the_users_own_record_is_not_hidden_by_one_that_does_less,
}
