//! The migrations go up, down and up again. They keep the records of older versions, and several stores can run them at
//! the same time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use diesel::backend::Backend;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use liveness_core::store::{CheckFilter, PageRequest, Store, StoreError, StoreSettings};
use liveness_core::{IdempotencyKey, LivenessCheck};

use crate::connection::assert_unavailable;
use crate::database::{Database, Link, Place, on_each_engine};
use crate::samples::{at_once, keyed, recording};
use crate::schema::{believed, indexes, made};

#[derive(Clone, Copy)]
pub(crate) enum Step {
    Up,
    Down,
}

fn folder(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../migrations")
        .join(engine)
}

/// The names of the migrations, in their order.
pub(crate) fn names(engine: &str) -> Vec<String> {
    let entries = fs::read_dir(folder(engine)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Goes up or down by one migration, as `diesel migration` does.
pub(crate) fn go(place: &Place, step: Step) {
    fn run<DB: Backend>(harness: &mut impl MigrationHarness<DB>, step: Step, files: FileBasedMigrations) {
        match step {
            Step::Up => drop(harness.run_next_migration(files).unwrap()),
            Step::Down => drop(harness.revert_last_migration(files).unwrap()),
        }
    }
    let files = FileBasedMigrations::from_path(folder(place.pick("sqlite", "postgres"))).unwrap();
    match place.connect() {
        Link::Sqlite(mut conn) => run(&mut conn, step, files),
        Link::Postgres(mut conn) => run(&mut conn, step, files),
    }
}

/// Everything in the database except the list of migrations.
fn leftovers(place: &Place) -> Vec<String> {
    place.texts(place.pick(
        "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE '__diesel%'",
        "SELECT relname::text FROM pg_class \
         WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '__diesel%'",
    ))
}

/// Writes four records as the first version did: of two users, in two sessions, two of them under a key.
fn record_as_the_first_version(place: &Place) {
    let fingerprint = IdempotencyKey::parse("key-1", b"{}").unwrap();
    let hex: String = fingerprint
        .fingerprint()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let fingerprint = place.pick(format!("x'{hex}'"), format!("'\\x{hex}'::bytea"));
    let mut link = place.connect();
    for session in ["('a', 1, 10)", "('b', 2, 13)", "('unused', 1, 0)"] {
        link.execute(&format!("INSERT INTO liveness_sessions VALUES {session}"))
            .unwrap();
    }
    // The second record of session b is older: another node's clock was behind.
    for (check, at) in [
        ("1, 7, 'a'", 10),
        ("1, NULL, 'a'", 11),
        ("2, 7, 'b'", 13),
        ("2, 8, 'b'", 12),
    ] {
        let columns =
            "self_service_user_id, pre_registration_id, session_id, is_successful, passed, has_image, created_at";
        let values = format!("{check}, TRUE, TRUE, FALSE, {at}");
        link.execute(&format!("INSERT INTO liveness_checks ({columns}) VALUES ({values})"))
            .unwrap();
    }
    for (user, check) in [(1, 2), (2, 3)] {
        let values = format!("{user}, 'SubmitLivenessCheckCommand', 'key-1', {fingerprint}, {check}, 0");
        link.execute(&format!("INSERT INTO liveness_idempotency_keys VALUES ({values})"))
            .unwrap();
    }
}

#[test]
fn both_engines_have_migrations_of_the_same_names() {
    assert_eq!(names("sqlite"), names("postgres"));
    assert_eq!(names("sqlite").len(), 40);
}

async fn the_migrations_go_up_and_down_and_up_again(place: Place) {
    let all = names("sqlite");
    all.iter().for_each(|_| go(&place, Step::Up));
    let up = (made(&place), indexes(&place));

    all.iter().for_each(|_| go(&place, Step::Down));
    let down = leftovers(&place);
    all.iter().for_each(|_| go(&place, Step::Up));

    assert_eq!(down, Vec::<String>::new());
    assert_eq!((made(&place), indexes(&place)), up);
    assert_eq!(up.0, believed(&place));
}

async fn a_database_of_the_first_version_is_brought_up_to_date(place: Place) {
    go(&place, Step::Up);
    record_as_the_first_version(&place);

    let database = Database::from(place);

    let expected = [
        "pre-registration 0: 4",
        "pre-registration 7: 2",
        "pre-registration 8: 1",
        "a: 10 to 11",
        "b: 12 to 13",
        "unused: 0 to 0",
    ];
    assert_eq!(database.totals(), expected);
    for (user, session, id) in [(1, "a", 2), (2, "b", 3)] {
        let replay = database.record(keyed(user, session, "key-1", "{}")).await;
        assert_eq!((replay.is_replay, replay.check.id), (true, id));
        let reused = database
            .store
            .checks()
            .record(keyed(user, session, "key-1", "other"))
            .await;
        assert!(matches!(reused, Err(StoreError::IdempotencyKeyReused)), "{reused:?}");
    }
    assert_eq!(database.totals(), expected);
    assert_eq!(database.rows(), [4, 0, 3, 2, 2]);
}

/// The first version's records have no face. One of them is changed to have failed.
async fn the_totals_of_outcomes_are_counted_once(place: Place) {
    go(&place, Step::Up);
    record_as_the_first_version(&place);
    place.execute("UPDATE liveness_checks SET is_successful = FALSE, passed = FALSE WHERE created_at = 13");
    place.execute("UPDATE liveness_checks SET has_image = TRUE WHERE created_at = 10");

    let database = Database::from(place);

    let total = async |filter: CheckFilter| {
        let page = PageRequest { number: 9, size: 1 };
        database.store.checks().page(filter, page).await.unwrap().total
    };
    for (pre_registration_id, is_successful, has_image, expected) in [
        (None, Some(true), None, 3),
        (None, Some(false), None, 1),
        (None, None, Some(true), 1),
        (None, Some(true), Some(false), 2),
        (Some(7), Some(false), Some(false), 1),
        (Some(7), Some(true), Some(true), 1),
        (Some(8), Some(false), None, 0),
    ] {
        let filter = CheckFilter {
            pre_registration_id,
            is_successful,
            has_image,
            ..CheckFilter::default()
        };
        assert_eq!(total(filter.clone()).await, expected, "{filter:?}");
    }
}

async fn a_database_of_the_version_before_finds_each_sessions_records(place: Place) {
    go(&place, Step::Up);
    record_as_the_first_version(&place);
    go(&place, Step::Up);

    let database = Database::from(place);

    for (session, user) in [("a", 1), ("b", 2)] {
        let filter = CheckFilter {
            session_id: Some(session.to_owned()),
            ..CheckFilter::default()
        };
        let page = PageRequest { number: 1, size: 10 };
        let found = database.store.checks().page(filter, page).await.unwrap();
        assert_eq!((found.total, found.items.len()), (2, 2), "{session}");
        assert!(found.items.iter().all(|check| check.self_service_user_id == user));
    }
    let references = database.texts(database.pick(
        "SELECT \"table\" FROM pragma_foreign_key_list('liveness_checks')",
        "SELECT conname::text FROM pg_constraint WHERE conrelid = 'liveness_checks'::regclass AND contype = 'f'",
    ));
    assert_eq!(references, Vec::<String>::new());
    if let Place::File(_) = *database {
        assert_eq!(database.texts("PRAGMA integrity_check"), ["ok"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn an_index_whose_creation_was_interrupted_is_created_again() {
    let place = Place::server();
    go(&place, Step::Up);
    go(&place, Step::Up);
    // Makes the invalid index that an interrupted CREATE INDEX CONCURRENTLY leaves.
    place.execute(
        "CREATE INDEX liveness_checks_passed ON liveness_checks (self_service_user_id, created_at, id) WHERE passed; \
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'liveness_checks_passed'::regclass",
    );

    place.open().migrate().unwrap();

    assert_eq!(place.number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
    assert_eq!(made(&place), believed(&place));
}

async fn records_survive_steps_down_and_up(database: Database) {
    let first = database.record(keyed(1, "session-1", "a:key.~", "{}")).await;
    database.record(recording(2, "session-2")).await;
    let before = (database.rows(), database.totals());

    // Goes down to the first version.
    let steps = names("sqlite").len() - 1;
    (0..steps).for_each(|_| go(&database, Step::Down));
    let keys = "SELECT self_service_user_id || ' ' || command || ' ' || idempotency_key || ' ' || liveness_check_id \
         FROM liveness_idempotency_keys";
    let keys = database.texts(keys);
    (0..steps).for_each(|_| go(&database, Step::Up));

    assert_eq!(keys, ["1 SubmitLivenessCheckCommand a:key.~ 1"]);
    assert_eq!((database.rows(), database.totals()), before);
    let replay = database
        .open()
        .checks()
        .record(keyed(1, "session-1", "a:key.~", "{}"))
        .await
        .unwrap();
    // The verdict is in columns that went away.
    let unjudged = LivenessCheck {
        verdict: None,
        ..first.check
    };
    assert_eq!((replay.is_replay, replay.check), (true, unjudged));
}

async fn a_migration_that_fails_changes_nothing_and_tells_so_in_one_line(place: Place) {
    place.execute("CREATE TABLE liveness_images (id INTEGER)");
    let store = place.open();

    let error = store.migrate().unwrap_err();

    let message = error.to_string();
    assert!(message.starts_with("cannot migrate the database: "), "{message}");
    assert!(
        message.contains("already exists") && !message.contains('\n'),
        "{message}"
    );
    assert!(!error.is_out_of_reach());
    assert_eq!(leftovers(&place), ["liveness_images"]);
    assert_unavailable(&store).await;
    place.execute("DROP TABLE liveness_images");
    store.migrate().unwrap();
    assert!(store.ping().await.is_ok());
}

/// Eight stores migrate at once: how each ended.
pub(crate) fn migrate_eight_times_at_once(place: &Place) -> Vec<Result<(), String>> {
    let stores: Vec<_> = (0..8).map(|_| place.open()).collect();
    let start = Barrier::new(stores.len());
    let migrate = |store: &Store| {
        start.wait();
        store.migrate().map(drop).map_err(|error| error.to_string())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = stores.iter().map(|store| scope.spawn(|| migrate(store))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

async fn eight_stores_that_migrate_one_empty_database_at_once_all_succeed(place: Place) {
    let outcomes = migrate_eight_times_at_once(&place);

    assert_eq!(outcomes, vec![Ok(()); 8]);
    let migrations = i64::try_from(names("sqlite").len()).unwrap();
    assert_eq!(
        place.number("SELECT count(*) FROM __diesel_schema_migrations"),
        migrations
    );
    assert_eq!(made(&place), believed(&place));
}

async fn migrate_returns_the_names_of_its_migrations(place: Place) {
    let store = place.open();
    let lacking = store.diagnose().unwrap().lacking_migrations;

    let ran = store.migrate().unwrap();

    assert_eq!(ran, names("sqlite"));
    assert_eq!(lacking, ran);
    assert_eq!(store.migrate().unwrap(), [""; 0]);
    assert_eq!(store.diagnose().unwrap().lacking_migrations, [""; 0]);
    assert!(store.check_schema().is_ok());
}

async fn an_older_or_newer_schema_is_refused(place: Place) {
    let store = place.open();
    let empty = store.check_schema().unwrap_err().to_string();
    store.migrate().unwrap();
    place.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");

    let newer = store.check_schema().unwrap_err().to_string();

    assert!(
        empty.contains("lacks 2026-11-23-000000_liveness; run `migrate` first"),
        "{empty}"
    );
    assert!(
        newer.contains("newer than this program") && newer.contains("29991231000000"),
        "{newer}"
    );
    assert_eq!(store.diagnose().unwrap().unknown_migrations, ["29991231000000"]);
    let migrated = store.migrate().unwrap_err().to_string();
    assert!(
        migrated.contains("newer than this program, with migration 29991231000000"),
        "{migrated}"
    );
}

async fn a_newer_migration_says_which_programs_may_run_with_it(place: Place) {
    let store = place.open();
    store.migrate().unwrap();
    place.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    place.execute(
        "CREATE TABLE liveness_compatible_migrations (version TEXT PRIMARY KEY, oldest_program TEXT NOT NULL)",
    );
    place.execute("INSERT INTO liveness_compatible_migrations VALUES ('29991231000000', '20261129120500')");

    let compatible = store.check_schema();
    let migrated = store.migrate();
    let unknown = store.diagnose().unwrap().unknown_migrations;
    place.execute("UPDATE liveness_compatible_migrations SET oldest_program = '29990101000000'");

    assert!(compatible.is_ok() && migrated.is_ok(), "{compatible:?} {migrated:?}");
    assert_eq!(unknown, [""; 0]);
    assert!(store.check_schema().is_err());
}

async fn a_store_that_awaits_its_schema_serves_only_while_it_may_run_with_it(place: Place) {
    let settings = StoreSettings {
        awaits_schema: true,
        ..StoreSettings::default()
    };
    let store = Store::open_with(&place.url(), settings).unwrap();
    assert_unavailable(&store).await;
    assert!(store.check_schema().is_err());
    assert_unavailable(&store).await;

    place.open().migrate().unwrap();
    // Nobody has looked since.
    assert_unavailable(&store).await;
    store.check_schema().unwrap();
    assert!(store.ping().await.is_ok());

    place.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    assert!(store.check_schema().is_err());
    assert_unavailable(&store).await;
    place.execute("DELETE FROM __diesel_schema_migrations WHERE version = '29991231000000'");
    assert_eq!(store.migrate().unwrap(), [""; 0]);
    assert!(store.ping().await.is_ok());
}

on_each_engine! {
    a_store_that_awaits_its_schema_serves_only_while_it_may_run_with_it,
    migrate_returns_the_names_of_its_migrations,
    an_older_or_newer_schema_is_refused,
    a_newer_migration_says_which_programs_may_run_with_it,
    a_database_of_the_first_version_is_brought_up_to_date,
    a_database_of_the_version_before_finds_each_sessions_records,
    the_totals_of_outcomes_are_counted_once,
    ;
    not on Citus:
    a_migration_that_fails_changes_nothing_and_tells_so_in_one_line,
    eight_stores_that_migrate_one_empty_database_at_once_all_succeed,
    the_migrations_go_up_and_down_and_up_again,
    records_survive_steps_down_and_up,
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_open_one_new_file_at_once_all_succeed() {
    for _ in 0..20 {
        let place = Place::file();
        let opened = at_once((0..8).map(|_| {
            let url = place.url();
            async move { Store::open(&url).map(drop).map_err(|error| error.to_string()) }
        }));
        assert_eq!(opened.await, vec![Ok(()); 8]);
    }
}
