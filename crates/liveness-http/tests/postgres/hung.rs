//! A PostgreSQL server that keeps its connections and answers nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use socket2::SockRef;

use crate::cluster::Cluster;
use crate::load::Load;
use crate::node::{Node, at_once, until};

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

/// What the node asks to know whether the database can be read.
const PING: &str = "SELECT 1 FROM liveness_checks LIMIT 1";
/// More than the node has connections to the database.
const STRANGERS: usize = 200;
const ASKS: &[u8] = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A stranger who has asked whether the node is ready, and waits.
fn ask(node: &Node) -> TcpStream {
    let mut stranger = TcpStream::connect(node.address()).unwrap();
    stranger.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stranger.write_all(ASKS).unwrap();
    stranger
}

/// Goes away, so that the node is told at once that nobody is there any more.
fn leave(stranger: TcpStream) {
    SockRef::from(&stranger).set_linger(Some(Duration::ZERO)).unwrap();
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn strangers_who_ask_a_node_whose_database_hangs_share_a_ping_and_are_all_answered() {
    let cluster = Cluster::with(&[("log_statement", "all")]);
    cluster.psql("postgres", "CREATE DATABASE liveness");
    let mut node = Node::start(&cluster.url("liveness"));
    node.wait_until_ready();
    assert_eq!(node.submit(1, "before", "before").unwrap().codes(), (200, "00"));
    let pings = || {
        let log = std::fs::read_to_string(cluster.folder().join("log")).unwrap();
        log.matches(PING).count()
    };
    let waiting =
        format!("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '{PING}%'");
    let waiting = || cluster.psql("postgres", &waiting).parse::<usize>().unwrap();
    let mut locker = PgConnection::establish(&cluster.url("liveness")).unwrap();
    locker
        .batch_execute("BEGIN; LOCK TABLE liveness_checks IN ACCESS EXCLUSIVE MODE")
        .unwrap();

    // The result of a ping of a moment ago is still given to others.
    let mut leavers = Vec::new();
    let asks_anew = until(|| {
        leavers.push(ask(&node));
        waiting() > 0
    });
    assert!(asks_anew, "nobody's ping waits for the lock");
    let before = pings();
    for stranger in leavers.into_iter().chain((0..STRANGERS).map(|_| ask(&node))) {
        leave(stranger);
    }
    let answers = at_once(STRANGERS, |_| {
        let (mut stranger, mut answer) = (ask(&node), String::new());
        stranger.read_to_string(&mut answer).unwrap();
        answer
    });
    let sent = pings() - before;

    for answer in answers {
        assert!(
            answer.starts_with("HTTP/1.1 503 ") && answer.contains(r#""statusCode":"91""#),
            "{answer}"
        );
    }
    // One was under way, and another may follow it for those who came after its end.
    assert!(
        sent <= 2,
        "{STRANGERS} strangers who stay, and as many who leave, cost {sent} pings"
    );
    assert!(waiting() <= 1);
    assert_eq!(node.get("/health/live"), 200);

    locker.batch_execute("ROLLBACK").unwrap();
    node.wait_until_ready();
    assert_eq!(node.submit(1, "after", "after").unwrap().codes(), (200, "00"));
    assert!(node.is_running());
}
