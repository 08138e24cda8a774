//! A PostgreSQL server that keeps its connections and answers nothing.

use std::thread;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::load::Load;
use crate::node::Node;

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_that_hangs_costs_no_record_and_no_patience() {
    let cluster = Cluster::start();
    cluster.psql("postgres", "CREATE DATABASE liveness");
    let mut node = Node::start(&cluster.url("liveness"));
    let (mut troubled, mut mended) = Default::default();

    let load = Load::during(&node, "hung: suspended, and resumed", |load| {
        load.wait_for(200, 200);
        cluster.suspend();
        troubled = load.transcript.event("suspended PostgreSQL");
        load.wait_for(503, 8);
        assert_eq!(node.get("/health/live"), 200);
        load.transcript.event("eight submits answered 503, /health/live 200");
        thread::sleep(Duration::from_secs(6));
        assert_eq!((node.get("/health/live"), node.get("/health/ready")), (200, 503));
        load.transcript.event("/health/live 200, /health/ready 503");
        cluster.resume();
        mended = load.transcript.event("resumed PostgreSQL");
        load.wait_for(200, 500);
    });

    load.tell(troubled, mended);
    load.assert_answers();
    load.assert_records(|sql| cluster.psql("liveness", sql));
    assert!(node.is_running());
}
