//! `users import`: a quote that is not closed in its line ends the import, and nobody is missing without a word.

use std::fmt::Write as _;

use crate::binary::{Ended, Place, block_on};
use crate::engine::{Engine, on_each_engine};

fn import(place: &Place, file: &[u8]) -> Ended {
    place.run_on(&["users", "import", "-"], file)
}

fn imported(place: &Place) -> usize {
    block_on(place.store().users().find((1..=1000).collect()))
        .unwrap()
        .len()
}

fn a_quote_that_is_never_closed_ends_the_import(engine: Engine) {
    let place = Place::new(engine);
    let mut file = "id,givenName\n100,A\n101,\"B\n".to_owned();
    for id in 102..=1000 {
        writeln!(file, "{id},U").unwrap();
    }

    let ended = import(&place, file.as_bytes());

    let told = "standard input lines 3 to 902: the quote that opens in line 3 is never closed, and a row must be one line; \
                nothing of the file was imported";
    assert_eq!(ended.failure(), (Some(1), told));
    assert_eq!((ended.out.as_str(), imported(&place)), ("", 0));
    assert_eq!(place.audit(), []);
}

fn a_row_that_swallows_others_ends_the_import(engine: Engine) {
    let place = Place::new(engine);
    let swallowing = "standard input lines 3 to 5: the quote that opens in line 3 is closed in line 5 only";
    let cases = [
        "id,givenName\n1,A\n2,\"B\n3,C\n4,D\"\n5,E\n",
        // The next quote is that of another row.
        "id,givenName\n1,A\n2,\"B\n3,C\n4,\"D\"\n5,E\n",
        "id,givenName\r\n1,A\r\n2,\"B\r\n3,C\r\n4,D\"\r\n5,E\r\n",
        "id,givenName\r1,A\r2,\"B\r3,C\r4,D\"\r5,E\r",
        // It holds a break and nothing like a row.
        "givenName,id\nA,1\n\"B\n\nb\",2\n",
        "\u{feff}id,givenName\n1,A\n2, \"B\n3,\"\"C\"\"\n4,D\"\n",
    ];
    for file in cases {
        let ended = import(&place, file.as_bytes());
        let (code, told) = ended.failure();
        assert_eq!((code, told.starts_with(swallowing)), (Some(1), true), "{told}");
    }
    assert_eq!(imported(&place), 0);
}

fn whoever_was_imported_before_stays(engine: Engine) {
    let place = Place::new(engine);
    import(&place, b"id,givenName\n1,A\n2,B\n").good();

    let ended = import(&place, b"id,givenName\n1,Z\n3,C\n4,\"D\n");

    assert_eq!(ended.failure().0, Some(1));
    assert_eq!(imported(&place), 2);
    let again = import(&place, b"id,givenName\n1,A\n2,B\n").good();
    assert_eq!(again, "users: 0 added, 0 changed, 2 unchanged, 0 refused\n");
}

on_each_engine! {
    a_quote_that_is_never_closed_ends_the_import,
    a_row_that_swallows_others_ends_the_import,
    whoever_was_imported_before_stays,
}

#[test]
fn the_lines_of_a_quote_that_opens_in_the_header_or_at_the_end_are_told() {
    let place = Place::new(Engine::Sqlite);
    for (file, expected) in [
        (
            "id,\"givenName\n1,A\n",
            "standard input lines 1 to 2: the quote that opens in line 1 is never closed",
        ),
        (
            "id\n1\n\"2",
            "standard input line 3: the quote that opens in it is never closed",
        ),
        (
            "id\n1\n2\"\n\"",
            "standard input line 4: the quote that opens in it is never closed",
        ),
    ] {
        let ended = import(&place, file.as_bytes());
        let (code, told) = ended.failure();
        assert_eq!((code, told.starts_with(expected)), (Some(1), true), "{told}");
    }
}

#[test]
fn a_broken_row_is_named_and_the_others_go_in() {
    let place = Place::new(Engine::Sqlite);
    let rows: [&[u8]; 10] = [
        b"1,5\" disk",
        b"2,\"a\"b",
        b"3,a,b",
        b"4",
        b"5,a\0b",
        b"\0\0\0\0",
        b"6,\"say \"\"hi\"\"\"",
        b"7, \"Jane\" ",
        b"   ",
        // It is cut off in the middle of a letter.
        b"8,Zo\xC3",
    ];
    let file = [&b"id,givenName\n"[..], &rows.join(&b'\n')].concat();

    let ended = import(&place, &file);

    let expected = "\
        line 2: a quote stands in the middle of a cell: put the whole cell in quotes, and double each quote in it
        line 3: a quote stands in the middle of a cell: put the whole cell in quotes, and double each quote in it
        line 4: it has 3 cells, and must have 2
        line 5: it has 1 cells, and must have 2
        line 6: givenName: must not contain control characters
        line 7: it has 1 cells, and must have 2
        line 11: givenName: must be UTF-8";
    let expected: Vec<_> = expected
        .lines()
        .map(|line| format!("liveness-http: standard input {}", line.trim()))
        .collect();
    let told: Vec<_> = ended.err.lines().collect();
    assert_eq!(told[..told.len() - 1], expected);
    assert_eq!(
        told.last(),
        Some(&"liveness-http: standard input: 7 lines were left out")
    );
    assert_eq!(ended.code, Some(3));
    assert_eq!(ended.out, "users: 2 added, 0 changed, 0 unchanged, 7 refused\n");
    let mut names = block_on(place.store().users().find(vec![6, 7])).unwrap();
    names.sort_unstable_by_key(|user| user.id);
    assert_eq!(names[0].first_name.as_deref(), Some("say \"hi\""));
    assert_eq!(names[1].first_name.as_deref(), Some("Jane"));
}

#[test]
fn every_end_of_lines_counts_as_one() {
    let place = Place::new(Engine::Sqlite);
    for end in ["\n", "\r\n", "\r"] {
        let file = ["id,givenName", "1,A", "", "x,B"].join(end);
        let ended = import(&place, file.as_bytes());
        assert!(
            ended.err.contains("standard input line 4: id: must be a whole number"),
            "{end:?} {ended:?}"
        );
    }
}

#[test]
fn a_file_in_utf_16_is_told() {
    let place = Place::new(Engine::Sqlite);
    let told = "standard input is UTF-16: save it as CSV in UTF-8";

    assert_eq!(import(&place, b"\xFF\xFEi\0d\0").failure(), (Some(1), told));
}
