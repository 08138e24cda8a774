//! `doctor`: what is good is told as good, what is bad with what would mend it, and nothing is changed.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use liveness_core::trail::TrailKey;
use serde_json::Value;

use crate::binary::{Ended, Place, SECRET, run_with};
use crate::cluster::Cluster;
use crate::engine::Engine;
use crate::trail_key_file::trail_key_file;

const KEY: (&str, &str) = ("LIVENESS_JWT_SECRET", SECRET);
const ANY_PORT: (&str, &str) = ("LIVENESS_BIND", "127.0.0.1:0");

/// With PostgreSQL, it must be named.
fn trail_key() -> (&'static str, &'static str) {
    ("LIVENESS_TRAIL_KEY_FILE", trail_key_file().to_str().unwrap())
}

fn examine(place: &Place, settings: &[(&str, &str)]) -> Ended {
    let settings = [&[KEY, ANY_PORT], settings].concat();
    place.command(&["doctor"]).envs(settings).output().unwrap().into()
}

/// The lines of this level.
fn lines<'a>(told: &'a Ended, level: &str) -> Vec<&'a str> {
    let of_level = |line: &&str| line.split("  ").next().is_some_and(|first| first.trim() == level);
    told.out.lines().filter(of_level).collect()
}

fn assert_tells(told: &Ended, level: &str, expected: &str) {
    let found = lines(told, level).iter().any(|line| line.contains(expected));
    assert!(found, "no {level} with {expected}:\n{}", told.out);
}

#[test]
fn a_good_place_has_no_problem() {
    let place = Place::new(Engine::Sqlite);
    place.record(1, "session-1", 0, None);
    let keys = ("LIVENESS_FACE_KEYS", "file:face-keys");
    place.command(&["migrate"]).envs([keys]).output().unwrap();

    let told = examine(&place, &[("LIVENESS_RATE_LIMIT", "20/s"), keys]);

    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{told:?}");
    assert_eq!(lines(&told, "problem"), [""; 0]);
    assert_eq!(lines(&told, "warning"), [""; 0]);
    for subject in [
        "keys",
        "address",
        "rate limit",
        "disk",
        "database",
        "schema",
        "reading",
        "writing",
        "durability",
        "clock",
        "files",
        "faces",
    ] {
        assert_tells(&told, "ok", &format!("ok       {subject}: "));
    }
    assert!(
        told.out.ends_with("problems: 0, warnings: 0, hints: 3\n"),
        "{}",
        told.out
    );
}

#[test]
fn records_from_before_verdicts_are_told_where_verdicts_count() {
    let place = Place::new(Engine::Sqlite);
    place.record(1, "session-1", 0, None);
    place.record(2, "session-2", 1, None);
    let old = "1 successful records are older than verdicts, and do not pass where verdicts count; have these users run again";

    let judged = examine(&place, &[("LIVENESS_POLICY", "enforce")]);
    let mut old_record = SqliteConnection::establish(&place.0.file().to_string_lossy()).unwrap();
    let moved = "UPDATE liveness_checks SET verdict = NULL WHERE id = 1; \
        UPDATE liveness_check_totals SET checks = checks - 1; \
        INSERT INTO liveness_check_totals (pre_registration_id, is_successful, has_image, slot, checks) VALUES (0, 1, 0, 15, 1)";
    old_record.batch_execute(moved).unwrap();
    let [enforced, recorded] = ["enforce", "record"].map(|policy| examine(&place, &[("LIVENESS_POLICY", policy)]));

    assert!(!judged.out.contains("older than verdicts"), "{}", judged.out);
    assert_tells(&enforced, "warning", old);
    assert!(!recorded.out.contains("older than verdicts"), "{}", recorded.out);
}

#[test]
fn variables_of_opentelemetry_that_keep_it_from_starting_are_problems() {
    let place = Place::new(Engine::Sqlite);
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    let good = examine(&place, &[endpoint]);
    assert_tells(
        &good,
        "ok",
        "traces: spans are exported to http://127.0.0.1:4318/v1/traces",
    );
    let off = examine(&place, &[endpoint, ("OTEL_SDK_DISABLED", "true")]);
    assert!(!off.out.contains("traces: "), "{}", off.out);
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:99999"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
    ] {
        let told = examine(&place, &[endpoint, (name, value)]);
        assert_eq!(told.code, Some(1), "{told:?}");
        assert_tells(&told, "problem", &format!("traces: {name}: must be "));
    }
}

#[test]
fn it_makes_nothing() {
    let place = Place::empty(Engine::Sqlite);

    let told = examine(&place, &[]);

    assert_eq!(told.code, Some(0), "{told:?}");
    assert_tells(
        &told,
        "hint",
        "database: liveness.db is not there yet; `serve` and `migrate` make it",
    );
    assert_eq!(std::fs::read_dir(place.0.folder()).unwrap().count(), 0);
}

#[test]
fn a_url_with_a_password_belongs_into_a_file_of_its_owner() {
    let place = Place::new(Engine::Sqlite);
    place.write("url", "sqlite://liveness.db\n");
    let file = place.0.folder().join("url");
    let examine_with = |mode, settings: &[(&str, &str)]| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        examine(&place, settings)
    };

    for (setting, settings) in [
        (
            "LIVENESS_DATABASE_URL_FILE",
            &[("LIVENESS_DATABASE_URL_FILE", "url")][..],
        ),
        ("LIVENESS_KEYS_URL_FILE", &[("LIVENESS_KEYS_URL_FILE", "url")]),
        ("LIVENESS_WEBHOOK_URL_FILE", &[("LIVENESS_WEBHOOK_URL_FILE", "url")]),
    ] {
        let told = examine_with(0o600, settings);
        assert_tells(&told, "ok", &format!("files: {setting}: url is its owner's only"));
        let told = examine_with(0o604, settings);
        assert_tells(
            &told,
            "problem",
            &format!("files: {setting}: url can be read or written"),
        );
        let told = examine_with(0o602, settings);
        assert_tells(&told, "problem", "LIVENESS_ACCEPT=world-writable");
    }
}

#[test]
fn a_secret_belongs_into_a_file_of_its_owner() {
    let place = Place::new(Engine::Sqlite);
    place.write("secret", &format!("{SECRET}\n"));
    let file = place.0.folder().join("secret");
    let in_file = [("LIVENESS_JWT_SECRET", ""), ("LIVENESS_JWT_SECRET_FILE", "secret")];
    let examine_with = |mode, settings: &[(&str, &str)]| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        examine(&place, settings)
    };

    assert_tells(
        &examine(&place, &[]),
        "hint",
        "keys: LIVENESS_JWT_SECRET is in the environment",
    );
    let told = examine_with(0o600, &in_file);
    assert_tells(
        &told,
        "ok",
        "files: LIVENESS_JWT_SECRET_FILE: secret is its owner's only",
    );
    assert!(!told.out.contains("environment"), "{}", told.out);
    let told = examine_with(0o640, &in_file);
    assert_tells(
        &told,
        "problem",
        "files: LIVENESS_JWT_SECRET_FILE: secret can be read or written by others",
    );
    let told = examine_with(0o602, &in_file);
    assert_tells(&told, "problem", "LIVENESS_ACCEPT=world-writable");
    std::fs::write(&file, "a".repeat(32)).unwrap();
    let told = examine_with(0o600, &in_file);
    assert_tells(&told, "warning", "keys: LIVENESS_JWT_SECRET_FILE can be guessed");
    // What systemd hands over has an access list, whose mask the mode shows.
    std::fs::rename(&file, place.0.folder().join("liveness.jwt-secret")).unwrap();
    let credentials = ("CREDENTIALS_DIRECTORY", place.0.folder().to_str().unwrap());
    let told = examine(&place, &[("LIVENESS_JWT_SECRET", ""), credentials]);
    assert_tells(
        &told,
        "ok",
        "LIVENESS_JWT_SECRET_FILE: systemd hands over liveness.jwt-secret",
    );
}

#[test]
fn the_key_of_the_trail_is_its_owners_and_that_of_the_log() {
    let place = Place::new(Engine::Sqlite);
    let key = place.0.trail_key();
    let vkey = key.vkey();
    place.store().trail().keep(key, false).unwrap().stop();
    let file = place.0.trail_key_file();
    let examine_with_mode = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        examine(&place, &[])
    };

    let good = examine_with_mode(0o600);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert_tells(
        &good,
        "ok",
        "files: LIVENESS_TRAIL_KEY_FILE: liveness.trail.pem is its owner's only",
    );
    assert_tells(&good, "ok", &format!("trail: its public key is {vkey}"));
    assert_tells(&good, "ok", "trail: the log in the database is not that of another key");
    assert_tells(
        &examine_with_mode(0o640),
        "problem",
        "files: LIVENESS_TRAIL_KEY_FILE: liveness.trail.pem can be read or written by others than its owner; chmod 600",
    );
    assert_tells(&examine_with_mode(0o602), "problem", "LIVENESS_ACCEPT=world-writable");

    place.write("other.pem", TrailKey::generate().unwrap().pem.as_str());
    let other = examine(&place, &[("LIVENESS_TRAIL_KEY_FILE", "other.pem")]);
    assert_tells(
        &other,
        "problem",
        "trail: LIVENESS_TRAIL_KEY_FILE: other.pem is the key of the log ",
    );
    // Where systemd hands it over, the mode shows the mask of an access list.
    std::fs::rename(&file, place.0.folder().join("liveness.trail-key")).unwrap();
    let credentials = ("CREDENTIALS_DIRECTORY", place.0.folder().to_str().unwrap());
    let handed_over = examine(&place, &[credentials]);
    let told = "files: LIVENESS_TRAIL_KEY_FILE: systemd hands over liveness.trail-key";
    assert_tells(&handed_over, "ok", told);
    assert_tells(&handed_over, "ok", &format!("trail: its public key is {vkey}"));
    let lost = examine(&place, &[]);
    assert_eq!(lost.code, Some(1), "{lost:?}");
    let told = "liveness.trail.pem is not there, and the audit trail goes on only with the key of its log";
    assert_tells(&lost, "problem", told);
}

#[test]
fn a_key_of_the_trail_that_is_not_there_yet_is_made_only_beside_a_file() {
    let place = Place::empty(Engine::Sqlite);
    let told = "trail: there is no key beside the database yet; `serve` makes it";
    assert_tells(&examine(&place, &[]), "hint", told);

    let named = examine(&place, &[("LIVENESS_TRAIL_KEY_FILE", "none.pem")]);
    let told = "trail: LIVENESS_TRAIL_KEY_FILE: cannot read none.pem: No such file or directory";
    assert_tells(&named, "problem", told);
    let url = ("LIVENESS_DATABASE_URL", "postgres://u@127.0.0.1:1/x");
    let told = "trail: LIVENESS_TRAIL_KEY_FILE: with PostgreSQL, name the file with the key";
    assert_tells(&run_with(&["doctor"], &[KEY, ANY_PORT, url]), "problem", told);
}

#[test]
fn a_database_that_serve_dev_has_not_made_is_a_problem_with_dev() {
    let place = Place::new(Engine::Sqlite);
    let mut command = place.command(&["doctor", "--dev"]);

    let told: Ended = command.envs([ANY_PORT]).output().unwrap().into();

    assert_tells(&told, "problem", "database: `serve --dev` did not make it");
    assert_eq!(told.code, Some(1));
}

#[test]
fn a_sign_in_whose_tokens_would_be_refused_is_a_warning() {
    let place = Place::new(Engine::Sqlite);
    let provider = [
        ("LIVENESS_OIDC_ISSUER", "https://login.example.com"),
        ("LIVENESS_OIDC_CLIENT_ID", "review-page"),
        ("LIVENESS_JWT_ISSUER", "https://elsewhere.example"),
    ];

    let told = examine(&place, &provider);

    assert_tells(&told, "ok", "sign-in: reviewers sign in at https://login.example.com");
    assert_tells(&told, "warning", "sign-in: no key of the provider is known");
    assert_tells(
        &told,
        "hint",
        "sign-in: LIVENESS_JWT_ISSUER is not LIVENESS_OIDC_ISSUER",
    );
    let told = examine(&place, &provider[..1]);
    let expected = "sign-in: LIVENESS_OIDC_ISSUER and LIVENESS_OIDC_CLIENT_ID: set both";
    assert_tells(&told, "problem", expected);
}

#[test]
fn what_serve_would_refuse_is_a_problem() {
    let place = Place::new(Engine::Sqlite);
    let cases: [(&[(&str, &str)], &str); 6] = [
        (
            &[("LIVENESS_JWT_SECRET", "short")],
            "keys: LIVENESS_JWT_SECRET: the secret must have at least 32 bytes",
        ),
        (
            &[("LIVENESS_JWT_PUBLIC_KEY_FILE", "none.pem")],
            "keys: LIVENESS_JWT_PUBLIC_KEY_FILE: cannot read none.pem",
        ),
        (
            &[("LIVENESS_BIND", "nowhere")],
            "address: LIVENESS_BIND: nowhere is no address",
        ),
        (
            &[("LIVENESS_BIND", "192.0.2.1:80")],
            "address: cannot listen on 192.0.2.1:80",
        ),
        (
            &[("LIVENESS_DATABASE_URL", "mysql://x")],
            "database: the database URL must be sqlite://PATH",
        ),
        (
            &[("LIVENESS_DATABASE_URL", "sqlite:///no/such/x.db")],
            "database: the folder of /no/such/x.db is not there",
        ),
    ];
    for (settings, expected) in cases {
        let told = examine(&place, settings);
        assert_eq!((told.code, told.err.as_str()), (Some(1), ""), "{told:?}");
        assert_tells(&told, "problem", expected);
        assert!(
            lines(&told, "problem").iter().all(|line| line.contains("; ")),
            "{}",
            told.out
        );
    }
}

#[test]
fn without_any_key_it_says_which_settings_would_do() {
    let told = run_with(&["doctor"], &[ANY_PORT]);

    assert_eq!(told.code, Some(1));
    assert_tells(
        &told,
        "problem",
        "keys: there is no key to verify tokens by: set LIVENESS_JWT_SECRET",
    );
}

#[test]
fn what_works_and_should_be_mended_is_a_warning() {
    let place = Place::new(Engine::Sqlite);
    let open = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(place.0.file(), open).unwrap();
    let weak = "abcabcabcabcabcabcabcabcabcabcabcabc";

    let told = examine(&place, &[("LIVENESS_BIND", "0.0.0.0:0"), ("LIVENESS_JWT_SECRET", weak)]);

    assert_eq!(told.code, Some(0), "{told:?}");
    assert_tells(
        &told,
        "warning",
        "files: liveness.db holds faces, and others than its owner may read or write it; chmod 600",
    );
    assert_tells(
        &told,
        "warning",
        "address: tokens and faces are sent over the network in the clear",
    );
    assert_tells(&told, "warning", "LIVENESS_JWT_SECRET can be guessed");
    assert_tells(&told, "hint", "rate limit: off; set LIVENESS_RATE_LIMIT");
    assert!(!told.out.contains("abcabc"), "{}", told.out);
}

#[test]
fn a_key_that_others_can_write_is_a_problem() {
    let place = Place::new(Engine::Sqlite);
    let key = Command::new("openssl")
        .args("genpkey -algorithm ed25519 -out private.pem".split(' '))
        .current_dir(place.0.folder())
        .output()
        .unwrap();
    assert!(key.status.success(), "{key:?}");
    let public = Command::new("openssl")
        .args("pkey -in private.pem -pubout -out key.pem".split(' '))
        .current_dir(place.0.folder())
        .status()
        .unwrap();
    assert!(public.success());
    let file = place.0.folder().join("key.pem");
    let setting = [("LIVENESS_JWT_PUBLIC_KEY_FILE", "key.pem")];

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let good = examine(&place, &setting);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let bad = examine(&place, &setting);

    assert_eq!((good.code, bad.code), (Some(0), Some(1)), "{good:?} {bad:?}");
    assert_tells(
        &bad,
        "problem",
        "key.pem can be written by others than its owner, who could then make tokens; chmod go-w",
    );
}

#[test]
fn the_keys_of_a_provider_are_looked_at() {
    let place = Place::new(Engine::Sqlite);
    let okp = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}"#;
    let keys = format!(r#"{{"keys":[{okp},{{"kty":"oct","k":"c2VjcmV0","kid":"b"}}]}}"#);
    std::fs::write(place.0.folder().join("keys.json"), keys).unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let with = |location: &str, settings: &[(&str, &str)]| {
        examine(&place, &[&[("LIVENESS_JWT_JWKS", location)], settings].concat())
    };
    let for_us = [
        ("LIVENESS_JWT_ISSUER", "https://issuer.example"),
        ("LIVENESS_JWT_AUDIENCE", "liveness"),
    ];
    let good = with("keys.json", &for_us);
    let bad = with(&format!("http://{nobody}/keys"), &for_us);
    let for_anybody = with("keys.json", &for_us[..1]);

    assert_eq!((good.code, bad.code), (Some(0), Some(1)), "{good:?} {bad:?}");
    assert_eq!(for_anybody.code, Some(1), "{for_anybody:?}");
    assert_tells(
        &for_anybody,
        "problem",
        "keys: LIVENESS_JWT_JWKS: an identity provider signs tokens for other services too; set LIVENESS_JWT_AUDIENCE",
    );
    assert_tells(&good, "ok", "keys: LIVENESS_JWT_JWKS: 1 of its keys are used");
    let dropped = "keys: LIVENESS_JWT_JWKS: not used: key 2 (kid \"b\"): a secret (kty oct) is not taken from a JWKS";
    assert_tells(&good, "hint", dropped);
    assert_tells(
        &bad,
        "problem",
        "until it is reached, the provider's tokens are refused",
    );
}

#[test]
fn a_certificate_is_looked_at_and_ends_the_warning_of_plain_http() {
    let place = Place::new(Engine::Sqlite);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(place.0.folder().join("cert.pem"), made.cert.pem()).unwrap();
    let key = place.0.folder().join("key.pem");
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let settings = [
        ("LIVENESS_BIND", "0.0.0.0:0"),
        ("LIVENESS_TLS_CERT_FILE", "cert.pem"),
        ("LIVENESS_TLS_KEY_FILE", "key.pem"),
    ];

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = examine(&place, &settings);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let good = examine(&place, &settings);
    let half = examine(&place, &settings[..2]);

    assert_eq!(
        (open.code, good.code, half.code),
        (Some(1), Some(0), Some(1)),
        "{open:?} {good:?} {half:?}"
    );
    let problem = "files: LIVENESS_TLS_KEY_FILE: key.pem can be read or written by others than its owner; chmod 600";
    assert_tells(&open, "problem", problem);
    assert_tells(&good, "ok", "TLS: the certificate and its key belong together");
    assert!(!good.out.contains("in the clear"), "{}", good.out);
    assert_tells(
        &half,
        "problem",
        "TLS: LIVENESS_TLS_CERT_FILE and LIVENESS_TLS_KEY_FILE: set both",
    );
}

#[test]
fn a_port_that_is_taken_may_be_the_service_itself() {
    let place = Place::new(Engine::Sqlite);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();

    let told = examine(&place, &[("LIVENESS_BIND", &address)]);

    assert_eq!(told.code, Some(0));
    assert_tells(
        &told,
        "hint",
        &format!("address: somebody listens on {address}; fine if that is this service"),
    );
}

#[test]
fn a_schema_that_lacks_something_or_is_newer_is_told() {
    let empty = Place::empty(Engine::Sqlite);
    std::fs::File::create(empty.0.file()).unwrap();

    assert_tells(
        &examine(&empty, &[]),
        "hint",
        "schema: not up to date: it lacks 2026-11-23-000000_liveness",
    );
    empty.store().migrate().unwrap();
    assert_tells(&examine(&empty, &[]), "ok", "schema: up to date");
}

#[test]
fn a_record_from_the_future_is_a_warning() {
    let place = Place::new(Engine::Sqlite);
    // A hundred years.
    place.record(1, "session-1", 100 * 365 * 86_400, None);

    assert_tells(&examine(&place, &[]), "warning", "clock: the newest record is ");
}

#[test]
fn programs_are_told_the_same() {
    let place = Place::new(Engine::Sqlite);
    let settings = [KEY, ("LIVENESS_BIND", "nowhere")];
    let mut command = place.command(&["doctor", "--format", "json"]);
    let told: Ended = command.envs(settings).output().unwrap().into();

    assert_eq!(told.code, Some(1));
    let json: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(json["isHealthy"], false);
    let findings = json["findings"].as_array().unwrap();
    let problem = findings.iter().find(|finding| finding["level"] == "problem").unwrap();
    assert_eq!(problem["subject"], "address");
    assert!(problem["mend"].as_str().unwrap().contains("ADDRESS:PORT"));
}

#[test]
fn a_database_server_that_is_not_there_is_a_problem_without_its_password() {
    let told = run_with(
        &["doctor"],
        &[
            KEY,
            ANY_PORT,
            trail_key(),
            ("LIVENESS_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/x"),
        ],
    );

    assert_eq!((told.code, told.err.as_str()), (Some(1), ""), "{told:?}");
    assert_tells(&told, "problem", "database: cannot reach the database: ");
    assert!(!told.out.contains("hunter2"), "{}", told.out);
}

/// `.ci/test` starts its server without fsync.
#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_that_forgets_when_the_power_fails_is_a_problem() {
    let place = Place::new(Engine::Postgres);

    let settings = [("LIVENESS_DATABASE_CONNECTIONS", "1000"), ("LIVENESS_ACCEPT", "")];
    let told = examine(&place, &settings);

    assert_eq!(told.code, Some(1), "{told:?}");
    assert_tells(&told, "ok", "database: PostgreSQL ");
    assert_tells(
        &told,
        "problem",
        "durability: fsync=off: what was acknowledged is lost when the power fails",
    );
    assert_tells(&told, "problem", "or accept it: LIVENESS_ACCEPT=fsync");
    assert_tells(&told, "problem", "durability: full_page_writes=off");
    assert_tells(
        &told,
        "problem",
        "connections: this node has up to 1000 connections, and the server takes 300; lower",
    );
    let told = examine(&place, &[]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_tells(&told, "warning", "durability: fsync=off");
    assert_tells(&told, "warning", "(accepted: full_page_writes)");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_question_that_the_server_refuses_is_a_problem() {
    let place = Place::new(Engine::Postgres);
    let rename = "ALTER TABLE liveness_checks RENAME COLUMN passed TO passed_";
    place.0.postgres().unwrap().sql(rename);

    let told = examine(&place, &[]);

    assert_eq!(told.code, Some(1), "{told:?}");
    assert_tells(
        &told,
        "problem",
        "reading: cannot read the status of a user: column liveness_checks.passed does not exist",
    );
    assert_tells(&told, "ok", "schema: up to date");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_durable_server_has_no_problem() {
    let cluster = Cluster::start();
    let url = cluster.url("postgres");
    let database = ("LIVENESS_DATABASE_URL", &*url);
    run_with(&["migrate"], &[database]).good();

    let keys = [
        ("LIVENESS_FACE_KEYS", "file:face-keys"),
        ("LIVENESS_KEYS_URL", "sqlite://keys.db"),
    ];
    let told = run_with(
        &["doctor"],
        &[&[KEY, ANY_PORT, trail_key(), database], &keys[..]].concat(),
    );

    assert_eq!(told.code, Some(0), "{told:?}");
    assert_tells(
        &told,
        "ok",
        "durability: fsync=on, full_page_writes=on, synchronous_commit=on",
    );
    assert_tells(&told, "ok", " ms between the database's clock and this machine's");
    assert_tells(&told, "hint", "there is no synchronous standby");
    assert_eq!(lines(&told, "warning"), [""; 0]);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_commit_that_does_not_wait_for_the_disks_of_the_standbys_is_a_problem() {
    let cluster = Cluster::start();
    let examine = |commit: &str, subcommand| {
        let url = format!("{}?options=-csynchronous_commit%3D{commit}", cluster.url("postgres"));
        let database = ("LIVENESS_DATABASE_URL", &*url);
        run_with(
            &[subcommand],
            &[KEY, ANY_PORT, trail_key(), database, ("RUST_LOG", "error")],
        )
    };
    examine("on", "migrate").good();
    assert_eq!(examine("local", "doctor").code, Some(0));
    cluster.psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nope'");
    cluster.psql("postgres", "SELECT pg_reload_conf()");
    while cluster.psql("postgres", "SHOW synchronous_standby_names") != "nope" {}

    for weak in ["remote_write", "local"] {
        let told = examine(weak, "doctor");
        let served = examine(weak, "serve");

        let expected =
            format!("durability: synchronous_commit={weak}: what was acknowledged is lost when the server fails");
        assert_tells(&told, "problem", &expected);
        assert!(served.failure().1.contains(&expected), "{served:?}");
    }
    assert_eq!(examine("on", "doctor").code, Some(0));
}

#[test]
fn behind_a_proxy_it_says_whose_header_names_the_client() {
    let place = Place::new(Engine::Sqlite);
    let proxy = ("LIVENESS_TRUSTED_PROXIES", "127.0.0.1");
    let told = examine(&place, &[proxy]);
    assert_tells(
        &told,
        "hint",
        "the client's address is what the proxy writes into x-forwarded-for",
    );

    let header = ("LIVENESS_FORWARDED_HEADER", "CF-Connecting-IP");
    let told = examine(&place, &[proxy, header]);
    assert_tells(
        &told,
        "hint",
        "the client's address is what the proxy writes into cf-connecting-ip",
    );

    let told = examine(&place, &[header]);
    assert_tells(
        &told,
        "warning",
        "cf-connecting-ip is not read, because no proxy is trusted",
    );
}
