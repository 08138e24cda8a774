//! Commits on PostgreSQL that wait for a synchronous standby, and sessions that are not set up as the store does it.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use liveness_core::store::{PostgresSettings, Store, StoreError};
use tokio::task::spawn_blocking;

use crate::cluster::Cluster;
use crate::database::{Database, Place};
use crate::host_pool::postgres_pool;
use crate::samples::{audit_entry, keyed, recording};

/// Cancels commits that wait for a standby until `writes` of them were cancelled.
fn cancel_waits(url: &str, writes: i64) {
    let mut link = PgConnection::establish(url).unwrap();
    let (patience, mut cancelled) = (Instant::now() + Duration::from_secs(60), 0);
    while cancelled < writes {
        assert!(Instant::now() < patience, "no commit waits for a standby");
        let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
             WHERE wait_event = 'SyncRep' AND application_name = 'liveness'";
        cancelled += sql::<BigInt>(cancel).get_result::<i64>(&mut link).unwrap();
    }
}

/// A store on a server whose commits wait for a standby that is not there.
fn without_its_standby(cluster: &Cluster) -> Store {
    let store = Store::open(&cluster.url("postgres")).unwrap();
    store.migrate().unwrap();
    cluster.psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    cluster.psql("postgres", "SELECT pg_reload_conf()");
    let mut link = PgConnection::establish(&cluster.url("postgres")).unwrap();
    // The checkpointer makes commits wait once it has read the setting.
    link.batch_execute("CHECKPOINT").unwrap();
    store
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_cancelled_wait_for_a_standby_is_of_unknown_outcome_whatever_was_written() {
    let cluster = Cluster::start();
    let store = without_its_standby(&cluster);
    for write in ["a record", "a repeated call", "an audit entry", "a user"] {
        let (store, url) = (store.clone(), cluster.url("postgres"));
        let enemy = spawn_blocking(move || cancel_waits(&url, 1));

        let outcome = match write {
            "a record" | "a repeated call" => {
                let keyed = keyed(1, "session-1", "key-1", "{}");
                store.checks().record(keyed).await.map(drop)
            }
            "an audit entry" => store.trail().append(audit_entry(1)).await,
            _ => store
                .users()
                .add(recording(7, "session-7").check.user, audit_entry(7))
                .await
                .map(drop),
        };

        enemy.await.unwrap();
        assert!(
            matches!(outcome, Err(StoreError::OutcomeUnknown(_))),
            "{write}: {outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_commit_that_its_standby_confirms_is_acknowledged_for_any_role() {
    let cluster = Cluster::start();
    let _standby = cluster.standby("second");
    cluster.make_synchronous("second");
    cluster.psql("postgres", "CREATE ROLE plain LOGIN");
    cluster.psql("postgres", "CREATE DATABASE plain OWNER plain");
    let of_plain = cluster.url("plain").replace("postgres@", "plain@");
    for (url, names) in [
        (cluster.url("postgres"), "\"second\""),
        (cluster.url("postgres"), "ANY 1 (nobody, \"second\")"),
        (of_plain, "FIRST 1 (\"second\", nobody)"),
    ] {
        cluster.psql(
            "postgres",
            &format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"),
        );
        cluster.psql("postgres", "SELECT pg_reload_conf()");
        let store = Store::open(&url).unwrap();
        store.migrate().unwrap();

        let recorded = store.checks().record(recording(1, "session-1")).await;

        assert!(recorded.is_ok(), "{names}: {recorded:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn each_write_raises_its_own_durability_on_any_session() {
    let place = Place::server();
    let settings = PostgresSettings::default();
    let pool = postgres_pool(&place, 1, settings.clone());
    let database = Database::from(place);
    let store = Store::from_postgres_pool(pool.clone(), settings).unwrap();
    database.execute(
        "CREATE TABLE seen (level text); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN \
         INSERT INTO seen VALUES (current_setting(''synchronous_commit'')); RETURN NULL; END'; \
         CREATE TRIGGER see AFTER INSERT ON liveness_audit_entries EXECUTE FUNCTION see()",
    );
    for (of_the_session, of_the_write) in [
        ("off", "on"),
        ("on", "on"),
        ("local", "local"),
        ("remote_apply", "remote_apply"),
    ] {
        let change = format!("SET synchronous_commit = {of_the_session}");
        pool.get().unwrap().batch_execute(&change).unwrap();

        store.checks().record(recording(1, "session-1")).await.unwrap();

        let seen = database.texts("DELETE FROM seen RETURNING level");
        assert_eq!(seen, [of_the_write], "{of_the_session}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_begin_that_fails_leaves_no_transaction_open() {
    let place = Place::server();
    let settings = PostgresSettings::default();
    let pool = postgres_pool(&place, 1, settings.clone());
    let database = Database::from(place);
    let store = Store::from_postgres_pool(pool.clone(), settings).unwrap();
    // It is found before the function of the system, and fails.
    let hidden = "CREATE SCHEMA hiding; CREATE FUNCTION hiding.set_config(text, text, boolean) RETURNS text \
         LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''out of memory''; END'; \
         SET search_path = hiding, pg_catalog, public";
    pool.get().unwrap().batch_execute(hidden).unwrap();

    let refused = store.checks().record(recording(1, "session-1")).await;
    pool.get().unwrap().batch_execute("DROP SCHEMA hiding CASCADE").unwrap();
    let written = store.checks().record(recording(1, "session-1")).await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(written.is_ok(), "{written:?}");
    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);
}
