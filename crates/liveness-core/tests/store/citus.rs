//! How Citus shards the tables: which rows lie together, and what becomes of those that were there before.

use std::collections::BTreeSet;

use liveness_core::events::{CHECK_JUDGED, CHECK_RECORDED};
use liveness_core::store::{CheckFilter, PageRequest, Store};
use liveness_core::{AuditEntry, CompletionRule};

use crate::database::{Database, Place};
use crate::events::{NAME, subscribe, taken};
use crate::migrations::{Step, go, migrate_eight_times_at_once, names};
use crate::recording::everything;
use crate::samples::{NOW, at, audit_entry, keyed, made_at, recording, with_face};

/// The tables that Citus knows, each with its kind and the column that shards it.
const TABLES: &str =
    "SELECT concat_ws(' ', table_name, citus_table_type, distribution_column) FROM citus_tables ORDER BY 1";

const SHARDED: [&str; 9] = [
    "liveness_attempts distributed self_service_user_id",
    "liveness_audit_entries distributed self_service_user_id",
    "liveness_check_totals distributed pre_registration_id",
    "liveness_checks distributed self_service_user_id",
    "liveness_events distributed self_service_user_id",
    "liveness_images distributed self_service_user_id",
    "liveness_issued_sessions distributed self_service_user_id",
    "liveness_sessions distributed session_id",
    "liveness_users reference <none>",
];

/// The sharded tables of the rows of users.
const OF_USERS: &str = "attempts|audit_entries|checks|events|images|issued_sessions";

/// How many groups there are of these tables. The shards of a group lie together.
fn groups(place: &Place, tables: &str) -> i64 {
    place.number(&format!(
        "SELECT count(DISTINCT colocation_id) FROM citus_tables \
         WHERE citus_table_type = 'distributed' AND table_name::text ~ '{tables}'"
    ))
}

/// The shards that hold rows of a user: each with its node and the beginning of its range.
fn shards_of(place: &Place, table: &str, user: i64) -> Vec<String> {
    place.texts(&format!(
        "SELECT groupid || ' ' || shardminvalue FROM run_command_on_shards('{table}', \
         'SELECT count(*) FROM %s WHERE self_service_user_id = {user}') AS asked \
         JOIN pg_dist_shard USING (shardid) JOIN pg_dist_placement USING (shardid) WHERE result <> '0'"
    ))
}

/// All that a store tells of what this test recorded.
async fn told(store: &Store) -> Vec<String> {
    let (checks, page) = (store.checks(), PageRequest { number: 1, size: 20 });
    let mut told = vec![
        format!("{:?}", store.trail().newest(20).await.unwrap()),
        format!("{:?}", store.users().get(3).await.unwrap()),
    ];
    for user in [1, 2, 3, 1234] {
        for rule in [CompletionRule::AnySuccessful, CompletionRule::LatestVerified] {
            told.push(format!("{:?}", checks.completing(user, rule).await.unwrap()));
            told.push(format!("{:?}", checks.completing_with_face(user, rule).await.unwrap()));
        }
        let of_user = CheckFilter {
            self_service_user_id: Some(user),
            ..CheckFilter::default()
        };
        told.push(format!("{:?}", checks.page(of_user, page).await.unwrap()));
    }
    let of_session = CheckFilter {
        session_id: Some("session-2".into()),
        ..CheckFilter::default()
    };
    let of_campaign = CheckFilter {
        pre_registration_id: Some(77),
        ..CheckFilter::default()
    };
    let failed = CheckFilter {
        from: Some(at(0)),
        is_successful: Some(false),
        ..CheckFilter::default()
    };
    for filter in [CheckFilter::default(), of_session, of_campaign, failed] {
        told.push(format!("{:?}", checks.page(filter, page).await.unwrap()));
    }
    for id in 1..=4 {
        told.push(format!("{:?}", checks.evidence(id).await.unwrap().unwrap()));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
async fn eight_stores_that_migrate_one_empty_database_at_once_shard_it_once() {
    let place = Place::citus();

    let outcomes = migrate_eight_times_at_once(&place);

    assert_eq!(outcomes, vec![Ok(()); 8]);
    assert_eq!(place.texts(TABLES), SHARDED);
    assert_eq!(groups(&place, OF_USERS), 1);
    assert_eq!(groups(&place, "liveness"), 3);
}

/// Migrates to the version before a migration, and shards the tables as that version did.
fn shard_as_before(place: &Place, migration: &str) {
    let older = names("postgres").into_iter().take_while(|name| name != migration);
    older.for_each(|_| go(place, Step::Up));
    place.execute(include_str!("../../src/store/tables/distribution.sql"));
    for later in ["liveness_issued_sessions", "liveness_attempts"] {
        place.execute(&format!(
            "SELECT create_distributed_table(to_regclass('{later}'), 'self_service_user_id', \
             colocate_with => 'liveness_checks') WHERE to_regclass('{later}') IS NOT NULL"
        ));
    }
}

/// Writes a record as versions did that knew no verdicts.
fn record_without_a_verdict(place: &Place, (user, session): (i64, &str)) {
    let columns = "self_service_user_id, session_id, is_successful, passed, has_image, created_at";
    for insert in [
        format!("liveness_sessions (session_id, self_service_user_id, created_at) VALUES ('{session}', {user}, {NOW})"),
        format!("liveness_checks ({columns}) VALUES ({user}, '{session}', TRUE, TRUE, FALSE, {NOW})"),
        "liveness_check_totals (pre_registration_id, is_successful, has_image, slot, checks) \
         VALUES (0, TRUE, FALSE, 0, 1)"
            .to_owned(),
    ] {
        place.execute(&format!("INSERT INTO {insert}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
async fn a_database_that_an_older_version_has_sharded_is_brought_up_to_date() {
    for migration in [
        "2026-11-30-100000_trail",
        "2026-11-30-180000_proof",
        "2026-12-01-100000_events",
    ] {
        let place = Place::citus();
        shard_as_before(&place, migration);
        record_without_a_verdict(&place, (1, "session-1"));

        let database = Database::from(place);

        assert_eq!(database.texts(TABLES), SHARDED, "{migration}");
        assert_eq!(groups(&database, OF_USERS), 1, "{migration}");
        subscribe(&database.store, NAME);
        let check = database.record(recording(1, "session-1")).await.check;
        database.record(recording(2, "session-2")).await;
        let told = taken(&database.store, NAME).into_iter();
        let told: Vec<_> = told.filter(|event| event.self_service_user_id == 1).collect();
        let types: Vec<_> = told.iter().map(|event| &*event.event_type).collect();
        assert_eq!(
            types,
            [CHECK_RECORDED, CHECK_JUDGED],
            "{migration}: the user had passed"
        );
        let page = PageRequest { number: 1, size: 10 };
        let all = database
            .store
            .checks()
            .page(CheckFilter::default(), page)
            .await
            .unwrap();
        assert_eq!((all.total, all.items.len(), check.id), (3, 3, 2), "{migration}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
async fn rows_of_a_table_that_is_not_sharded_yet_move_to_their_users() {
    let place = Place::citus();
    // The version that made the table of events sharded it only with all others.
    shard_as_before(&place, "2026-12-01-130000_open_sessions_index");
    assert_eq!(place.texts(TABLES).len(), SHARDED.len() - 1);
    let columns = "subscription, self_service_user_id, event_id, event_type, data, at, attempts, next_at, is_dead";
    for user in 1..=3 {
        place.execute(&format!(
            "INSERT INTO liveness_events ({columns}) VALUES ('{NAME}', {user}, 'evt_{user}', 'a', '{{}}', {NOW}, 0, 0, FALSE)"
        ));
    }
    place.execute(&format!(
        "INSERT INTO liveness_event_subscriptions VALUES ('{NAME}', '', 0, 0, FALSE)"
    ));

    let database = Database::from(place);

    assert_eq!(database.texts(TABLES), SHARDED);
    for user in 1..=3 {
        assert_eq!(shards_of(&database, "liveness_events", user).len(), 1);
    }
    let taken: BTreeSet<_> = taken(&database.store, NAME)
        .iter()
        .map(|event| event.self_service_user_id)
        .collect();
    assert_eq!(taken, BTreeSet::from([1, 2, 3]));
    assert_eq!(database.number("SELECT count(*) FROM liveness_events"), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
async fn the_rows_of_one_user_lie_together() {
    let database = Database::from(Place::citus());
    subscribe(&database.store, NAME);
    let mut places = BTreeSet::new();
    for user in 1..=20 {
        database
            .record(with_face(recording(user, &format!("session-{user}"))))
            .await;

        let shards = |table| shards_of(&database, table, user);
        let checks = shards("liveness_checks");

        assert_eq!(checks.len(), 1, "{checks:?}");
        for table in ["liveness_images", "liveness_audit_entries", "liveness_events"] {
            assert_eq!(shards(table), checks, "{table}");
        }
        places.extend(checks);
    }
    let nodes: BTreeSet<_> = places.iter().map(|place| place.split(' ').next()).collect();
    assert!(nodes.len() > 1, "{places:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
async fn what_was_recorded_before_citus_came_is_found_after_it() {
    let place = Place::citus();
    let nodes = place.texts("SELECT format('%L, %s', nodename, nodeport) FROM pg_dist_node ORDER BY groupid");
    place.execute("DROP EXTENSION citus");
    let plain = Database::from(place);
    plain.record(everything()).await;
    plain.record(keyed(1, "session-2", "key-1", "{}")).await;
    plain
        .record(made_at(NOW + 1, with_face(recording(1, "session-2"))))
        .await;
    plain.record(recording(2, "session-3")).await;
    let user = recording(3, "session-3").check.user;
    plain.store.users().add(user, audit_entry(3)).await.unwrap();
    let of_nobody = AuditEntry {
        self_service_user_id: None,
        ..audit_entry(1)
    };
    plain.store.trail().append(of_nobody).await.unwrap();
    let before = (told(&plain.store).await, plain.rows(), plain.totals());

    plain.execute("CREATE EXTENSION citus");
    plain.execute(&format!("SELECT citus_set_coordinator_host({})", nodes[0]));
    for worker in &nodes[1..] {
        plain.execute(&format!("SELECT citus_add_node({worker})"));
    }
    // A store asks only once whether Citus is there.
    let store = plain.open();
    store.migrate().unwrap();

    assert_eq!(plain.texts(TABLES), SHARDED);
    assert_eq!((told(&store).await, plain.rows(), plain.totals()), before);
    let replay = keyed(1, "session-2", "key-1", "{}");
    let replay = store.checks().record(replay).await.unwrap();
    assert_eq!((replay.is_replay, replay.check.id), (true, 2));
    let next = store.checks().record(recording(2, "session-3")).await.unwrap();
    assert_eq!((next.is_replay, next.check.id), (false, 5));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
async fn migrating_a_sharded_database_again_changes_nothing() {
    let database = Database::from(Place::citus());
    database.record(everything()).await;
    let shards = "SELECT concat_ws(' ', logicalrelid, shardid, groupid) FROM pg_dist_shard \
         JOIN pg_dist_placement USING (shardid) ORDER BY 1";
    let before = (database.texts(shards), database.rows(), database.totals());

    let ran = database.open().migrate().unwrap();

    assert_eq!(ran, [""; 0]);
    assert_eq!((database.texts(shards), database.rows(), database.totals()), before);
}
