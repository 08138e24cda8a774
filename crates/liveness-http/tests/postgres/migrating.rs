//! Nodes that start while other sessions of the database are in the way of a migration.

use std::thread;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::cluster::Cluster;
use crate::node::{Node, until};

/// The advisory lock of a migration.
const LOCK: &str = "SELECT pg_advisory_lock(5496712038112)";

/// A session of a role to which nothing was granted.
fn stranger(cluster: &Cluster) -> PgConnection {
    cluster.psql("postgres", "CREATE ROLE stranger LOGIN");
    let url = cluster.url("liveness").replace("postgres@", "stranger@");
    PgConnection::establish(&format!("{url}?application_name=curious")).unwrap()
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_node_that_cannot_migrate_yet_says_who_holds_it_up_and_hears_signals() {
    let cluster = Cluster::start();
    cluster.psql("postgres", "CREATE DATABASE liveness");
    let mut stranger = stranger(&cluster);
    stranger.batch_execute(LOCK).unwrap();

    let mut stopped = Node::start(&cluster.url("liveness"));
    let node = Node::start(&cluster.url("liveness"));

    for node in [&stopped, &node] {
        assert_eq!((node.get("/health/live"), node.get("/health/ready")), (200, 503));
        let answer = node.submit(1, "session-1", "key-1").unwrap();
        assert!(answer.is_come_again(), "{answer:?} {}", node.log());
        let told = "the migration waits for other sessions of the database: process ";
        assert!(node.log().contains(told), "{}", node.log());
        let by_whom = "(role stranger, application \"curious\")";
        assert!(node.log().contains(by_whom), "{}", node.log());
    }
    assert_eq!(stopped.terminate(), Some(0), "{}", stopped.log());
    stranger.batch_execute("SELECT pg_advisory_unlock_all()").unwrap();
    node.wait_until_ready();
    assert_eq!(node.submit(1, "session-1", "key-1").unwrap().codes(), (200, "00"));

    // With nothing to migrate, nobody is in the way.
    stranger.batch_execute(LOCK).unwrap();
    let another = Node::start(&cluster.url("liveness"));
    assert_eq!(another.get("/health/ready"), 200, "{}", another.log());
    assert!(!another.log().contains("the migration waits"), "{}", another.log());
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_migration_that_waits_for_a_table_lets_others_use_it() {
    let cluster = Cluster::start();
    cluster.psql("postgres", "CREATE DATABASE liveness");
    Node::start(&cluster.url("liveness")).wait_until_ready();
    // Takes a migration back that drops indexes, so that a node has it to run.
    for sql in [
        "DELETE FROM __diesel_schema_migrations WHERE version = '20261129120500'",
        "CREATE INDEX liveness_checks_newest ON liveness_checks (id)",
        "CREATE INDEX liveness_checks_pre_registered ON liveness_checks (pre_registration_id)",
    ] {
        cluster.psql("liveness", sql);
    }
    let mut reader = PgConnection::establish(&cluster.url("liveness")).unwrap();
    reader
        .batch_execute("BEGIN; SELECT count(*) FROM liveness_checks")
        .unwrap();

    let node = Node::start(&cluster.url("liveness"));
    assert!(until(|| node.log().contains("the migration waits")), "{}", node.log());
    thread::scope(|scope| {
        // Waits behind the migration at most until its lock times out.
        let read = scope.spawn(|| cluster.psql("liveness", "SELECT count(*) FROM liveness_checks"));
        assert_eq!(read.join().unwrap(), "0");
    });
    assert_eq!(node.get("/health/ready"), 503);

    reader.batch_execute("ROLLBACK").unwrap();
    node.wait_until_ready();
}
