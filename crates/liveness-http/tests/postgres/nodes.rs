//! Several nodes on one database.

use std::thread;

use crate::cluster::TestDatabase;
use crate::node::{Node, at_once};

const NODES: usize = 4;
const USERS: usize = 8;
const ROUNDS: usize = 10;

/// Nodes that were started at once, on an empty database.
fn nodes(database: &TestDatabase) -> Vec<Node> {
    let url = database.url();
    let nodes = at_once(NODES, |_| Node::start(&url));
    nodes.iter().for_each(Node::wait_until_ready);
    nodes
}

fn assert_counted(database: &TestDatabase, nodes: &[Node], records: usize) {
    assert_eq!(
        database.sql("SELECT count(*) FROM liveness_checks"),
        records.to_string()
    );
    for node in nodes {
        assert_eq!(node.total_count(), records.to_string());
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn nodes_that_start_at_once_migrate_once() {
    let database = TestDatabase::create();

    let nodes = nodes(&database);

    let log: String = nodes.iter().map(Node::log).collect();
    let migrations = database.sql("SELECT count(*) FROM __diesel_schema_migrations");
    let migrated = log.matches("migrated the database to").count().to_string();
    println!("nodes: {migrations} migrations, {migrated} applied by {NODES} nodes");
    assert_eq!(migrated, migrations, "{log}");
    assert!(nodes.iter().all(|node| node.complaints().is_empty()), "{log}");
    let tables = "SELECT count(*), count(DISTINCT table_name) FROM information_schema.tables \
                  WHERE table_name LIKE 'liveness\\_%'";
    assert_eq!(database.sql(tables), "22|22");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_session_raced_for_across_nodes_belongs_to_one_user() {
    let database = TestDatabase::create();
    let nodes = nodes(&database);

    for round in 0..ROUNDS {
        let session = format!("contested-{round}");
        let answers = at_once(USERS, |user| {
            let node = &nodes[user % NODES];
            node.submit(user as i64 + 1, &session, &format!("key-{round}")).unwrap()
        });
        let count = |codes| answers.iter().filter(|answer| answer.codes() == codes).count();
        assert_eq!((count((200, "00")), count((409, "94"))), (1, USERS - 1), "{answers:#?}");
    }

    assert_counted(&database, &nodes, ROUNDS);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_key_used_on_all_nodes_at_once_records_once() {
    let database = TestDatabase::create();
    let nodes = nodes(&database);

    for round in 0..ROUNDS {
        let answers = at_once(USERS * NODES, |index| {
            let (user, node) = (index % USERS, &nodes[index / USERS]);
            node.submit(
                user as i64 + 1,
                &format!("session-{user}-{round}"),
                &format!("key-{round}"),
            )
            .unwrap()
        });
        for user in 0..USERS {
            let of_user: Vec<_> = answers.iter().skip(user).step_by(USERS).collect();
            let are_equal = of_user.iter().all(|answer| answer.json == of_user[0].json);
            assert!(
                are_equal && of_user.iter().all(|answer| answer.codes() == (200, "00")),
                "{of_user:#?}"
            );
        }
    }

    assert_counted(&database, &nodes, USERS * ROUNDS);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn what_all_nodes_record_at_once_is_counted_by_all() {
    let database = TestDatabase::create();
    let nodes = nodes(&database);

    thread::scope(|scope| {
        for (number, node) in nodes.iter().enumerate() {
            for user in 1..=USERS as i64 {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let name = format!("{number}-{user}-{round}");
                        let answer = node.submit(user, &name, &name).unwrap();
                        assert_eq!(answer.codes(), (200, "00"));
                    }
                });
            }
        }
    });

    assert_counted(&database, &nodes, NODES * USERS * ROUNDS);
}
