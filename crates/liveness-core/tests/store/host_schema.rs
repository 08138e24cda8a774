//! A backend on PostgreSQL may keep our tables in a schema of their own.

use diesel::RunQueryDsl as _;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use liveness_core::store::{CheckFilter, PageRequest, PostgresPool, PostgresSettings, Store};

use crate::database::Place;
use crate::host_pool::{AsTheyCome, INVOICES, postgres_pool};
use crate::samples::{at_once, recording};

/// A name of a schema that needs quoting in every way.
const ODD: &str = "the bank's \"own\", Really";

fn pool_in(place: &Place, schema: &str) -> PostgresPool {
    postgres_pool(place, 2, PostgresSettings::in_schema(schema))
}

/// A migrated store with its tables in that schema.
fn store_on(pool: &PostgresPool, schema: &str) -> Store {
    let store = Store::from_postgres_pool(pool.clone(), PostgresSettings::in_schema(schema)).unwrap();
    store.migrate().unwrap();
    store
}

/// The names of all tables, each with its schema.
fn tables(place: &Place) -> Vec<String> {
    let of_users = "NOT IN ('pg_catalog', 'information_schema')";
    place.texts(&format!(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname {of_users} ORDER BY 1"
    ))
}

async fn totals(store: &Store) -> i64 {
    let page = PageRequest { number: 1, size: 1 };
    store.checks().page(CheckFilter::default(), page).await.unwrap().total
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn our_tables_are_in_the_schema_and_the_hosts_where_they_were() {
    let place = Place::server();
    place.execute(INVOICES);
    let pool = pool_in(&place, "liveness");

    let store = store_on(&pool, "liveness");
    store.checks().record(recording(1, "session-1")).await.unwrap();

    let expected = [
        "liveness.__diesel_schema_migrations",
        "liveness.liveness_attempts",
        "liveness.liveness_audit_entries",
        "liveness.liveness_audit_lists",
        "liveness.liveness_check_totals",
        "liveness.liveness_checks",
        "liveness.liveness_decisions",
        "liveness.liveness_entry_erasures",
        "liveness.liveness_event_subscriptions",
        "liveness.liveness_events",
        "liveness.liveness_face_erasures",
        "liveness.liveness_images",
        "liveness.liveness_issued_sessions",
        "liveness.liveness_jobs",
        "liveness.liveness_legal_holds",
        "liveness.liveness_sessions",
        "liveness.liveness_trail_checkpoints",
        "liveness.liveness_trail_head",
        "liveness.liveness_trail_runs",
        "liveness.liveness_trail_tiles",
        "liveness.liveness_trail_writers",
        "liveness.liveness_user_erasures",
        "liveness.liveness_users",
        "public.invoices",
    ];
    assert_eq!(tables(&place), expected);
    let invoices = sql::<BigInt>("SELECT count(*) FROM invoices");
    assert_eq!(invoices.get_result(&mut pool.get().unwrap()), Ok(3_i64));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_host_that_migrates_by_diesel_too_keeps_its_own_list_of_migrations() {
    let place = Place::server();
    place.execute(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY, run_on TIMESTAMP NOT NULL DEFAULT now()); \
         INSERT INTO __diesel_schema_migrations VALUES ('20200101000000')",
    );
    let pool = pool_in(&place, "liveness");

    store_on(&pool, "liveness");

    let versions = "SELECT string_agg(version, ' ') FROM __diesel_schema_migrations";
    assert_eq!(place.texts(versions), ["20200101000000"]);
    let count = sql::<BigInt>("SELECT count(*) FROM __diesel_schema_migrations");
    assert_eq!(count.get_result(&mut pool.get().unwrap()), Ok(1_i64));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn stores_in_two_schemas_of_one_database_do_not_see_each_other() {
    let place = Place::server();
    let (one, other) = (pool_in(&place, "one"), pool_in(&place, ODD));
    let (one, other) = (store_on(&one, "one"), store_on(&other, ODD));

    let first = one.checks().record(recording(1, "session-1")).await.unwrap();
    let before = totals(&other).await;
    let same_session = other.checks().record(recording(2, "session-1")).await.unwrap();

    assert_eq!((first.check.id, same_session.check.id), (1, 1));
    assert_eq!((before, totals(&one).await, totals(&other).await), (0, 1, 1));
    assert_eq!(tables(&place).len(), 46);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn eight_stores_that_make_one_schema_at_once_all_succeed() {
    let place = Place::server();
    let pool = postgres_pool(&place, 8, PostgresSettings::in_schema("liveness"));
    let stores = (0..8).map(|_| {
        let settings = PostgresSettings::in_schema("liveness");
        Store::from_postgres_pool(pool.clone(), settings).unwrap()
    });

    let migrations = stores.map(|store| async move { store.migrate().map(drop).map_err(|error| error.to_string()) });

    assert_eq!(at_once(migrations).await, vec![Ok(()); 8]);
    assert_eq!(tables(&place).len(), 23);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_pool_without_the_settings_is_refused_by_what_it_needs() {
    let place = Place::server();
    let needs = "they need the store's PostgresSettings as their customizer";
    let refused = |pool, settings| Store::from_postgres_pool(pool, settings).unwrap_err().to_string();

    let plain = refused(postgres_pool(&place, 1, AsTheyCome), PostgresSettings::default());
    let elsewhere = refused(pool_in(&place, "one"), PostgresSettings::in_schema("other"));

    let have = "the database's connections have lock_timeout";
    assert_eq!(plain, format!("{have}=0 and search_path=\"$user\", public; {needs}"));
    assert_eq!(
        elsewhere,
        format!("{have}=4s and search_path=\"$user\", public, \"one\"; {needs}")
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_schema_that_another_hides_is_refused() {
    let place = Place::server();
    let (first, second) = (PostgresSettings::default(), PostgresSettings::in_schema("other"));
    let store = Store::from_postgres_pool(postgres_pool(&place, 2, first.clone()), first).unwrap();
    store.migrate().unwrap();
    let hidden = Store::from_postgres_pool(postgres_pool(&place, 2, second.clone()), second).unwrap();

    let refused = hidden.migrate().unwrap_err().to_string();

    let expected = "cannot migrate the database: schema public, which comes before other in the search path, has \
         liveness tables of its own";
    assert_eq!(refused, expected);
}
