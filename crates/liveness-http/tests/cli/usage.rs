//! A command line that is wrong is told in one line, and ends with 2.

use crate::binary::{Ended, Place, run, run_with};
use crate::engine::Engine;

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
fn a_url_in_a_file_is_that_url_and_trouble_with_it_is_told_without_it() {
    let place = Place::new(Engine::Sqlite);
    let url = format!("sqlite://{}", place.0.file().display());
    let in_file = |text: &[u8]| {
        std::fs::write(place.0.folder().join("url"), text).unwrap();
        let settings = [("LIVENESS_DATABASE_URL", ""), ("LIVENESS_DATABASE_URL_FILE", "url")];
        Ended::from(place.command(&["migrate"]).envs(settings).output().unwrap())
    };

    for text in [url.clone(), format!("\u{feff}{url}\r\n")] {
        assert!(in_file(text.as_bytes()).good().contains("up to date"));
    }
    for (text, expected) in [
        (&b""[..], "it is empty"),
        (b"postgres://role:hidden\xFF@db/liveness", "it is not UTF-8"),
        (b"mysql://role:hidden@db/liveness", "LIVENESS_DATABASE_URL"),
    ] {
        let ended = in_file(text);
        assert!(ended.code != Some(0) && ended.err.contains(expected), "{ended:?}");
        assert!(!ended.err.contains("hidden"), "{ended:?}");
    }
    let missing = place.run(&["migrate", "--keys-url-file", "nowhere"]);
    let (code, told) = missing.failure();
    assert_eq!(
        (code, told.contains("cannot read it: No such file")),
        (Some(2), true),
        "{told}"
    );
}

#[test]
fn a_url_is_set_in_one_way() {
    for name in ["DATABASE_URL", "KEYS_URL"] {
        let (url, file) = (format!("LIVENESS_{name}"), format!("LIVENESS_{name}_FILE"));
        let ended = run_with(
            &["doctor"],
            &[(url.as_str(), "sqlite://hidden.db"), (file.as_str(), "/proc/self/comm")],
        );
        let (code, told) = ended.failure();
        assert_eq!((code, told.contains("cannot be used with")), (Some(2), true), "{told}");
        assert!(!told.contains("hidden"), "{told}");
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
