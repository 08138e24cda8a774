//! How Citus shards the tables: which rows lie together, and what becomes of those that were there before.

use std::collections::BTreeSet;

use liveness_core::store::{CheckFilter, PageRequest, Store};
use liveness_core::{AuditEntry, CompletionRule};

use crate::database::{Database, Place};
use crate::migrations::migrate_eight_times_at_once;
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
    assert_eq!(groups(&place, "checks|images|audit_entries|issued_sessions"), 1);
    assert_eq!(groups(&place, "liveness"), 3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
async fn a_database_that_an_older_version_has_sharded_gets_the_shards_of_later_tables() {
    let database = Database::from(Place::citus());
    database.record(recording(1, "session-1")).await;
    for table in ["liveness_attempts", "liveness_issued_sessions"] {
        database.execute(&format!("SELECT undistribute_table('{table}')"));
    }
    assert_eq!(database.texts(TABLES).len(), SHARDED.len() - 2);

    assert_eq!(database.store.migrate().unwrap(), [""; 0]);

    assert_eq!(database.texts(TABLES), SHARDED);
    assert_eq!(groups(&database, "checks|attempts|issued_sessions"), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Citus: LIVENESS_TEST_CITUS"]
async fn the_rows_of_one_user_lie_together() {
    let database = Database::from(Place::citus());
    let mut places = BTreeSet::new();
    for user in 1..=20 {
        database
            .record(with_face(recording(user, &format!("session-{user}"))))
            .await;

        let shards = |table| shards_of(&database, table, user);
        let [checks, images, entries] = ["liveness_checks", "liveness_images", "liveness_audit_entries"].map(shards);

        assert_eq!(checks.len(), 1, "{checks:?}");
        assert_eq!((&images, &entries), (&checks, &checks));
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
