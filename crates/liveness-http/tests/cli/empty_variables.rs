//! A variable that is empty is one that is not set: each variable of each subcommand, also those that come later.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use crate::binary::{Ended, Place, SECRET, command, run, run_with};
use crate::engine::Engine;

/// Each subcommand that has no subcommands, with its variables, as the help has them.
fn subcommands() -> Vec<(Vec<String>, Vec<String>)> {
    let (mut found, mut left) = (Vec::new(), vec![Vec::new()]);
    while let Some(path) = left.pop() {
        let arguments: Vec<_> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = run(&arguments).good();
        let Some((_, commands)) = help.split_once("\nCommands:\n") else {
            found.push((path, variables(&help)));
            continue;
        };
        let names = commands.lines().take_while(|line| !line.is_empty());
        let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next());
        let longer = names
            .filter(|name| *name != "help")
            .map(|name| [&path[..], &[name.to_owned()]].concat());
        left.extend(longer);
    }
    found
}

/// Help is wrapped.
fn on_one_line(help: &str) -> String {
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn variables(help: &str) -> Vec<String> {
    let help = on_one_line(help);
    let after = help.split("[env: ").skip(1);
    let name = |text: &str| text.split(['=', ']']).next().unwrap().to_owned();
    after.map(name).collect()
}

/// What a subcommand does without any argument. What other processes change from one run to the next is left out: the space on
/// the disk, whether somebody listens on the default address, and how many hints `doctor` counts, which is one more then.
fn outcome(path: &[String], settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    let Ended { code, out, err } = run_with(&path, settings);
    let told = out.lines().chain(err.lines());
    let changes = |line: &str| {
        let is_of_address = line.contains("can be listened on") || line.contains("somebody listens on");
        line.contains(" disk: ") || is_of_address || line.starts_with("problems: ")
    };
    let told = told.filter(|line| !changes(line));
    (code, told.collect::<Vec<_>>().join("\n"))
}

#[test]
fn each_variable_of_each_subcommand_may_be_empty() {
    let subcommands = subcommands();
    let with_variables = |name: &str| {
        let found = subcommands.iter().find(|(path, _)| path.join(" ") == name);
        found.map_or(0, |(_, variables)| variables.len())
    };
    assert!(
        with_variables("serve") >= 25 && with_variables("doctor") >= 25,
        "{subcommands:?}"
    );
    assert!(
        with_variables("users import") >= 2 && with_variables("token") >= 5,
        "{subcommands:?}"
    );
    for (path, variables) in &subcommands {
        let unset = outcome(path, &[]);
        for variable in variables {
            for empty in ["", " \t"] {
                assert_eq!(
                    outcome(path, &[(variable, empty)]),
                    unset,
                    "{path:?} {variable}={empty:?}"
                );
            }
        }
        let all: Vec<_> = variables.iter().map(|variable| (variable.as_str(), "")).collect();
        assert_eq!(outcome(path, &all), unset, "{path:?}");
    }
}

#[test]
fn what_is_not_empty_counts() {
    let told = run_with(&["serve"], &[("LIVENESS_JWT_SECRET", "short")]);
    assert!(told.failure().1.contains("at least 32 bytes"), "{told:?}");

    let settings = [("LIVENESS_JWT_SECRET", SECRET), ("LIVENESS_JWT_ISSUER", "")];
    let place = Place::new(Engine::Sqlite);
    let mut command = place.command(&["token", "--user", "1"]);
    let token = Ended::from(command.envs(settings).output().unwrap()).good();
    assert_eq!(token.split('.').count(), 3);
}

#[test]
fn an_empty_flag_stays_an_error() {
    let flags = [
        "--bind",
        "--database-url",
        "--database-connections",
        "--jwt-secret",
        "--jwt-issuer",
        "--jwt-audience",
        "--jwt-user-id-claim",
        "--jwt-role-claim",
        "--jwt-jwks",
        "--jwt-public-key-file",
        "--jwt-leeway",
        "--rate-limit",
        "--status-rule",
        "--log-format",
        "--provision-users",
        "--shutdown-grace",
    ];
    for flag in flags {
        let settings = [("LIVENESS_JWT_SECRET", SECRET)];
        let ended = run_with(&["serve", flag, ""], &settings);
        assert!(matches!(ended.code, Some(1 | 2)), "{flag} {ended:?}");
    }
}

#[test]
fn the_help_shows_a_variable_that_is_empty() {
    let help = run_with(&["serve", "--help"], &[("LIVENESS_BIND", "")]).good();

    assert!(on_one_line(&help).contains("[env: LIVENESS_BIND=]"), "{help}");
}

#[test]
fn an_empty_level_of_the_log_is_the_default() {
    for empty in [None, Some(""), Some(" ")] {
        let folder = tempfile::tempdir().unwrap();
        let mut serve = command(folder.path(), &["serve", "--dev", "--bind", "127.0.0.1:0"]);
        serve.envs(empty.map(|empty| ("RUST_LOG", empty)));
        let mut process = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The tokens and lines to paste come once it listens.
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        let stopped = Command::new("kill").arg(process.id().to_string()).status().unwrap();
        assert!(stopped.success());
        let mut log = String::new();
        process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(process.wait().unwrap().success());
        assert!(log.contains("listening on http://"), "{empty:?} {log}");
    }
}
