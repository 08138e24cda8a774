//! Who watches a user hears of what is committed about them, whoever commits it.

use std::time::Duration;

use diesel::PgConnection;
use liveness_core::CompletionRule;
use liveness_core::policy::Policy;
use liveness_core::store::{Store, UserWatch, insert_audit_entry};
use liveness_core::{Decision, LivenessCheck};
use tokio::time::timeout;

use crate::database::{Database, Link, on_each_engine};
use crate::samples::{audit_entry, decision, order, recording, with_face};

/// Waits for a change, which has to come.
async fn heard(watch: &mut UserWatch) {
    timeout(Duration::from_secs(30), watch.changed()).await.unwrap();
}

/// A watch that has heard of what it hears of at the beginning: everybody reads anew once others are looked for.
async fn settled(store: &Store, user: i64) -> UserWatch {
    let mut watch = store.checks().watch(user);
    heard(&mut watch).await;
    watch
}

/// Reads until the user has passed, after each change.
async fn passed(store: &Store, watch: &mut UserWatch) -> LivenessCheck {
    loop {
        if let Some(check) = store
            .checks()
            .completing(1, CompletionRule::AnySuccessful)
            .await
            .unwrap()
        {
            return check;
        }
        heard(watch).await;
    }
}

async fn a_record_of_this_store_is_heard_of(database: Database) {
    let mut watch = settled(&database.store, 1).await;

    database.record(recording(1, "a")).await;

    assert_eq!(passed(&database.store, &mut watch).await.session_id, "a");
}

async fn a_record_of_another_node_is_heard_of(database: Database) {
    let (mut watch, other) = (settled(&database.store, 1).await, database.open());
    let mut of_another_user = database.store.checks().watch(2);

    other.checks().record(recording(1, "a")).await.unwrap();

    heard(&mut watch).await;
    assert_eq!(passed(&database.store, &mut watch).await.session_id, "a");
    other.checks().record(recording(2, "b")).await.unwrap();
    heard(&mut of_another_user).await;
}

/// Who comes after a rest has nothing to do with what happened before.
async fn who_comes_later_hears_of_what_comes_later(database: Database) {
    let other = database.open();
    drop(settled(&database.store, 1).await);
    other.checks().record(recording(7, "before")).await.unwrap();

    let mut watch = database.store.checks().watch(1);
    other.checks().record(recording(1, "a")).await.unwrap();

    assert_eq!(passed(&database.store, &mut watch).await.session_id, "a");
}

async fn an_entry_in_a_transaction_of_the_backend_is_heard_of(database: Database) {
    let mut watch = settled(&database.store, 1).await;

    match &mut database.connect() {
        Link::Sqlite(conn) => insert_audit_entry(conn, &audit_entry(1)).unwrap(),
        Link::Postgres(conn) => insert_audit_entry(conn, &audit_entry(1)).unwrap(),
    }

    heard(&mut watch).await;
}

/// The ids of entries are given before they are committed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_transaction_that_commits_after_a_later_one_is_heard_of() {
    let database = Database::postgres();
    let (mut slow, mut fast) = (settled(&database.store, 1).await, database.store.checks().watch(2));
    let mut link = database.connect();
    link.execute("BEGIN").unwrap();
    insert_audit_entry(postgres(&mut link), &audit_entry(1)).unwrap();
    let other = database.open();
    other.checks().record(recording(2, "later")).await.unwrap();
    heard(&mut fast).await;

    link.execute("COMMIT").unwrap();

    heard(&mut slow).await;
}

fn postgres(link: &mut Link) -> &mut PgConnection {
    match link {
        Link::Postgres(conn) => conn,
        Link::Sqlite(_) => panic!("it is SQLite"),
    }
}

async fn a_decision_is_heard_of_here_and_elsewhere(database: Database) {
    // Without its face, the record is not accepted.
    let policy = "base = \"record\"\n[verdict]\ncounts = true\n[rules]\n\"image.missing\" = \"review\"\n";
    let under = |store: Store| store.with_policy(Policy::parse(policy).unwrap()).unwrap();
    let (here, other) = (under(database.store.clone()), under(database.open()));
    here.checks().record(recording(1, "a")).await.unwrap();
    let (mut watch, mut elsewhere) = (settled(&here, 1).await, settled(&other, 1).await);
    let completing = here.checks().completing(1, CompletionRule::AnySuccessful);
    assert_eq!(completing.await.unwrap(), None);

    let order = decision(1, "anne", Decision::Approve, 0);
    here.reviews().decide(order).await.unwrap();

    assert_eq!(passed(&here, &mut watch).await.session_id, "a");
    assert_eq!(passed(&other, &mut elsewhere).await.session_id, "a");
}

async fn an_erasure_is_heard_of(database: Database) {
    let store = &database.store;
    database.record(with_face(recording(1, "a"))).await;
    let mut watch = settled(store, 1).await;

    store.erasures().erase_user(1, false, order()).await.unwrap();

    heard(&mut watch).await;
}

on_each_engine! {
    a_record_of_this_store_is_heard_of,
    a_record_of_another_node_is_heard_of,
    who_comes_later_hears_of_what_comes_later,
    a_decision_is_heard_of_here_and_elsewhere,
    an_erasure_is_heard_of;
    not on Citus:
    an_entry_in_a_transaction_of_the_backend_is_heard_of,
}
