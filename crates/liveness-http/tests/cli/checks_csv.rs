//! `checks export --format csv`: what a spreadsheet makes of it.

use liveness_core::{Timestamp, User};

use crate::binary::{NOW, Place, block_on};
use crate::engine::Engine;

#[test]
fn a_byte_order_mark_is_there_when_it_is_asked_for() {
    let place = Place::new(Engine::Sqlite);
    let import = "id,displayName\n1,Zo\u{eb} \u{639}\u{644}\u{64a}\n";
    place.run_on(&["users", "import", "-"], import.as_bytes()).good();
    place.record(1, "a", 0, None);
    let export = ["checks", "export", "--format", "csv"];

    let without = place.run(&export).good();
    let with = place.run(&[&export[..], &["--bom"]].concat()).good();
    let to_file = place
        .run(&[&export[..], &["--bom", "--output", "out.csv"]].concat())
        .good();

    assert!(!without.starts_with('\u{feff}'), "{without}");
    assert_eq!(with, format!("\u{feff}{without}"));
    assert_eq!((to_file.as_str(), place.read("out.csv")), ("", with));
    assert!(without.contains("\"Zo\u{eb} \u{639}\u{644}\u{64a}\""), "{without}");
}

#[test]
fn a_byte_order_mark_is_for_csv_only() {
    let place = Place::new(Engine::Sqlite);
    for format in [&[][..], &["--format", "ndjson"]] {
        let ended = place.run(&[&["checks", "export", "--bom", "--output", "out"], format].concat());

        assert_eq!(ended.failure(), (Some(2), "--bom is for --format csv only"));
        assert!(!place.0.folder().join("out").exists());
    }
    assert_eq!(place.audit(), []);
}

#[test]
fn a_program_that_is_told_another_separator_finds_no_formula() {
    let place = Place::new(Engine::Sqlite);
    let name = "a;=1+1\t|@x";
    let user = User {
        id: 1,
        user_id: "=USR;-1".into(),
        display_name: Some(name.into()),
        first_name: Some("\";=1".into()),
        ..Default::default()
    };
    let now = Timestamp::from_unix_millis(NOW).unwrap();
    block_on(place.store().users().put(vec![user], now)).unwrap();
    place.record(1, "s;\"=1\",+2", 0, None);

    let csv = place.run(&["checks", "export", "--format", "csv"]).good();

    for separator in [b',', b';', b'\t', b'|'] {
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader.delimiter(separator).flexible(true).from_reader(csv.as_bytes());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert!(!rows.is_empty());
        for cell in rows.iter().flat_map(csv::StringRecord::iter) {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
        }
    }
}
