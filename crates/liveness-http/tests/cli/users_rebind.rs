//! `users import`: a userId with records behind it is not handed to another person, and each change has a trace.

use std::process::{Command, Stdio};

use crate::binary::{Ended, Place, block_on};
use crate::engine::{Engine, on_each_engine};

fn import(place: &Place, file: &str) -> Ended {
    place.run_on(&["users", "import", "-"], file.as_bytes())
}

fn rebind(place: &Place, file: &str) -> Ended {
    let arguments = ["users", "import", "--rebind", "--reason", "Ticket 4711", "-"];
    place.run_on(&arguments, file.as_bytes())
}

fn user_id(place: &Place, id: i64) -> Option<String> {
    let found = block_on(place.store().users().find(vec![id])).unwrap();
    found.into_iter().next().map(|user| user.user_id)
}

/// Users 10 and 11, of whom the first has a record.
fn two(engine: Engine) -> Place {
    let place = Place::new(engine);
    import(
        &place,
        "id,userId,email\n10,CUST-A,a@example.com\n11,CUST-B,b@example.com\n",
    )
    .good();
    place.record(10, "session-1", 0, None);
    place
}

fn a_user_id_with_records_is_not_handed_on(engine: Engine) {
    let place = two(engine);
    let taken = "userId: is that of another user, who has records: it is moved only by --rebind with --reason";
    let changed =
        "userId: differs from that of this user, who has records: it is changed only by --rebind with --reason";
    place.record(12, "session-2", 1, None);
    let cases = [
        // Of a user with records to one without, to one who is known, and to one who is new.
        ("11,CUST-A", taken),
        ("13,CUST-A", taken),
        // A user with records is given another's, one that nobody has, and the one made from the id.
        ("10,CUST-FRAUD", changed),
        ("10,USR-00000010", changed),
        ("10,cust-a", changed),
        ("10,CUST-B", "userId: is another user's"),
        ("11,CUST-A\n10,CUST-B", taken),
        // Records that are there before their user.
        ("12,CUST-C", changed),
    ];
    for (rows, expected) in cases {
        let ended = import(&place, &format!("id,userId\n{rows}\n"));
        let first = format!("liveness-http: standard input line 2: {expected}");
        assert_eq!(
            (ended.code, ended.err.lines().next()),
            (Some(3), Some(&*first)),
            "{rows}"
        );
        assert!(
            ended.out.starts_with("users: 0 added, 0 changed, 0 unchanged, "),
            "{}",
            ended.out
        );
    }
    assert_eq!(user_id(&place, 10).as_deref(), Some("CUST-A"));
    assert_eq!(user_id(&place, 11).as_deref(), Some("CUST-B"));
    assert_eq!((user_id(&place, 12), user_id(&place, 13)), (None, None));
    assert_eq!(place.done_to_users("users import").len(), 2);
}

fn what_hands_nothing_on_is_imported(engine: Engine) {
    let place = two(engine);
    place.record(12, "session-2", 1, None);

    let ended = import(
        &place,
        "id,userId,email\n10,CUST-A,new@example.com\n11,CUST-NEW,\n12,,\n",
    )
    .good();

    assert_eq!(ended, "users: 1 added, 2 changed, 0 unchanged, 0 refused\n");
    assert_eq!(user_id(&place, 11).as_deref(), Some("CUST-NEW"));
    assert_eq!(user_id(&place, 12).as_deref(), Some("USR-00000012"));
}

fn with_a_reason_it_moves_and_both_have_an_entry(engine: Engine) {
    let place = two(engine);

    let ended = rebind(&place, "id,userId\n13,CUST-A\n").good();

    assert_eq!(
        ended,
        "user 10: the userId is now USR-00000010, because user 13 has the one before\n\
         users: 1 added, 0 changed, 0 unchanged, 0 refused\n"
    );
    assert_eq!(user_id(&place, 13).as_deref(), Some("CUST-A"));
    assert_eq!(user_id(&place, 10).as_deref(), Some("USR-00000010"));
    let entries = place.done_to_users("users import");
    let [.., (first, why_first, 13), (second, why_second, 10)] = &*entries else {
        panic!("{entries:?}")
    };
    assert!(first.contains("userId taken from user 10"), "{first}");
    assert!(second.contains("given to user 13"), "{second}");
    for why in [why_first, why_second] {
        assert_eq!(why.as_deref(), Some("Ticket 4711"));
    }
}

fn two_users_may_swap(engine: Engine) {
    let place = two(engine);

    let ended = rebind(&place, "id,userId\n10,CUST-B\n11,CUST-A\n").good();

    assert_eq!(ended, "users: 0 added, 2 changed, 0 unchanged, 0 refused\n");
    assert_eq!(user_id(&place, 10).as_deref(), Some("CUST-B"));
    assert_eq!(user_id(&place, 11).as_deref(), Some("CUST-A"));
}

fn whoever_loses_the_one_made_from_the_id_gets_another(engine: Engine) {
    let place = Place::new(engine);
    import(&place, "id\n10\n").good();
    place.record(10, "session-1", 0, None);

    rebind(&place, "id,userId\n11,USR-00000010\n").good();

    assert_eq!(user_id(&place, 10).as_deref(), Some("USR-00000010-2"));
    assert_eq!(user_id(&place, 11).as_deref(), Some("USR-00000010"));
}

fn a_file_that_gives_one_user_id_twice_moves_it_once(engine: Engine) {
    let place = two(engine);

    let ended = rebind(&place, "id,userId\n13,CUST-A\n14,CUST-A\n");

    assert!(ended.err.contains("line 3: userId: is another user's"), "{ended:?}");
    assert_eq!(user_id(&place, 13).as_deref(), Some("CUST-A"));
    assert_eq!(user_id(&place, 14), None);
}

fn whoever_is_added_or_changed_has_an_entry(engine: Engine) {
    let place = Place::new(engine);
    let file = "id,email,givenName\n1,a@example.com,Ann\n2,b@example.com,Bob\n";
    import(&place, file).good();
    import(
        &place,
        "id,email,givenName\n1,a@example.com,Ann\n2,new@example.com,Rob\n",
    )
    .good();

    let entries = place.done_to_users("users import");

    let digest = sha256(file);
    let messages: Vec<_> = entries.iter().map(|(done, _, user)| (done.as_str(), *user)).collect();
    let added = format!("added; file SHA-256 {digest}");
    assert_eq!(messages[..2], [(added.as_str(), 1), (added.as_str(), 2)]);
    let [_, _, (changed, 2)] = &*messages else {
        panic!("{messages:?}")
    };
    assert!(
        changed.starts_with("changed email, givenName; file SHA-256 "),
        "{changed}"
    );
    assert!(
        !messages.iter().any(|(message, _)| message.contains("example.com")),
        "{messages:?}"
    );
    let whole = block_on(place.store().trail().newest(10)).unwrap();
    assert_eq!(whole[0].request_id, whole[1].request_id, "an import has one task");
}

on_each_engine! {
    a_user_id_with_records_is_not_handed_on,
    what_hands_nothing_on_is_imported,
    with_a_reason_it_moves_and_both_have_an_entry,
    two_users_may_swap,
    whoever_loses_the_one_made_from_the_id_gets_another,
    a_file_that_gives_one_user_id_twice_moves_it_once,
    whoever_is_added_or_changed_has_an_entry,
}

/// As another program computes it.
fn sha256(text: &str) -> String {
    use std::io::Write as _;
    let mut process = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let told = process.wait_with_output().unwrap().stdout;
    String::from_utf8(told).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn a_reason_and_the_flag_are_given_together() {
    let place = two(Engine::Sqlite);
    let long = "x".repeat(1001);
    let cases: [&[&str]; 6] = [
        &["--rebind"],
        &["--reason", "why"],
        &["--rebind", "--reason", ""],
        &["--rebind", "--reason", " "],
        &["--rebind", "--reason", "a\nb"],
        &["--rebind", "--reason", &long],
    ];
    for arguments in cases {
        let ended = place.run(&[&["users", "import", "users.csv"], arguments].concat());
        assert_eq!(ended.failure().0, Some(2), "{arguments:?}");
    }
}
