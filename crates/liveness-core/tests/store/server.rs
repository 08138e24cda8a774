//! A PostgreSQL server that is out of reach, ends connections, or takes no writes for a while.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use diesel::dsl::sql;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_types::Text;
use liveness_core::CompletionRule;
use liveness_core::store::{PostgresPool, PostgresSettings, Recorded, Store, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::connection::{assert_unavailable, every_operation};
use crate::database::{Database, Place};
use crate::samples::{at_once, recording};

/// Nothing listens on that port.
const NOWHERE: &str = "postgres://liveness:hunter2@127.0.0.1:1/liveness";

/// Ends every connection to the database but the test's own.
const END_CONNECTIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// Changes a setting of the database, which holds for connections that begin after that.
fn alter(place: &Place, change: &str) {
    let mut link = place.connect();
    link.execute("SET default_transaction_read_only = off").unwrap();
    let database = link.texts("SELECT current_database()::text").concat();
    link.execute(&format!("ALTER DATABASE {database} {change}")).unwrap();
}

/// What a connection of a host's pool says of a setting.
fn shown(place: &Place, setting: &str) -> String {
    let pool: PostgresPool = Pool::builder()
        .max_size(1)
        .connection_customizer(Box::new(PostgresSettings::default()))
        .build(ConnectionManager::new(place.url()))
        .unwrap();
    let query = sql::<Text>(&format!("SELECT current_setting('{setting}')"));
    query.get_result(&mut pool.get().unwrap()).unwrap()
}

#[tokio::test]
async fn a_server_out_of_reach_is_unavailable_and_the_next_do_not_wait_for_it() {
    let store = Store::open(NOWHERE).unwrap();
    let first = store.ping().await;

    assert!(matches!(first, Err(StoreError::Unavailable(_))), "{first:?}");
    for (operation, outcome) in every_operation(&store).await {
        let Err(StoreError::Unavailable(cause)) = outcome else {
            panic!("{operation}: {outcome:?}")
        };
        assert_eq!(cause.to_string(), "the database is still out of reach", "{operation}");
    }
}

#[tokio::test]
async fn migrating_on_a_server_out_of_reach_tells_so_in_one_line() {
    let store = Store::open(NOWHERE).unwrap();

    let error = store.migrate().unwrap_err();

    assert!(error.is_out_of_reach());
    let message = error.to_string();
    assert!(message.starts_with("cannot reach the database: "), "{message}");
    assert!(
        message.contains("127.0.0.1") && message.contains("refused"),
        "{message}"
    );
    assert!(!message.contains("hunter2") && !message.contains('\n'), "{message}");
    assert_unavailable(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn connections_that_the_server_ended_are_replaced_unnoticed() {
    let database = Database::postgres();
    database.record(recording(1, "session-1")).await;

    for _ in 0..3 {
        database.execute(END_CONNECTIONS);
        let read = database
            .store
            .checks()
            .completing(1, CompletionRule::AnySuccessful)
            .await;
        database.execute(END_CONNECTIONS);
        let written = database.store.checks().record(recording(1, "session-1")).await;

        assert!(matches!(read, Ok(Some(_))), "{read:?}");
        assert!(written.is_ok(), "{written:?}");
    }

    assert_eq!(database.rows(), [4, 0, 1, 0, 4]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn migrating_succeeds_on_connections_that_the_server_ended() {
    let database = Database::postgres();
    database.execute(END_CONNECTIONS);

    let migrated = database.store.migrate();

    assert!(migrated.is_ok(), "{migrated:?}");
    assert!(database.store.ping().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_commit_that_its_connection_does_not_outlive_is_of_unknown_outcome_and_not_repeated() {
    let database = Database::postgres();
    database.execute(
        "CREATE SEQUENCE commits; \
         CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN \
         PERFORM nextval(''commits''), pg_terminate_backend(pg_backend_pid()), pg_sleep(60); RETURN NULL; END'; \
         CREATE CONSTRAINT TRIGGER die AFTER INSERT ON liveness_checks DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW WHEN (NEW.session_id = 'deadly') EXECUTE FUNCTION die()",
    );

    let unknown = database.store.checks().record(recording(1, "deadly")).await;

    assert!(matches!(unknown, Err(StoreError::OutcomeUnknown(_))), "{unknown:?}");
    assert_eq!(database.number("SELECT last_value FROM commits"), 1);
    assert!(database.store.checks().record(recording(1, "session-1")).await.is_ok());
    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);
}

/// Records, again and again as long as the answer is that nothing was recorded.
async fn record_at_last(store: &Store, user: i64, session: &str) -> Result<Recorded, StoreError> {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        match store.checks().record(recording(user, session)).await {
            Err(StoreError::Unavailable(_)) if Instant::now() < patience => sleep(Duration::from_millis(5)).await,
            outcome => return outcome,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn while_connections_end_whoever_may_repeat_records_once() {
    let database = Arc::new(Database::postgres());
    let is_over = Arc::new(AtomicBool::new(false));
    let (of_enemy, until) = (Arc::clone(&database), Arc::clone(&is_over));
    let enemy = spawn_blocking(move || {
        let (mut link, mut last) = (of_enemy.connect(), 0);
        while !until.load(Ordering::Relaxed) {
            let recorded = link.number("SELECT count(*) FROM liveness_checks");
            // So often that it is not always in vain.
            if recorded >= last + 3 {
                link.execute(END_CONNECTIONS).unwrap();
                last = recorded;
            }
        }
    });

    let calls = (1..=8).map(|user| {
        let store = database.store.clone();
        async move {
            let mut outcomes = Vec::new();
            for run in 0..12 {
                let session = format!("session-{user}-{run}");
                let outcome = record_at_last(&store, user, &session).await;
                outcomes.push((session, outcome));
            }
            outcomes
        }
    });
    let outcomes = at_once(calls).await.concat();
    is_over.store(true, Ordering::Relaxed);
    enemy.await.unwrap();

    let mut link = database.connect();
    for (session, outcome) in outcomes {
        let query = format!("SELECT count(*) FROM liveness_checks WHERE session_id = '{session}'");
        match (outcome, link.number(&query)) {
            (Ok(_), 1) | (Err(StoreError::OutcomeUnknown(_)), 0 | 1) => {}
            other => panic!("{session}: {other:?}"),
        }
    }
}

/// Lets the database refuse a record at its last row, with this code, message and detail.
fn refuse(place: &Place, [code, message, detail]: [&str; 3]) {
    place.execute(&format!(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION \
         USING ERRCODE = '{code}', MESSAGE = '{message}', DETAIL = '{detail}'; END $$; \
         CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON liveness_audit_entries EXECUTE FUNCTION refuse()"
    ));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn what_the_database_will_never_understand_is_a_fault_that_tells_why() {
    let database = Database::postgres();
    let why = "Possibly this is caused by the use of parameters.";
    for (refusal, told) in [
        (
            ["0A000", "could not create distributed plan", why],
            "could not create distributed plan; detail: Possibly this is caused by the use of parameters.",
        ),
        (
            ["XX000", "cache lookup failed for type 1234", "It was\ndropped."],
            "cache lookup failed for type 1234; detail: It was dropped.",
        ),
        (
            ["0A000", "it quotes a key", "Key (session_id)=(secret) already exists."],
            "it quotes a key",
        ),
        (
            ["XX000", "it quotes a row", "Failing row contains (1, secret)."],
            "it quotes a row",
        ),
    ] {
        refuse(&database, refusal);

        let refused = database.store.checks().record(recording(1, "session-1")).await;

        let Err(StoreError::Internal(_)) = &refused else {
            panic!("{refusal:?}: {refused:?}")
        };
        assert_eq!(refused.unwrap_err().source().unwrap().to_string(), told);
        assert_eq!(database.rows(), [0, 0, 0, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn what_the_database_may_do_later_is_unavailable() {
    let database = Database::postgres();
    for refusal in [
        [
            "53100",
            "could not extend file \"base/1/2\": No space left on device",
            "",
        ],
        ["53200", "out of memory", "Failed on request of size 7."],
        ["57014", "canceling statement due to lock timeout", ""],
    ] {
        refuse(&database, refusal);

        let refused = database.store.checks().record(recording(1, "session-1")).await;

        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refusal:?}: {refused:?}"
        );
        assert_eq!(database.rows(), [0, 0, 0, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_server_that_takes_no_writes_is_unavailable_until_it_takes_them_again() {
    let database = Database::postgres();
    database.record(recording(1, "session-1")).await;
    alter(&database, "SET default_transaction_read_only = on");
    database.execute(END_CONNECTIONS);

    let refused = database.store.checks().record(recording(1, "session-1")).await;
    let read = database
        .store
        .checks()
        .completing(1, CompletionRule::AnySuccessful)
        .await;
    // The connections stay: those that took no writes are not written to again.
    alter(&database, "RESET default_transaction_read_only");
    let written = database.store.checks().record(recording(1, "session-1")).await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(matches!(read, Ok(Some(_))), "{read:?}");
    assert!(written.is_ok(), "{written:?}");
    assert_eq!(database.rows(), [2, 0, 1, 0, 2]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_commit_that_would_not_be_durable_is_made_so_and_no_weaker_than_the_server_asks() {
    let place = Place::server();

    for (of_the_database, of_the_store) in [
        ("off", "on"),
        ("on", "on"),
        ("local", "local"),
        ("remote_apply", "remote_apply"),
    ] {
        alter(&place, &format!("SET synchronous_commit = {of_the_database}"));
        assert_eq!(shown(&place, "synchronous_commit"), of_the_store, "{of_the_database}");
    }
}
