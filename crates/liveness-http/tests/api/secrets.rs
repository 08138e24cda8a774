//! The secret of HS256 tokens stays out of the environment, and what a server has in memory stays there.

use std::process::{Command, Output};

use crate::engine::Engine;
use crate::scratch::Trial;
use crate::server::{SECRET, Server, customer, report};

const NO_VARIABLE: (&str, &str) = ("LIVENESS_JWT_SECRET", "");

fn assert_takes_tokens(server: &Server) {
    let answer = server.send("SubmitLivenessCheckCommand", &customer(1), &report("session-1", true));
    assert_eq!(answer.codes(), (200, "00"));
}

/// What another process of the same user reads of a process, without the rights of root.
fn read_by_others(pid: u32, file: &str) -> Output {
    let path = format!("/proc/{pid}/{file}");
    if !rustix::process::geteuid().is_root() {
        return Command::new("cat").arg(path).output().unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "cat", &path]);
    command.output().unwrap()
}

#[test]
fn a_secret_in_a_file_is_that_secret_with_and_without_a_line_break() {
    for end in ["", "\n", "\r\n"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, format!("{SECRET}{end}")).unwrap();

        let server = Server::with(
            Engine::Sqlite,
            &[NO_VARIABLE, ("LIVENESS_JWT_SECRET_FILE", file.to_str().unwrap())],
        );

        assert_takes_tokens(&server);
        // Root reads it here: the test has what the kernel keeps from others.
        let environment = std::fs::read(format!("/proc/{}/environ", server.pid()));
        if let Ok(environment) = environment {
            assert!(!String::from_utf8_lossy(&environment).contains(SECRET));
        }
    }
}

#[test]
fn a_credential_of_systemd_is_that_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("liveness.jwt-secret"), SECRET).unwrap();
    let credentials = ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap());

    assert_takes_tokens(&Server::with(Engine::Sqlite, &[NO_VARIABLE, credentials]));
    // A service has the folder also where there is no such credential.
    let other = tempfile::tempdir().unwrap();
    let credentials = ("CREDENTIALS_DIRECTORY", other.path().to_str().unwrap());
    assert_takes_tokens(&Server::with(Engine::Sqlite, &[credentials]));
}

#[test]
fn nobody_else_reads_the_memory_of_a_server_and_it_leaves_no_core_dump() {
    let server = Server::start(Engine::Sqlite);
    let trial = Trial::start(server.database()).err();
    assert!(trial.is_some_and(|told| told.contains("real-records")));

    for file in ["environ", "maps"] {
        let read = read_by_others(server.pid(), file);
        assert!(!read.status.success() && read.stdout.is_empty(), "{file} {read:?}");
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
    // What it says of itself, it still reads.
    let metrics = ureq::get(format!("http://{}/metrics", server.address()))
        .call()
        .unwrap();
    let metrics = metrics.into_body().read_to_string().unwrap();
    for name in ["process_open_fds ", "process_resident_memory_bytes "] {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap();
        assert_ne!(line.split(' ').next_back(), Some("0"), "{line}");
    }
}

#[test]
fn a_server_to_try_things_out_may_be_debugged() {
    let trial = Trial::start(&crate::engine::Database::create(Engine::Sqlite)).unwrap();

    let read = read_by_others(trial.pid(), "environ");

    assert!(read.status.success() && !read.stdout.is_empty(), "{read:?}");
}
