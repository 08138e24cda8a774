//! A PostgreSQL server that keeps its connections and answers nothing.

use std::thread;
use std::time::Duration;

use diesel::PgConnection;
use diesel::connection::{Connection as _, SimpleConnection as _};

use crate::cluster::{Cluster, TestDatabase};
use crate::load::Load;
use crate::node::{Node, until};

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

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn fifty_who_ask_whether_it_is_ready_are_one_question_to_the_database() {
    const ASKING: usize = 50;
    let database = TestDatabase::create();
    let node = Node::start(&database.url());
    node.wait_until_ready();
    let mut holder = PgConnection::establish(&database.url()).unwrap();
    let lock = "BEGIN; LOCK TABLE liveness_checks IN ACCESS EXCLUSIVE MODE";
    holder.batch_execute(lock).unwrap();

    thread::scope(|scope| {
        let asked: Vec<_> = (0..ASKING).map(|_| scope.spawn(|| node.get("/health/ready"))).collect();
        // Each asks on a connection of its own, and one more asks for the metrics.
        assert!(until(|| node.metric("liveness_connections") > ASKING as f64));
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT 1%'";
        assert_eq!(database.sql(waiting), "1");
        assert_eq!(node.metric("liveness_database_waiting_reads"), 0.0);
        holder.batch_execute("COMMIT").unwrap();
        for asked in asked {
            assert_eq!(asked.join().unwrap(), 200);
        }
    });
}
