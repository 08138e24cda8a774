//! A command line that is wrong is told in one line, and ends with 2.

use crate::binary::{Ended, run, run_with};

#[test]
fn what_is_wrong_is_one_line() {
    let cases: [(&[&str], &str); 9] = [
        (
            &["srve"],
            "unrecognized subcommand 'srve'; tip: a similar subcommand exists: 'serve'",
        ),
        (&["serve", "--port"], "unexpected argument '--port' found"),
        (&["users", "import"], "required arguments were not provided: <FILE.csv>"),
        (&["token"], "required arguments were not provided: --user <USER>"),
        (
            &["token", "--user", "1", "--role", "root"],
            "[possible values: customer, admin, officer, auditor]",
        ),
        (
            &["token", "--user", "1", "--expires", "0s"],
            "must be between 1s and 366 days",
        ),
        (&["checks", "export", "--user", "0"], "--user <ID>"),
        (
            &["checks", "export", "--from", "yesterday"],
            "must be an RFC 3339 date and time",
        ),
        (
            &["completions", "tcsh"],
            "[possible values: bash, elvish, fish, powershell, zsh]",
        ),
    ];
    for (arguments, expected) in cases {
        let ended = run(arguments);
        let (code, told) = ended.failure();
        assert_eq!((code, told.contains(expected)), (Some(2), true), "{told}");
    }
}

#[test]
fn who_says_nothing_is_helped() {
    let Ended { code, out, err } = run(&[]);

    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("Usage: liveness-http <COMMAND>"), "{err}");
}

#[test]
fn help_explains_the_exit_codes() {
    let help = run(&["--help"]).good();

    for code in [
        "0    done",
        "1    failed",
        "2    the command line",
        "3    done in part",
        "130  interrupted",
    ] {
        assert!(help.contains(code), "{help}");
    }
}

#[test]
fn help_shows_no_secret() {
    let secrets = [
        ("LIVENESS_JWT_SECRET", "canary-of-a-secret"),
        ("LIVENESS_DATABASE_URL", "postgres://u:canary-of-a-password@h/x"),
    ];
    for command in ["serve", "migrate", "token", "doctor"] {
        let help = run_with(&[command, "--help"], &secrets).good();
        assert!(help.contains("LIVENESS_") && !help.contains("canary"), "{help}");
    }
}
