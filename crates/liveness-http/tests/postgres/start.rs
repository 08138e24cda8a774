//! A node that is started before its database.

use std::thread;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::node::{Node, until};
use crate::transcript::Transcript;

fn assert_waits(node: &Node, transcript: &Transcript) {
    assert_eq!((node.get("/health/ready"), node.get("/health/live")), (503, 200));
    transcript.event("/health/ready 503, /health/live 200");
    let answer = node.submit(1, "session-1", "key-1").unwrap();
    assert!(answer.is_come_again(), "{answer:?}");
    transcript.event(format!(
        "submit: {:?}, Retry-After: {:?}",
        answer.codes(),
        answer.retry_after
    ));
    // Some tries more.
    thread::sleep(Duration::from_secs(3));
    for line in node.complaints() {
        transcript.event(format!("logged before: {line}"));
    }
}

fn assert_works(node: &mut Node, transcript: &Transcript) {
    node.wait_until_ready();
    transcript.event("ready");
    let answer = node.submit(1, "session-1", "key-1").unwrap();
    transcript.event(format!("submit: {:?}", answer.codes()));
    transcript.print();
    assert_eq!(answer.codes(), (200, "00"));
    assert_eq!(node.total_count(), "1");
    assert!(node.is_running());
    // It is told once, however often it tries.
    assert_eq!(node.log().matches(" not ready: ").count(), 1, "{}", node.log());
    assert!(!node.log().contains("hunter2"), "{}", node.log());
}

fn with_password(cluster: &Cluster) -> String {
    cluster.url("liveness").replace("postgres@", "postgres:hunter2@")
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_node_waits_for_a_server_that_is_not_there_yet() {
    let mut cluster = Cluster::start();
    cluster.psql("postgres", "CREATE DATABASE liveness");
    cluster.stop();
    let transcript = Transcript::of("start: PostgreSQL is not running");

    let mut node = Node::start(&with_password(&cluster));
    transcript.event("listens");
    assert_waits(&node, &transcript);
    cluster.start_again();
    transcript.event("started PostgreSQL");

    assert_works(&mut node, &transcript);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_node_waits_for_a_database_that_is_not_there_yet() {
    let cluster = Cluster::start();
    let transcript = Transcript::of("start: there is no database of that name");

    let mut node = Node::start(&with_password(&cluster));
    transcript.event("listens");
    assert_waits(&node, &transcript);
    cluster.psql("postgres", "CREATE DATABASE liveness");
    transcript.event("made the database");

    assert_works(&mut node, &transcript);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_danger_that_is_found_when_the_server_is_there_at_last_keeps_the_node_from_serving() {
    let mut cluster = Cluster::start();
    cluster.psql("postgres", "CREATE DATABASE liveness");
    Node::start(&cluster.url("liveness")).wait_until_ready();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')";
    cluster.psql("liveness", newer);
    cluster.stop();

    let node = Node::start(&cluster.url("liveness"));
    cluster.start_again();
    let danger = "not ready: records could be lost or given away: schema: it is newer";
    assert!(until(|| node.log().contains(danger)), "{}", node.log());

    assert_eq!(node.get("/health/ready"), 503);
    let answer = node.submit(1, "session-1", "key-1").unwrap();
    assert!(answer.is_come_again(), "{answer:?}");
    cluster.psql(
        "liveness",
        "DELETE FROM __diesel_schema_migrations WHERE version = '29991231000000'",
    );
    node.wait_until_ready();
    assert_eq!(node.submit(1, "session-1", "key-1").unwrap().codes(), (200, "00"));
}
