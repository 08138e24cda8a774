//! A PostgreSQL server that goes away under load and comes back.

use std::thread;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::load::Load;
use crate::node::Node;

const OUTAGE: Duration = Duration::from_secs(2);

fn survives(title: &'static str, end: fn(&mut Cluster)) {
    let mut cluster = Cluster::start();
    cluster.psql("postgres", "CREATE DATABASE liveness");
    let mut node = Node::start(&cluster.url("liveness"));
    let (mut troubled, mut mended) = Default::default();

    let load = Load::during(&node, title, |load| {
        load.wait_for(200, 200);
        troubled = load.transcript.event("PostgreSQL is told to end");
        end(&mut cluster);
        load.transcript.event("PostgreSQL has ended");
        thread::sleep(OUTAGE);
        load.transcript.event("PostgreSQL is started again");
        cluster.start_again();
        mended = load.transcript.event("PostgreSQL accepts connections");
        load.wait_for(200, 500);
    });

    load.tell(troubled, mended);
    load.assert_answers();
    load.assert_records(|sql| cluster.psql("liveness", sql));
    assert!(node.is_running());
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_that_is_restarted_costs_no_record() {
    survives("restart: shut down, and started again", Cluster::stop);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_that_is_killed_costs_no_record() {
    survives("restart: killed, and started again", Cluster::kill);
}
