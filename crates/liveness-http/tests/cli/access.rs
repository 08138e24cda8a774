//! `access` prints the registry.

use liveness_bus::liveness::MESSAGES;
use serde_json::Value;

use crate::binary::run;

#[test]
fn every_message_stands_there_with_who_may_send_it() {
    let table = run(&["access"]).good();

    assert_eq!(table.lines().count(), MESSAGES.len() + 1, "{table}");
    for meta in MESSAGES {
        let line = table.lines().find(|line| line.starts_with(meta.name())).unwrap();
        assert!(line.contains(&meta.access().describe()), "{line}");
    }
    let columns: Vec<_> = table.lines().map(|line| line.find("  ")).collect();
    assert!(columns.iter().all(Option::is_some), "{table}");
}

#[test]
fn programs_are_told_the_same() {
    let told: Vec<Value> = serde_json::from_str(&run(&["access", "--format", "json"]).good()).unwrap();

    assert_eq!(told.len(), MESSAGES.len());
    for meta in MESSAGES {
        let object = told.iter().find(|object| object["message"] == meta.name()).unwrap();
        assert_eq!(object["who"], meta.access().describe());
    }
}
