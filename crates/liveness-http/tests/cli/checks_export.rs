//! `checks export`: every record once, in two formats, and a trace before anything leaves.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use aws_lc_rs::digest::{SHA256, digest};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use liveness_core::{AuditSubject, Shown};
use serde_json::Value;

use crate::binary::{Place, block_on};
use crate::engine::{Engine, on_each_engine};

const FACE: &[u8] = include_bytes!("../../assets/face.jpg");

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sessions(text: &str) -> Vec<String> {
    let session = |record: &Value| record["SessionId"].as_str().unwrap().to_owned();
    lines(text).iter().map(session).collect()
}

/// Three records of two users, the second with a face.
fn three(engine: Engine) -> Place {
    let place = Place::new(engine);
    let import = "id,email,displayName\n1,jane@example.com,=Jane\n";
    place.run_on(&["users", "import", "-"], import.as_bytes()).good();
    place.record(1, "a", 0, None);
    place.record(2, "b", 1, Some(FACE));
    place.record(1, "c", 2, None);
    place
}

/// What the entries of an export say, and the user of each.
fn traces(place: &Place) -> Vec<(AuditSubject, Option<i64>)> {
    place.told_by("checks export")
}

/// An entry that is about no single record.
fn told(shown: Shown) -> AuditSubject {
    AuditSubject {
        shown,
        ..AuditSubject::default()
    }
}

/// The entry with which an export begins.
fn begun(form: &str, filter: &[(&str, &str)], purpose: Option<&str>) -> AuditSubject {
    let given = filter.iter();
    told(Shown {
        filter: given
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        detail: Some(form.to_owned()),
        purpose: purpose.map(str::to_owned),
        ..Shown::default()
    })
}

/// The entry that comes before some records.
fn page(records: &[i64], purpose: Option<&str>) -> AuditSubject {
    told(Shown {
        records: records.to_vec(),
        count: Some(records.len() as u64),
        purpose: purpose.map(str::to_owned),
        ..Shown::default()
    })
}

fn every_record_is_a_line_with_the_fields_of_the_list(engine: Engine) {
    let place = three(engine);

    let exported = place.run(&["checks", "export"]).good();

    let records = lines(&exported);
    assert_eq!(sessions(&exported), ["a", "b", "c"]);
    assert_eq!(records[0]["EmailAddress"], "jane@example.com");
    assert_eq!(records[0]["CreatedAt"], "2026-03-22T14:00:05Z");
    assert_eq!(records[1]["UserId2"], Value::Null);
    assert_eq!(records[1]["HasImage"], true);
    assert!(
        records.iter().all(|record| record.get("ImageBase64").is_none()),
        "{exported}"
    );
    assert_eq!(
        traces(&place),
        [(begun("ndjson", &[], None), None), (page(&[1, 2, 3], None), None)]
    );
}

fn csv_has_the_same_fields_and_no_formula(engine: Engine) {
    let place = three(engine);

    let exported = place.run(&["checks", "export", "--format", "csv"]).good();

    let mut reader = csv::Reader::from_reader(exported.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let json = lines(&place.run(&["checks", "export", "--user", "1"]).good());
    let names: Vec<_> = header.iter().collect();
    let fields: Vec<_> = json[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, fields);
    let cell = |row: usize, name: &str| rows[row].get(header.iter().position(|column| column == name).unwrap());
    assert_eq!(rows.len(), 3);
    assert_eq!(cell(0, "DisplayName"), Some("'=Jane"));
    assert_eq!(cell(0, "IsSuccessful"), Some("true"));
    assert_eq!(cell(1, "EmailAddress"), Some(""));
    assert_eq!(cell(2, "SessionId"), Some("c"));
}

fn filters_choose_the_records(engine: Engine) {
    let place = three(engine);
    let cases: [(&[&str], &[&str]); 16] = [
        (&["--user", "1"], &["a", "c"]),
        (&["--session", "b"], &["b"]),
        (&["--pre-registration", "9"], &[]),
        (&["--from", "2026-03-22T14:00:06Z"], &["b", "c"]),
        (&["--before", "2026-03-22T15:00:07+01:00"], &["a", "b"]),
        (&["--user", "1", "--from", "2026-03-22T14:00:06Z"], &["c"]),
        (&["--to", "2026-03-22T15:00:07+01:00[Africa/Lagos]"], &["a", "b"]),
        (&["--from", "2026-03-21T24:00", "--to", "2026-03-22 14:00:06"], &["a"]),
        (&["--has-image", "true"], &["b"]),
        (&["--has-image", "false"], &["a", "c"]),
        (&["--is-successful", "false"], &[]),
        (&["--is-successful", "true", "--user", "2"], &["b"]),
        (&["--verdict", "review", "--has-image", "false"], &["a", "c"]),
        (&["--decision", "none"], &["a", "b", "c"]),
        (&["--decision", "ask_again", "--user", "1"], &[]),
        (&["--has-image", "false", "--before", "2026-03-22T14:00:06Z"], &["a"]),
    ];
    for (filter, expected) in cases {
        let exported = place.run(&[&["checks", "export"], filter].concat()).good();
        assert_eq!(sessions(&exported), expected, "{filter:?}");
    }
    let left = traces(&place);
    let users_own = begun("ndjson", &[("selfServiceUserId", "1")], None);
    assert_eq!(left[..2], [(users_own, Some(1)), (page(&[1, 3], None), Some(1))]);
    let with_all = begun("ndjson", &[("hasImage", "false"), ("to", "2026-03-22T14:00:06Z")], None);
    let count = left.len();
    assert_eq!(left[count - 2..], [(with_all, None), (page(&[1], None), None)]);
}

#[test]
fn an_export_that_would_end_before_it_begins_is_refused() {
    let place = three(Engine::Sqlite);
    let span = ["--from", "2026-03-22T14:00:06Z", "--before", "2026-03-22T14:00:05Z"];

    let refused = place.run(&[&["checks", "export"], &span[..]].concat());

    assert_eq!(refused.failure(), (Some(1), "--before must not be before --from"));
    assert_eq!(traces(&place), []);
}

fn a_face_leaves_with_a_trace_of_its_user(engine: Engine) {
    let place = three(engine);

    let faces = ["checks", "export", "--faces", "--reason", "Ticket 4711"];
    let exported = place.run(&faces).good();
    let as_csv = place.run(&[&faces[..], &["--format", "csv"]].concat()).good();

    let image = lines(&exported)[1]["ImageBase64"].as_str().unwrap().to_owned();
    assert!(image.starts_with("data:image/jpeg;base64,/9j/"), "{image}");
    assert!(as_csv.contains(&image));
    assert!(lines(&exported)[0].get("ImageBase64").is_none());
    let why = Some("Ticket 4711");
    let mut face = AuditSubject {
        liveness_check_id: Some(2),
        face_digest: Some(digest(&SHA256, FACE).as_ref().try_into().unwrap()),
        ..AuditSubject::default()
    };
    face.shown.purpose = why.map(str::to_owned);
    let once = |form| {
        [
            (begun(form, &[], why), None),
            (page(&[1, 2, 3], why), None),
            (face.clone(), Some(2)),
        ]
    };
    assert_eq!(
        traces(&place),
        [once("ndjson, with faces"), once("csv, with faces")].concat()
    );
    let entries = block_on(place.store().trail().newest(2)).unwrap();
    assert_eq!(entries[0].request_id, entries[1].request_id);
    assert!(entries[0].principal.starts_with("cli:"), "{entries:?}");
}

/// The reader holds the pipe full, so that all that can leave has left.
fn no_face_leaves_before_its_trace(engine: Engine) {
    let place = Place::new(engine);
    for user in 1..=500 {
        place.record(user, &format!("s-{user}"), user, Some(&[FACE, &[0; 4096]].concat()));
    }
    let mut process = place
        .command(&["checks", "export", "--faces", "--reason", "Ticket 4711"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();

    let traced: Vec<_> = traces(&place).into_iter().filter_map(|(_, user)| user).collect();
    let (mut rest, mut left) = (String::new(), 1);
    // Whoever has left is traced, and those far behind are not yet.
    assert!(traced.contains(&1) && traced.len() < 500, "{}", traced.len());
    out.read_to_string(&mut rest).unwrap();
    left += rest.lines().count();
    assert_eq!(left, 500);
    assert!(process.wait().unwrap().success());
    assert_eq!(traces(&place).len(), 502);
}

fn what_cannot_be_audited_does_not_leave(engine: Engine) {
    let place = three(engine);
    let rename = "ALTER TABLE liveness_audit_entries RENAME TO gone";
    match place.0.postgres() {
        Some(database) => drop(database.sql(rename)),
        None => {
            let path = place.0.file().display().to_string();
            let mut conn = SqliteConnection::establish(&path).unwrap();
            // The store that recorded is closing its file.
            conn.batch_execute(&format!("PRAGMA busy_timeout = 5000; {rename}"))
                .unwrap();
        }
    }

    for faces in [&[][..], &["--faces", "--reason", "Ticket 4711"]] {
        let ended = place.run(&[&["checks", "export", "--output", "out.ndjson"], faces].concat());
        let (code, _) = ended.failure();
        assert_eq!((code, ended.out.as_str()), (Some(1), ""));
        assert!(!place.0.folder().join("out.ndjson").exists());
    }
}

#[test]
fn faces_need_a_reason() {
    let place = three(Engine::Sqlite);
    for (reason, expected) in [
        (&[][..], "required arguments were not provided: --reason <TEXT>"),
        (
            &["--reason", " "],
            "must be 1 to 1,000 characters without control characters",
        ),
        (
            &["--reason", "a\nb"],
            "must be 1 to 1,000 characters without control characters",
        ),
    ] {
        let refused = place.run(&[&["checks", "export", "--faces"], reason].concat());
        let (code, said) = refused.failure();
        assert_eq!((code, refused.out.as_str()), (Some(2), ""));
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(traces(&place), []);
}

/// The kernel keeps the login through `sudo`. This process may set one if it has none and is privileged enough; `sh` says what it
/// is in the end.
#[test]
fn an_entry_names_the_login_and_the_account() {
    let place = three(Engine::Sqlite);
    let script = "{ echo 1 > /proc/self/loginuid; } 2>/dev/null; cat /proc/self/loginuid >&2; exec \"$@\"";
    let export = place.command(&["checks", "export"]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, "sh"])
        .arg(export.get_program())
        .args(export.get_args());
    shell.envs(place.0.settings()).current_dir(place.0.folder());
    let ran = shell.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");

    let entry = &block_on(place.store().trail().newest(1)).unwrap()[0];

    let name = |id: u32| {
        let told = Command::new("id").args(["-nu", &id.to_string()]).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    };
    let account = name(rustix::process::geteuid().as_raw());
    let (login, roles) = match String::from_utf8(ran.stderr).unwrap().trim().parse() {
        Ok(login) if login != u32::MAX => (name(login), format!("operator,user:{account}")),
        _ => (account, "operator".to_owned()),
    };
    assert_eq!((&*entry.principal, &*entry.roles), (&*format!("cli:{login}"), &*roles));
}

on_each_engine! {
    every_record_is_a_line_with_the_fields_of_the_list,
    csv_has_the_same_fields_and_no_formula,
    filters_choose_the_records,
    a_face_leaves_with_a_trace_of_its_user,
    no_face_leaves_before_its_trace,
    what_cannot_be_audited_does_not_leave,
}

#[test]
fn a_new_file_is_its_owners_only_and_one_that_is_there_is_left_alone() {
    let place = three(Engine::Sqlite);
    let export = ["checks", "export", "--output", "out.ndjson"];

    let first = place.run(&export).good();
    let second = place.run(&export);

    assert_eq!(first, "");
    let mode = std::fs::metadata(place.0.folder().join("out.ndjson"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        second.failure(),
        (Some(1), "cannot make out.ndjson: File exists (os error 17)")
    );
    assert_eq!(sessions(&place.read("out.ndjson")), ["a", "b", "c"]);
}

#[test]
fn without_records_csv_has_a_header() {
    let place = Place::new(Engine::Sqlite);

    assert_eq!(place.run(&["checks", "export"]).good(), "");
    let csv = place.run(&["checks", "export", "--format", "csv"]).good();
    assert!(
        csv.starts_with("\"Id\",\"SelfServiceUserId\",") && csv.lines().count() == 1,
        "{csv}"
    );
}

#[test]
fn a_file_that_cannot_be_made_is_told_with_its_folder() {
    let place = Place::new(Engine::Sqlite);

    let ended = place.run(&["checks", "export", "--output", "none/out.ndjson"]);

    let told = "cannot make none/out.ndjson: No such file or directory (os error 2) (the folder none is not there)";
    assert_eq!(ended.failure(), (Some(1), told));
}

#[test]
fn whoever_has_read_enough_is_not_complained_of() {
    let place = Place::new(Engine::Sqlite);
    for user in 1..=1000 {
        place.record(user, &format!("s-{user}"), user, None);
    }
    let mut process = place
        .command(&["checks", "export"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();

    let ended = process.wait_with_output().unwrap();

    assert_eq!(sessions(&first), ["s-1"]);
    assert_eq!((ended.status.code(), ended.stderr.len()), (Some(0), 0));
}

#[test]
fn an_output_that_fails_in_the_middle_is_told_with_how_far_it_came() {
    let place = three(Engine::Sqlite);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();

    let ended = place.command(&["checks", "export"]).stdout(full).output().unwrap();

    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert_eq!(
        told,
        "liveness-http: cannot write the output: No space left on device (os error 28) (0 records were written, and more \
         were asked for)\n"
    );
}

#[test]
fn an_interruption_is_told_with_how_far_it_came() {
    let place = Place::new(Engine::Sqlite);
    for user in 1..=1000 {
        place.record(user, &format!("s-{user}"), user, None);
    }
    let mut process = place
        .command(&["checks", "export"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It has begun, and waits for somebody to read.
    let mut out = BufReader::new(process.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let sent = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());

    let mut told = String::new();
    process.stderr.take().unwrap().read_to_string(&mut told).unwrap();

    assert_eq!(process.wait().unwrap().code(), Some(130), "{told}");
    assert!(
        told.starts_with("liveness-http: interrupted: ") && told.contains(" records were written"),
        "{told}"
    );
}
