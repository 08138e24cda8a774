//! `users import`: what a file says is in the directory, the same file changes nothing, and bad lines are named.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use liveness_core::User;

use crate::binary::{Ended, Place, block_on};
use crate::engine::{Engine, on_each_engine};

const TWO: &str = "id,userId,preRegistrationId,email,givenName,familyName,middleName,displayName
1234,,77,jane@example.com,Jane,Doe,,
5,USR-JOE,,,Joe,,M.,\"Joe, the other\"
";

fn users(place: &Place, ids: &[i64]) -> Vec<User> {
    let mut users = block_on(place.store().users().find(ids.to_vec())).unwrap();
    users.sort_unstable_by_key(|user| user.id);
    users
}

fn jane() -> User {
    User {
        id: 1234,
        user_id: "USR-00001234".into(),
        pre_registration_id: Some(77),
        email_address: Some("jane@example.com".into()),
        first_name: Some("Jane".into()),
        last_name: Some("Doe".into()),
        middle_name: None,
        display_name: Some("Jane Doe".into()),
    }
}

fn joe() -> User {
    User {
        id: 5,
        user_id: "USR-JOE".into(),
        first_name: Some("Joe".into()),
        middle_name: Some("M.".into()),
        display_name: Some("Joe, the other".into()),
        ..User::default()
    }
}

fn the_users_of_a_file_are_there_and_the_same_file_changes_nothing(engine: Engine) {
    let place = Place::new(engine);
    place.write("users.csv", TWO);

    let first = place.run(&["users", "import", "users.csv"]).good();
    let second = place.run(&["users", "import", "users.csv"]).good();

    assert_eq!(first, "users: 2 added, 0 changed, 0 unchanged, 0 refused\n");
    assert_eq!(second, "users: 0 added, 0 changed, 2 unchanged, 0 refused\n");
    assert_eq!(users(&place, &[1234, 5]), [joe(), jane()]);
}

fn what_differs_is_changed_and_what_has_no_column_stays(engine: Engine) {
    let place = Place::new(engine);
    place.run_on(&["users", "import", "-"], TWO.as_bytes()).good();
    let changes = "displayName,id,email\n,1234,\nJoe,5,joe@example.com\n";

    let told = place.run_on(&["users", "import", "-"], changes.as_bytes()).good();
    let again = place.run_on(&["users", "import", "-"], changes.as_bytes()).good();

    assert_eq!(told, "users: 0 added, 2 changed, 0 unchanged, 0 refused\n");
    assert_eq!(again, "users: 0 added, 0 changed, 2 unchanged, 0 refused\n");
    let without_email = User {
        email_address: None,
        ..jane()
    };
    let with_both = User {
        email_address: Some("joe@example.com".into()),
        display_name: Some("Joe".into()),
        ..joe()
    };
    assert_eq!(users(&place, &[1234, 5]), [with_both, without_email]);
}

fn every_bad_line_is_named_and_the_others_go_in(engine: Engine) {
    let place = Place::new(engine);
    place.run_on(&["users", "import", "-"], TWO.as_bytes()).good();
    let long = "canary".repeat(50);
    let file = format!(
        "id,userId,preRegistrationId,email,givenName\n\
         1,,,one@example.com,One\n\
         canary,77,0,canary,{long}\n\
         2,USR-JOE,,,\n\
         3,,\n\
         1,,,,\n\
         ,,,,\n\
         4,,,,a\"b\n\
         6,USR-SAME,,,\n\
         7,USR-SAME,,,\n\
         8,,,,last\n"
    );

    let ended = place.run_on(&["users", "import", "-"], file.as_bytes());

    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(ended.out, "users: 3 added, 0 changed, 0 unchanged, 7 refused\n");
    let expected = "\
        line 3: id: must be a whole number from 1
        line 3: userId: must not be a number, which is an id
        line 3: preRegistrationId: must be a whole number from 1
        line 3: email: must be an electronic mail address
        line 3: givenName: must have at most 255 characters
        line 4: userId: is another user's
        line 5: it has 3 cells, and must have 5
        line 6: id: stands in line 2 already
        line 7: id: must be there
        line 8: a quote stands in the middle of a cell: put the whole cell in quotes, and double each quote in it
        line 10: userId: is another user's";
    let told: Vec<_> = ended.err.lines().collect();
    let expected: Vec<_> = expected
        .lines()
        .map(|line| format!("liveness-http: standard input {}", line.trim()))
        .chain(["liveness-http: standard input: 7 lines were left out".to_owned()])
        .collect();
    assert_eq!(told, expected);
    assert!(!ended.err.contains("canary"), "{}", ended.err);
    let there: Vec<_> = users(&place, &(1..=8).collect::<Vec<_>>())
        .iter()
        .map(|user| user.id)
        .collect();
    assert_eq!(there, [1, 5, 6, 8]);
}

fn an_import_is_audited(engine: Engine) {
    let place = Place::new(engine);

    place.run_on(&["users", "import", "-"], TWO.as_bytes()).good();

    let entries = place.audit();
    let (principal, message, user) = &entries[0];
    assert!(principal.starts_with("cli:") && principal.len() > 4, "{principal}");
    assert_eq!((message.as_str(), *user), ("users import", None));
}

fn two_thousand_users_go_in_in_batches(engine: Engine) {
    let place = Place::new(engine);
    let mut file = "id,email\n".to_owned();
    for id in 1..=2500 {
        writeln!(file, "{id},user{id}@example.com").unwrap();
    }
    file += "0,\n";

    let ended = place.run_on(&["users", "import", "-"], file.as_bytes());

    assert_eq!(ended.out, "users: 2500 added, 0 changed, 0 unchanged, 1 refused\n");
    assert!(
        ended.err.contains("line 2502: id: must be a whole number from 1"),
        "{}",
        ended.err
    );
    assert_eq!(
        users(&place, &[2500])[0].email_address.as_deref(),
        Some("user2500@example.com")
    );
}

on_each_engine! {
    the_users_of_a_file_are_there_and_the_same_file_changes_nothing,
    what_differs_is_changed_and_what_has_no_column_stays,
    every_bad_line_is_named_and_the_others_go_in,
    an_import_is_audited,
    two_thousand_users_go_in_in_batches,
}

#[test]
fn a_header_that_is_wrong_is_told_without_data() {
    let place = Place::new(Engine::Sqlite);
    let columns = "id, userId, preRegistrationId, email, givenName, familyName, middleName, displayName";
    let cases = [
        (
            "id,Email,user id\n",
            format!("the columns must be of {columns}, separated by commas; these are not: `Email`, `user id`"),
        ),
        (
            "1234,USR-1,jane@example.com\n",
            format!(
                "the columns must be of {columns}, separated by commas; these are not: column 1, column 2, column 3"
            ),
        ),
        (
            "id;email\n",
            format!("the columns must be of {columns}, separated by commas; these are not: column 1"),
        ),
        (
            "",
            format!("the columns must be of {columns}, separated by commas; these are not: none"),
        ),
        (
            "email\n",
            format!("the column id is missing; the columns are {columns}"),
        ),
        ("id,email,id\n", "the column id stands there twice".to_owned()),
    ];
    for (header, expected) in cases {
        let ended = place.run_on(&["users", "import", "-"], header.as_bytes());
        assert_eq!(
            ended.failure(),
            (Some(1), &*format!("standard input line 1: {expected}"))
        );
        assert_eq!(ended.out, "");
    }
    assert_eq!(place.audit(), []);
}

#[test]
fn a_spreadsheets_mark_and_line_ends_are_understood() {
    let place = Place::new(Engine::Sqlite);
    let file = "\u{feff}id,givenName\r\n1, Zo\u{eb} \r\n";

    place.run_on(&["users", "import", "-"], file.as_bytes()).good();

    assert_eq!(users(&place, &[1])[0].first_name.as_deref(), Some("Zo\u{eb}"));
}

#[test]
fn another_encoding_is_a_bad_line() {
    let place = Place::new(Engine::Sqlite);

    let ended = place.run_on(&["users", "import", "-"], b"id,givenName\n1,Zo\xeb\n");

    assert!(
        ended.err.contains("standard input line 2: givenName: must be UTF-8"),
        "{ended:?}"
    );
    assert_eq!(ended.code, Some(3));
}

#[test]
fn without_a_file_or_a_database_nothing_is_made() {
    let place = Place::new(Engine::Sqlite);
    let no_file = place.run(&["users", "import", "none.csv"]);
    place.write("users.csv", TWO);
    let no_database = place.run(&["users", "import", "users.csv", "--database-url", "sqlite://none.db"]);
    let empty = Place::empty(Engine::Sqlite);
    std::fs::File::create(empty.0.file()).unwrap();
    let no_schema = empty.run_on(&["users", "import", "-"], TWO.as_bytes());

    assert_eq!(
        no_file.failure(),
        (Some(1), "cannot read none.csv: No such file or directory (os error 2)")
    );
    let (code, told) = no_database.failure();
    assert_eq!(
        (code, told.contains("cannot open the database none.db")),
        (Some(1), true),
        "{told}"
    );
    assert!(!place.0.folder().join("none.db").exists());
    let (code, told) = no_schema.failure();
    assert_eq!((code, told.contains("run `migrate` first")), (Some(1), true), "{told}");
}

#[test]
fn an_interruption_is_told_and_what_was_done_stays() {
    let place = Place::new(Engine::Sqlite);
    // The second batch does not end by itself.
    let slow = "CREATE TRIGGER slow AFTER INSERT ON liveness_users WHEN NEW.id = 1200 BEGIN \
        WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c; END";
    let path = place.0.file().display().to_string();
    let mut conn = SqliteConnection::establish(&path).unwrap();
    conn.batch_execute(&format!("PRAGMA busy_timeout = 5000; {slow}"))
        .unwrap();
    let mut file = "id\n".to_owned();
    for id in 1..=1500 {
        writeln!(file, "{id}").unwrap();
    }
    place.write("users.csv", &file);
    let process = place
        .command(&["users", "import", "users.csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while users(&place, &[1000]).is_empty() {
        std::thread::yield_now();
    }

    let ended = interrupt(process);

    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(
        ended.err,
        "liveness-http: interrupted: 1000 added, 0 changed, 0 unchanged, 0 refused, to line 1001; the same import again \
         does the rest\n"
    );
    assert_eq!(users(&place, &[1, 1000, 1500]).len(), 2);
    // The entry of the import, and one for each user who is there.
    assert_eq!(place.done_to_users("users import").len(), 1000);
}

#[test]
fn a_file_that_is_never_whole_imports_nobody() {
    let place = Place::new(Engine::Sqlite);
    let mut process = place
        .command(&["users", "import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    // More than a pipe holds, so that it is reading when this returns.
    input.write_all("id\n".repeat(100_000).as_bytes()).unwrap();

    let ended = interrupt(process);

    assert_eq!(ended.failure(), (Some(130), "interrupted: nothing was imported"));
    assert_eq!(place.audit(), []);
}

fn interrupt(process: std::process::Child) -> Ended {
    let sent = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    process.wait_with_output().unwrap().into()
}
