//! Every example in a help text runs as it stands there.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use liveness_core::events::{EventSubscription, NewEvent, USER_PASSED};
use liveness_core::jobs::{JobKind, NewJob};
use liveness_core::store::Store;
use liveness_core::trail::TrailKey;
use liveness_core::{Clock as _, SystemClock};
use tempfile::TempDir;

use crate::binary::{SECRET, block_on, command, run};
use crate::trail_key_file::trail_key_file;

const SUBCOMMANDS: [&[&str]; 22] = [
    &["serve"],
    &["backup"],
    &["faces", "rotate"],
    &["faces", "seal"],
    &["jobs", "list"],
    &["jobs", "retry"],
    &["events", "list"],
    &["events", "resend"],
    &["events", "enable"],
    &["events", "end"],
    &["migrate"],
    &["token"],
    &["users", "import"],
    &["checks", "export"],
    &["trail", "verify"],
    &["trail", "export"],
    &["trail", "key"],
    &["policy"],
    &["access"],
    &["doctor"],
    &["completions"],
    &["man"],
];

/// The lines below `Examples:`, with those that go on joined.
fn examples(help: &str) -> Vec<String> {
    let (_, below) = help.split_once("\nExamples:\n").unwrap();
    let block = below.replace("\\\n", " ");
    let lines = block
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("  "));
    let lines = lines.map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// A folder with a database, and whatever the examples take for granted.
fn place() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let migrated = command(folder.path(), &["migrate"]).status().unwrap();
    assert!(migrated.success());
    std::fs::copy(
        folder.path().join("liveness.db"),
        folder.path().join("copy-of-liveness.db"),
    )
    .unwrap();
    begin_log(folder.path());
    give_up_jobs(folder.path());
    set_events_aside(folder.path());
    folder
}

/// Makes the key of the trail, and signs a first checkpoint of its log.
fn begin_log(folder: &Path) {
    let file = folder.join("liveness.trail.pem");
    std::fs::copy(trail_key_file(), &file).unwrap();
    let key = TrailKey::from_pem(&std::fs::read_to_string(file).unwrap()).unwrap();
    let store = Store::open(&format!("sqlite://{}/liveness.db", folder.display())).unwrap();
    store.trail().keep(key, false).unwrap().stop();
}

/// Gives up as many jobs as an example names.
fn give_up_jobs(folder: &Path) {
    const KIND: JobKind = JobKind::new("a.kind");
    let store = Store::open(&format!("sqlite://{}/liveness.db", folder.display())).unwrap();
    let jobs = store.jobs();
    block_on(jobs.enqueue(vec![NewJob::of(KIND); 17])).unwrap();
    while let Some(taken) = jobs.take(KIND, Duration::from_secs(60)).unwrap() {
        jobs.fail(&taken, "no answer", None).unwrap();
    }
}

/// Sets as many events aside as an example names.
fn set_events_aside(folder: &Path) {
    let store = Store::open(&format!("sqlite://{}/liveness.db", folder.display())).unwrap();
    let events = store.events();
    events
        .subscribe(&EventSubscription::to_all("webhooks").unwrap())
        .unwrap();
    for user in 1..=17 {
        let passed = NewEvent::new(USER_PASSED, user, &serde_json::json!({ "userId": user })).unwrap();
        events.publish(&[passed], SystemClock.now()).unwrap();
    }
    for event in events.due("webhooks", &[], 17).unwrap() {
        events.set_aside(&event, "no answer").unwrap();
    }
}

fn shell(folder: &Path, script: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_liveness-http"));
    let path = format!(
        "{}:{}",
        binary.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut shell = Command::new("sh");
    shell.args(["-ec", script]).current_dir(folder).env_clear();
    shell.env("PATH", path).env("LIVENESS_JWT_SECRET", SECRET);
    shell
}

#[test]
fn every_example_runs() {
    for subcommand in SUBCOMMANDS {
        let help = run(&[subcommand, &["--help"]].concat()).good();
        let (servers, others): (Vec<_>, Vec<_>) = examples(&help)
            .into_iter()
            .partition(|line| line.starts_with("liveness-http serve"));
        assert!(
            !servers.is_empty() || !others.is_empty(),
            "{subcommand:?} has no example"
        );
        let folder = place();
        let ran = shell(folder.path(), &others.join("\n")).output().unwrap();
        assert!(ran.status.success(), "{subcommand:?} {others:?}: {ran:?}");
        for server in servers {
            // On a port that is free, whatever it says.
            let on_any_port = format!(
                "exec {} --bind 127.0.0.1:0",
                server.replace(" --bind 127.0.0.1:8081", "")
            );
            // In a folder of its own: `serve --dev` serves no database but its own.
            assert_serves(tempfile::tempdir().unwrap().path(), &on_any_port);
        }
    }
}

fn assert_serves(folder: &Path, server: &str) {
    let mut process = shell(folder, server)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let listens = lines.any(|line| line.unwrap().contains("listening on http://"));
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(listens, "{server}");
}

#[test]
fn no_example_is_wrapped_on_a_narrow_terminal() {
    for subcommand in SUBCOMMANDS {
        let help = run(&[subcommand, &["--help"]].concat()).good();
        let (_, below) = help.split_once("\nExamples:\n").unwrap();
        for line in below.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.chars().count() <= 79, "{line}");
        }
    }
}
