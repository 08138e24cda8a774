//! A primary that dies, and its synchronous standby that takes over.

use crate::cluster::Cluster;
use crate::load::Load;
use crate::node::Node;

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_standby_that_takes_over_has_every_acknowledged_record() {
    let mut primary = Cluster::start();
    primary.psql("postgres", "CREATE DATABASE liveness");
    let mut standby = primary.standby("standby");
    primary.make_synchronous("standby");
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port(), standby.port());
    let mut node = Node::start(&format!(
        "postgres://postgres@{hosts}/liveness?target_session_attrs=read-write"
    ));
    let (mut troubled, mut mended) = Default::default();

    let load = Load::during(&node, "failover: the primary killed, the standby promoted", |load| {
        load.wait_for(200, 200);
        troubled = load.transcript.event("the primary is killed");
        primary.kill();
        load.transcript.event("the standby is promoted");
        standby.promote();
        mended = load.transcript.event("the standby is a primary");
        load.wait_for(200, 500);
    });

    load.tell(troubled, mended);
    load.assert_answers();
    load.assert_records(|sql| standby.psql("liveness", sql));
    assert!(node.is_running());
}
