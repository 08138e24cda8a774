//! Commands in the documents are run as they stand there, each chapter in a folder of its own, with the binary in `PATH`;
//! those that need cargo, npm or systemd are run by `.ci/run`.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use liveness_core::FaceImage;
use serde_json::json;

use super::blocks;
use crate::engine::Engine;
use crate::server::{FACE, Server, admin, customer, report, token};

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

/// Runs the commands below a heading, in a folder, and gives back what they print.
fn run(document: &str, heading: &str, folder: &Path, settings: &[(&str, String)]) -> String {
    let text = blocks::read(document);
    let commands = blocks::of(chapter(&text, heading), "sh").concat();
    assert!(!commands.is_empty(), "there are no commands");
    run_script(&commands, folder, settings)
}

/// Runs commands as one script.
fn run_script(commands: &str, folder: &Path, settings: &[(&str, String)]) -> String {
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
    assert!(done.status.success(), "{commands}\n{told}\n{printed}");
    printed
}

/// The headings of a document that have commands below them.
fn headings_of_commands(text: &str) -> Vec<&str> {
    let (mut heading, mut is_fenced, mut found) = ("", false, Vec::new());
    for line in text.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
            if line == "```sh" {
                found.push(heading);
            }
        } else if !is_fenced && line.starts_with('#') {
            heading = line;
        }
    }
    found
}

#[test]
fn every_command_is_run_by_a_test_or_by_ci() {
    let tests = include_str!("commands.rs");
    let ci = [".ci/run", ".ci/package", ".ci/typescript"].map(blocks::read).concat();
    // All of docs/api.md is run.
    let documents = [
        "README.md",
        "docs/clients.md",
        "docs/embedding.md",
        "docs/operations.md",
    ];
    for document in documents {
        for heading in headings_of_commands(&blocks::read(document)) {
            let is_run = tests.contains(&format!("run(\"{document}\", \"{heading}\","))
                || ci.contains(&format!(".ci/commands {document} '{heading}'"));
            assert!(is_run, "nothing runs what {document} has below {heading}");
        }
    }
}

#[test]
fn the_policy_is_printed_by_the_commands_that_print_it() {
    let folder = tempfile::tempdir().unwrap();

    let printed = run("docs/operations.md", "## Policy", folder.path(), &[]);

    assert!(
        printed.contains("faces_a_day = \"off\"") && printed.contains("faces_a_day = 200"),
        "{printed}"
    );
}

#[test]
fn the_commands_of_jobs_run_on_a_new_database() {
    let folder = tempfile::tempdir().unwrap();

    let printed = run("docs/operations.md", "## Jobs", folder.path(), &[]);

    assert!(printed.contains("no job") || printed.contains("0 jobs"), "{printed}");
}

#[test]
fn the_commands_of_webhooks_run_on_a_new_database() {
    let folder = tempfile::tempdir().unwrap();

    let printed = run("docs/operations.md", "## Webhooks", folder.path(), &[]);

    assert!(printed.contains("0 events are sent again"), "{printed}");
    let secret = std::fs::read_to_string(folder.path().join("webhook-secret")).unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
}

#[test]
#[ignore = "needs curl: .ci/test"]
fn the_command_that_deploys_it_serves_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let text = blocks::read("README.md");
    let command = blocks::of(chapter(&text, "## Deploy it"), "text").concat();
    // It leaves open the key, and the folder is not ours.
    let command = command
        .replace('…', &"k".repeat(32))
        .replace("/var/lib/liveness", folder.path().to_str().unwrap());
    let ready = format!("curl -sf http://{ADDRESS}/health/ready");

    let script = format!(
        "{} &\nuntil {ready}; do kill -0 $!; sleep 0.2; done\nkill $!\nwait $!",
        command.trim()
    );
    run_script(&script, folder.path(), &[]);

    assert!(folder.path().join("liveness.db").exists());
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
#[ignore = "needs curl: .ci/test"]
fn the_curl_lines_of_the_contract_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Engine::Sqlite);
    // The contract's own record is the 42nd.
    for record in 1..42 {
        let answer = server.send(
            "UpdateLivenessCheckCommand",
            &customer(1),
            &report(&record.to_string(), true),
        );
        assert_eq!(answer.codes(), (200, "00"));
    }
    let mut body = report("sdk-session-abc123", true);
    body["imageBase64"] = FaceImage::from_bytes(FACE.to_vec()).unwrap().to_data_uri().into();
    std::fs::write(folder.path().join("submit.json"), body.to_string()).unwrap();
    let all = token(&json!({ "sub": "1234", "role": ["customer", "admin", "officer", "auditor"] }));

    let commands = blocks::of(&blocks::read("docs/api.md"), "sh").concat();
    let commands = commands.replace(ADDRESS, server.address());
    // Nobody decides about a record of their own, or unlocks themselves.
    let by_another = |commands: String, command: &str| {
        let head = format!("{command} \\\n  -H \"Authorization: Bearer $");
        commands.replace(&format!("{head}TOKEN"), &format!("{head}ADMIN"))
    };
    let commands = ["ReviewLivenessCheckCommand", "UnlockUserCommand"]
        .into_iter()
        .fold(commands, by_another);
    let admin = token(&json!({ "sub": "admin-1", "role": "admin" }));
    let printed = run_script(&commands, folder.path(), &[("TOKEN", all), ("ADMIN", admin)]);

    // Each message, and the readiness.
    assert_eq!(
        printed.matches(r#"{"isSuccessful":true,"statusCode":"00""#).count(),
        17,
        "{printed}"
    );
    assert!(printed.contains(r#""id":42"#), "{printed}");
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
    with_records_and(engine, &[])
}

fn with_records_and(engine: Engine, settings: &[(&str, &str)]) -> Server {
    let mut server = Server::with(engine, settings);
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
fn the_trail_of_a_host_is_verified_and_exported() {
    let server = with_records(Engine::Sqlite);
    let folder = server.database().folder();

    let printed = run("docs/operations.md", "## The audit trail", folder, &[]);

    assert!(
        printed.contains("\nnothing was changed, taken away or put in\n"),
        "{printed}"
    );
    assert!(folder.join("trail-of-today/checkpoint").exists());
}

#[test]
fn a_backup_of_sqlite_is_whole() {
    let server = with_records(Engine::Sqlite);
    let folder = server.database().folder();

    let printed = run("docs/operations.md", "### SQLite", folder, &[]);

    assert!(printed.starts_with("backup.db: 3 records, 3 faces, "), "{printed}");
    is_whole(folder, "backup.ndjson");
}

#[test]
#[ignore = "needs tar: .ci/test"]
fn the_keys_of_faces_are_backed_up_and_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let keys = [("LIVENESS_FACE_KEYS", "file:face-keys".to_owned())];

    let printed = run("docs/operations.md", "### Backups of the keys", folder.path(), &keys);

    assert!(printed.contains("keys.db: 0 keys of faces; SHA-256 "), "{printed}");
    assert!(printed.contains("; destroyed: 00000001-"), "{printed}");
    assert!(folder.path().join("face-keys.tar").exists());
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn the_keys_of_faces_are_made_on_a_token() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tokens")).unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let tokens = folder.path().join("tokens");
    std::fs::write(&configuration, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    let settings = [("SOFTHSM2_CONF", configuration.display().to_string())];

    let printed = run("docs/operations.md", "### Keys on a token", folder.path(), &settings);

    assert!(printed.contains(" are wrapped by 00000002-"), "{printed}");
    assert!(printed.contains("; destroyed: 00000001-"), "{printed}");
}

#[test]
#[ignore = "needs tar: .ci/test"]
fn sealed_faces_are_restored_elsewhere_and_served() {
    let keys = [("LIVENESS_FACE_KEYS", "file:face-keys")];
    let mut server = with_records_and(Engine::Sqlite, &keys);
    let folder = server.database().folder().to_owned();

    let settings = [("LIVENESS_FACE_KEYS", "file:face-keys".to_owned())];
    run("docs/operations.md", "### Restore of sealed faces", &folder, &settings);

    is_whole(&folder, "restored/restored.ndjson");
    for name in ["liveness.db", "liveness.keys.db"] {
        std::fs::rename(folder.join("restored").join(name), folder.join(name)).unwrap();
    }
    server = server.restart();
    let shown = server.send("GetLivenessCheckQuery", &admin(), &json!({ "id": 2 }));
    let face = FaceImage::from_bytes(FACE.to_vec()).unwrap().to_data_uri();
    assert_eq!(shown.data()["LivenessCheck"]["ImageBase64"], face.as_str(), "{shown:?}");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_backup_of_postgres_is_whole() {
    let server = with_records(Engine::Postgres);
    let folder = server.database().folder();
    let url = server.database().postgres().unwrap().url();
    let address = url.split_once('@').unwrap().1.split('/').next().unwrap();
    let (host, port) = address.split_once(':').unwrap();
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let service = format!("[liveness]\nhost={host}\nport={port}\nuser=postgres\ndbname={name}\n");
    std::fs::write(folder.join("services"), service).unwrap();
    let settings = [
        ("LIVENESS_DATABASE_URL", url.clone()),
        (
            "LIVENESS_TRAIL_KEY_FILE",
            server.database().trail_key_file().display().to_string(),
        ),
        ("PGSERVICEFILE", folder.join("services").display().to_string()),
        ("PGHOST", host.to_owned()),
        ("PGPORT", port.to_owned()),
        ("PGUSER", "postgres".to_owned()),
    ];

    run("docs/operations.md", "### PostgreSQL", folder, &settings);

    is_whole(folder, "restored.ndjson");
}
