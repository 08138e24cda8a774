//! Who sits at a terminal sees how far it has come. Whoever does not is spared: all other tests look.

use std::fmt::Write as _;
use std::process::Command;

use crate::binary::Place;
use crate::engine::Engine;

/// What a person would see, and find in the file.
fn on_a_terminal(place: &Place, arguments: &str) -> String {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_liveness-http"));
    let ran = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(place.0.folder())
        .env("TERM", "xterm")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn a_bar_is_drawn_and_taken_away() {
    let place = Place::new(Engine::Sqlite);
    let mut file = "id\n".to_owned();
    for id in 1..=5000 {
        writeln!(file, "{id}").unwrap();
    }
    place.write("users.csv", &file);
    for user in 1..=500 {
        place.record(user, &format!("s-{user}"), user, None);
    }

    let import = on_a_terminal(&place, "users import users.csv");
    let export = on_a_terminal(&place, "checks export --output out.ndjson");

    assert!(
        import.contains(" KiB of ") && import.contains("users: 5000 added"),
        "{import:?}"
    );
    assert!(export.contains(" of 500 records"), "{export:?}");
    for seen in [import, export] {
        // The line is cleared when it is done.
        assert!(seen.contains("\u{1b}[2K"), "{seen:?}");
    }
    assert_eq!(place.read("out.ndjson").lines().count(), 500);
}
