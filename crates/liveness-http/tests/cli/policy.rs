//! The policy in force: printed, read again, and refused where it is wrong.

use std::fs;

use liveness_core::policy::Policy;
use tempfile::TempDir;

use crate::binary::{Ended, SECRET, command, run, run_with};

/// A folder with a policy file.
fn with_file(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), text).unwrap();
    folder
}

fn run_in(folder: &TempDir, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut command = command(folder.path(), arguments);
    command.envs(settings.iter().copied()).output().unwrap().into()
}

const FILE: (&str, &str) = ("LIVENESS_POLICY", "policy.toml");
const KEY: (&str, &str) = ("LIVENESS_JWT_SECRET", SECRET);
const ANY_PORT: (&str, &str) = ("LIVENESS_BIND", "127.0.0.1:0");

const WRONG: &str =
    "base = \"record\"\n[looks]\npurpose = \"yes\"\n\n[retension]\npassed = \"7d\"\n[retention]\npassed = 7\n";
const TOLD: &str = "\
liveness-http: policy.toml:3: looks.purpose: must be true or false
liveness-http: policy.toml:5: retension: there is no such part; did you mean retention?
liveness-http: policy.toml:8: retention.passed: must be a duration such as \"90s\", \"5m\", \"12h\" or \"30d\", from \"1s\" to \"36500d\", or \"forever\"
";

#[test]
fn each_word_is_printed_as_a_file_that_says_the_same() {
    for (word, policy) in [("record", Policy::record()), ("enforce", Policy::enforce())] {
        let printed = run_with(&["policy"], &[("LIVENESS_POLICY", word)]).good();
        assert_eq!(printed, policy.to_toml());
        let file = with_file(&printed);
        assert_eq!(
            run_in(&file, &["policy", "--policy", "policy.toml"], &[]).good(),
            printed
        );
    }
}

#[test]
fn without_a_policy_and_with_an_empty_one_it_is_record() {
    let unset = run(&["policy"]).good();

    assert_eq!(unset, Policy::record().to_toml());
    assert_eq!(run_with(&["policy"], &[("LIVENESS_POLICY", "")]).good(), unset);
}

#[test]
fn each_mistake_is_a_line_with_file_and_line_and_keeps_serve_from_starting() {
    let folder = with_file(WRONG);

    for subcommand in ["policy", "serve"] {
        let ended = run_in(&folder, &[subcommand], &[FILE, KEY, ANY_PORT]);
        assert_eq!(
            (ended.code, ended.out.as_str(), ended.err.as_str()),
            (Some(1), "", TOLD),
            "{subcommand}"
        );
    }
    let doctor = run_in(&folder, &["doctor"], &[FILE, KEY, ANY_PORT]);
    assert_eq!(doctor.code, Some(1));
    for line in TOLD.lines() {
        let line = line.strip_prefix("liveness-http: ").unwrap();
        assert!(
            doctor.out.contains(&format!("policy: {line}")),
            "{line} in {}",
            doctor.out
        );
    }
}

#[test]
fn a_file_in_another_encoding_is_a_mistake_in_the_first_line_that_has_such_a_letter() {
    let folder = tempfile::tempdir().unwrap();
    let latin = b"base = \"record\"\n[attempts]\nother_way = \"Zweigstelle L\xfcbeck\"\n";
    fs::write(folder.path().join("policy.toml"), latin).unwrap();

    for subcommand in ["policy", "serve"] {
        let ended = run_in(&folder, &[subcommand], &[FILE, KEY, ANY_PORT]);
        let (code, said) = ended.failure();
        assert_eq!(
            (code, said),
            (Some(1), "policy.toml:3: this line is not UTF-8: save the file in UTF-8"),
            "{subcommand}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_one_line_that_says_what_would_be_right() {
    for subcommand in ["policy", "serve"] {
        let ended = run_with(&[subcommand], &[("LIVENESS_POLICY", "enforced"), KEY, ANY_PORT]);
        let (code, said) = ended.failure();
        assert_eq!(code, Some(1));
        assert!(
            said.starts_with("LIVENESS_POLICY: cannot read enforced: No such file"),
            "{said}"
        );
        assert!(
            said.ends_with("; it must be record, enforce, or a policy file"),
            "{said}"
        );
    }
}

#[test]
fn serve_refuses_to_erase_records_whose_idempotency_keys_still_count() {
    let folder = with_file("base = \"enforce\"\n[retention]\nrecords = \"23h\"\n");

    let ended = run_in(&folder, &["serve"], &[FILE, KEY, ANY_PORT]);
    let (code, said) = ended.failure();
    assert_eq!(code, Some(1));
    assert!(said.contains("retention.records: must be "), "{said}");
}

#[test]
fn doctor_says_which_policy_is_in_force() {
    let told = run_with(&["doctor"], &[KEY, ANY_PORT]);

    let expected = format!("policy: {}", Policy::record().version());
    assert!(told.out.contains(&expected), "{told:?}");
}
