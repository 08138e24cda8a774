//! PgBouncer before a PostgreSQL server: it may keep the session of a connection, and may not change it.

use std::fs::{self, File};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

use crate::cluster::{Cluster, free_port};
use crate::node::{Node, SECRET, until};
use crate::trail_key_file::trail_key_file;

const REFUSAL: &str = "the database is behind a pooler that gives each transaction another session \
    (PgBouncer's pool_mode = transaction), so settings and prepared statements are lost; \
    connect to PostgreSQL itself, or set pool_mode = session";

/// A PgBouncer of the test's own on loopback. It ends with this.
struct Pooler {
    process: Child,
    port: u16,
}

impl Pooler {
    /// One in the folder of the server, with these settings.
    fn before(cluster: &Cluster, settings: &str) -> Self {
        let config = cluster.folder().join("pgbouncer.ini");
        let log = cluster.folder().join("pgbouncer.log");
        for _ in 0..20 {
            let port = free_port();
            let database = format!("liveness = host=127.0.0.1 port={} user=postgres", cluster.port());
            let own = format!("listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any");
            let ignored = "ignore_startup_parameters = extra_float_digits";
            let all = format!("[databases]\n{database}\n[pgbouncer]\n{own}\n{ignored}\n{settings}\n");
            fs::write(&config, all).unwrap();
            let started = cluster
                .server_command("pgbouncer", &config.display().to_string())
                .stdout(Stdio::null())
                .stderr(File::create(&log).unwrap())
                .spawn();
            let process = started.unwrap_or_else(|error| panic!("there is no pgbouncer ({error}): .ci/test gets one"));
            let mut pooler = Self { process, port };
            let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
            let mut ended = false;
            until(|| {
                ended = pooler.process.try_wait().unwrap().is_some();
                ended || listens()
            });
            if !ended {
                return pooler;
            }
            let log = fs::read_to_string(&log).unwrap();
            assert!(log.contains("already in use"), "PgBouncer does not start:\n{log}");
        }
        panic!("PgBouncer found no free port");
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/liveness", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn server() -> Cluster {
    let cluster = Cluster::start();
    cluster.psql("postgres", "CREATE DATABASE liveness");
    cluster
}

fn run(subcommand: &str, url: &str) -> Output {
    command(subcommand, url).output().unwrap()
}

fn command(subcommand: &str, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liveness-http"));
    command
        .arg(subcommand)
        .env_clear()
        .env("LIVENESS_JWT_SECRET", SECRET)
        .env("LIVENESS_BIND", "127.0.0.1:0")
        .env("LIVENESS_DATABASE_URL", url)
        .env("LIVENESS_TRAIL_KEY_FILE", trail_key_file());
    command
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_pooler_that_changes_the_session_is_refused() {
    let cluster = server();
    for settings in ["", "default_pool_size = 1", "server_round_robin = 1"] {
        let pooler = Pooler::before(&cluster, &format!("pool_mode = transaction\n{settings}"));

        let served = run("serve", &pooler.url());
        let told = run("doctor", &pooler.url());

        let line = String::from_utf8(served.stderr).unwrap();
        let report = String::from_utf8(told.stdout).unwrap();
        print!("pooler: {line}{report}");
        assert_eq!(
            (served.status.code(), told.status.code()),
            (Some(1), Some(1)),
            "{settings}"
        );
        let finding = format!("database: {REFUSAL}, or accept it: LIVENESS_ACCEPT=pooler");
        assert!(line.ends_with(&format!(": {finding}\n")), "{line}");
        let finding = format!("problem  {finding}");
        assert!(report.lines().any(|line| line == finding), "{report}");
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_pooler_that_lets_no_transaction_begin_is_named() {
    let cluster = server();
    let pooler = Pooler::before(&cluster, "pool_mode = statement");
    for subcommand in ["serve", "migrate", "doctor"] {
        for connections in ["1", "8"] {
            for accepted in ["", "pooler"] {
                let mut command = command(subcommand, &pooler.url());
                command.env("LIVENESS_DATABASE_CONNECTIONS", connections);
                if subcommand != "migrate" {
                    command.env("LIVENESS_ACCEPT", accepted);
                }
                let ended = command.output().unwrap();

                let told = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
                assert_eq!(ended.status.code(), Some(1), "{subcommand} {told}");
                let cause =
                    "(PgBouncer's pool_mode = statement), so nothing can be recorded; connect to PostgreSQL itself";
                let lines = told.lines().filter(|line| line.contains(cause));
                assert_eq!(lines.count(), 1, "{subcommand} {connections} {accepted}: {told}");
            }
        }
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_key_store_behind_such_a_pooler_is_told_by_its_own_setting() {
    let cluster = server();
    for mode in ["transaction", "statement"] {
        let pooler = Pooler::before(&cluster, &format!("pool_mode = {mode}"));
        for subcommand in ["serve", "migrate"] {
            let folder = tempfile::tempdir().unwrap();
            let mut command = command(subcommand, "sqlite://liveness.db");
            command.env("LIVENESS_FACE_KEYS", "file:face-keys");
            command.env("LIVENESS_KEYS_URL", pooler.url());
            let ended = command.current_dir(folder.path()).output().unwrap();

            let told = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(1), "{told}");
            let expected = "LIVENESS_KEYS_URL: the key store of the faces: the database is behind a pooler";
            assert!(told.lines().any(|line| line.contains(expected)), "{told}");
            assert!(told.contains(&format!("pool_mode = {mode}")), "{told}");
        }
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_pooler_that_keeps_the_session_serves() {
    let cluster = server();
    let pooler = Pooler::before(&cluster, "pool_mode = session");

    let node = Node::start(&pooler.url());
    node.wait_until_ready();
    let answer = node.submit(1, "session-1", "key-1").unwrap();

    assert_eq!(answer.codes(), (200, "00"));
    assert_eq!(node.total_count(), "1");
}
