//! A PostgreSQL server that takes TLS only.

use crate::cluster::Cluster;
use crate::node::Node;

/// A server with a database, and the database's URL up to the certificate it is verified by.
fn server() -> (Cluster, String) {
    let cluster = Cluster::with_tls();
    cluster.psql("postgres", "CREATE DATABASE liveness");
    let url = format!("{}?sslmode=verify-full&sslrootcert=", cluster.url("liveness"));
    (cluster, url)
}

fn assert_is_refused(url: &str, reason: &str) {
    let node = Node::start(url);

    assert_eq!((node.get("/health/ready"), node.get("/health/live")), (503, 200));
    let log = node.log();
    let line = log
        .lines()
        .find(|line| line.contains(" the database is out of reach: cannot "))
        .unwrap_or_default();
    println!("tls: {line}");
    assert!(line.contains(reason), "{log}");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn every_connection_to_a_server_that_is_verified_is_encrypted() {
    let (cluster, url) = server();

    let node = Node::start(&format!("{url}{}", cluster.ca_file().display()));
    node.wait_until_ready();
    let answer = node.submit(1, "session-1", "key-1").unwrap();

    assert_eq!(answer.codes(), (200, "00"));
    let connections = "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'liveness'";
    let encrypted = cluster.psql("liveness", &format!("SELECT count(*) > 0, bool_and(ssl) {connections}"));
    assert_eq!(encrypted, "t|t");
    let versions = format!("SELECT version, cipher, count(*) {connections} GROUP BY 1, 2");
    println!("tls: connections {}", cluster.psql("liveness", &versions));
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_that_takes_tls_only_refuses_a_node_without() {
    let (cluster, _) = server();

    assert_is_refused(&format!("{}?sslmode=disable", cluster.url("liveness")), "no encryption");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_that_cannot_be_verified_is_not_talked_to() {
    let (_cluster, url) = server();
    let (other, _) = server();

    assert_is_refused(
        &format!("{url}{}", other.ca_file().display()),
        "certificate verify failed",
    );
}
