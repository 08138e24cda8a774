//! Commands in the documents are run as they stand there, each chapter in a folder of its own, with the binary in `PATH`.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use liveness_core::FaceImage;

use super::blocks;
use crate::engine::Engine;
use crate::server::{FACE, Server, customer, report};

/// Where the documents say that a host listens.
const ADDRESS: &str = "127.0.0.1:8080";

/// What a heading of a document has below it, to the next of its rank.
pub fn chapter<'a>(document: &'a str, heading: &str) -> &'a str {
    let rank = heading.split(' ').next().unwrap();
    let below = document.split(&format!("\n{heading}\n")).nth(1).unwrap();
    let below = below.split(&format!("\n{rank} ")).next().unwrap();
    // A heading of a higher rank ends it too.
    below.split("\n## ").next().unwrap()
}

/// Runs the commands below a heading as one script, in a folder, and gives back what they print.
fn run(document: &str, heading: &str, folder: &Path, settings: &[(&str, String)]) -> String {
    let text = blocks::read(document);
    let commands = blocks::of(chapter(&text, heading), "sh").concat();
    assert!(!commands.is_empty(), "there are no commands");
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    // Whatever it leaves running ends with it.
    let script = format!("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{commands}");
    let programs = Path::new(env!("CARGO_BIN_EXE_liveness-http")).parent().unwrap();
    let postgres = std::env::var("LIVENESS_TEST_POSTGRES_BIN").unwrap_or_default();
    let path = format!("{}:{postgres}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash")
        .envs([("PATH", &path), ("LIVENESS_BIND", &free)])
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let script = script.replace(ADDRESS, &free);
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let done = shell.wait_with_output().unwrap();
    let printed = String::from_utf8(done.stdout).unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{document}, {heading}: {told}\n{printed}");
    printed
}

#[test]
#[ignore = "needs curl: .ci/test"]
fn the_curl_lines_for_clients_are_answered() {
    let folder = tempfile::tempdir().unwrap();

    let printed = run("docs/clients.md", "## Try it with curl", folder.path(), &[]);

    // The readiness, and each message.
    assert_eq!(
        printed.matches(r#"{"isSuccessful":true,"statusCode":"00""#).count(),
        6,
        "{printed}"
    );
}

#[test]
fn the_subcommands_do_what_operators_are_told() {
    let folder = tempfile::tempdir().unwrap();

    let printed = run("docs/operations.md", "## The command line", folder.path(), &[]);

    assert!(printed.contains("GetLivenessCheckQuery"), "{printed}");
    assert!(folder.path().join("checks.csv").exists());
}

/// A server that has made a few records, and has ended.
pub fn with_records(engine: Engine) -> Server {
    let mut server = Server::start(engine);
    let face = FaceImage::from_bytes(FACE.to_vec()).unwrap().to_data_uri();
    for user in 1..=3 {
        let mut body = report(&format!("session-{user}"), true);
        body["imageBase64"] = face.clone().into();
        let answer = server.send("SubmitLivenessCheckCommand", &customer(user), &body);
        assert_eq!(answer.codes(), (200, "00"));
    }
    server.signal("TERM");
    assert!(server.wait().success());
    server
}

fn is_whole(folder: &Path, export: &str) {
    let lines = std::fs::read_to_string(folder.join(export)).unwrap();
    assert_eq!(
        lines
            .lines()
            .filter(|line| line.contains("data:image/jpeg;base64,"))
            .count(),
        3,
        "{lines}"
    );
}

#[test]
#[ignore = "needs sqlite3: .ci/test"]
fn a_backup_of_sqlite_is_whole() {
    let server = with_records(Engine::Sqlite);
    let folder = server.database().folder();

    let printed = run("docs/operations.md", "### SQLite", folder, &[]);

    assert!(printed.contains("ok\n"), "{printed}");
    is_whole(folder, "backup.ndjson");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_backup_of_postgres_is_whole() {
    let server = with_records(Engine::Postgres);
    let folder = server.database().folder();
    let url = server.database().postgres().unwrap().url();
    let address = url.split_once('@').unwrap().1.split('/').next().unwrap();
    let (host, port) = address.split_once(':').unwrap();
    let settings = [
        ("LIVENESS_DATABASE_URL", url.clone()),
        ("PGHOST", host.to_owned()),
        ("PGPORT", port.to_owned()),
        ("PGUSER", "postgres".to_owned()),
    ];

    run("docs/operations.md", "### PostgreSQL", folder, &settings);

    is_whole(folder, "restored.ndjson");
}
