//! What is made of the command line: completions, and the manual.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::binary::{command, run};

#[test]
fn bash_reads_its_completions() {
    let script = run(&["completions", "bash"]).good();
    let ask = "
        function=$(complete -p liveness-http | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
        COMP_WORDS=(liveness-http chec) COMP_CWORD=1
        $function liveness-http chec
        echo ${COMPREPLY[@]}";
    let ask = format!("{script}\n{ask}");

    let completed = Command::new("bash").args(["-c", &ask]).output().unwrap();

    assert_eq!(String::from_utf8_lossy(&completed.stdout), "checks\n", "{completed:?}");
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]).good();
        assert!(script.contains("users") && script.contains("import"), "{shell}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_subcommand() {
    let folder = tempfile::tempdir().unwrap();
    let written = command(folder.path(), &["man", "--output", "new/man1"])
        .status()
        .unwrap();
    assert!(written.success());

    let page = |name: &str| std::fs::read_to_string(folder.path().join("new/man1").join(name)).unwrap();
    for name in [
        "liveness-http.1",
        "liveness-http-serve.1",
        "liveness-http-users-import.1",
        "liveness-http-checks-export.1",
    ] {
        assert!(page(name).contains(".TH"), "{name}");
    }
    assert!(page("liveness-http-serve.1").contains("LIVENESS_BIND"));
    assert!(page("liveness-http.1").contains("130"));
    assert_eq!(run(&["man"]).good(), page("liveness-http.1"));
}

/// The names in a text that begin like a setting of ours.
fn settings(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
    words
        .filter(|word| word.starts_with("LIVENESS_") && *word != "LIVENESS_")
        .collect()
}

#[test]
fn the_packages_settings_are_those_of_serve() {
    let help = run(&["serve", "--help"]).good();

    assert_eq!(settings(include_str!("../../debian/liveness.env")), settings(&help));
}

#[test]
fn whoever_reads_enough_is_not_complained_of() {
    for arguments in [&["completions", "bash"][..], &["man"], &["access"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = command(folder.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Nobody reads at all.
        drop(process.stdout.take());
        let ended = process.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr.len()), (Some(0), 0), "{arguments:?}");
    }
}
