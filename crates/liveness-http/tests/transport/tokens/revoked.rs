//! Tokens that are good no longer before they end: the list is read again when it changes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use super::{ask, assert_all_refused, assert_good};
use crate::engine::Engine;
use crate::metrics::{metric, wait_for};
use crate::server::{Server, token};
use crate::wire::{settled_log, wait_until};

fn of(sub: &str, jti: &str) -> String {
    token(&json!({ "sub": sub, "role": "customer", "jti": jti }))
}

#[test]
fn a_token_on_the_list_is_refused_once_the_list_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("revoked");
    fs::write(&list, "# lost phones\n\njti stolen\nsub 3\n").unwrap();
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_REVOKED_FILE", list.to_str().unwrap())]);
    let without_id = token(&json!({ "sub": "1", "role": "customer" }));
    assert_good(&server, "another", &of("1", "good"));
    assert_good(&server, "without an id", &without_id);
    assert_all_refused(
        &server,
        &[("by its id", of("1", "stolen")), ("by its subject", of("3", "good"))],
    );
    assert!(settled_log(&server).contains("token=revoked"));

    // What is no list changes nothing, and neither does none.
    fs::write(&list, "jti good\nstolen\n").unwrap();
    wait_until("it is not told", || {
        server.log().contains("line 2: must be `jti` or `sub`")
    });
    fs::remove_file(&list).unwrap();
    wait_until("it is not told", || server.log().contains("No such file"));
    assert_good(&server, "another", &of("1", "good"));
    assert_all_refused(&server, &[("by its id", of("1", "stolen"))]);

    fs::write(&list, "jti good\n").unwrap();
    wait_until("it is not revoked", || ask(&server, &of("1", "good")).status == 401);
    assert_good(&server, "the other way round", &of("3", "stolen"));
}

const STALE: &str = r#"liveness_stale_files{setting="LIVENESS_JWT_REVOKED_FILE"}"#;

/// A server that has read this list, in which one subject stands.
fn followed(list: &Path) -> Server {
    fs::write(list, "sub 3\n").unwrap();
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_REVOKED_FILE", list.to_str().unwrap())]);
    assert_eq!(metric(&server, STALE), 0.0);
    server
}

#[test]
fn a_list_that_could_not_be_read_is_read_once_it_can_be_although_it_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("revoked");
    let server = followed(&list);
    let new = folder.path().join("new");
    fs::write(&new, "sub 3\nsub 4\n").unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o000)).unwrap();
    fs::rename(&new, &list).unwrap();
    wait_for(&server, STALE, 1.0);
    assert_good(&server, "not revoked yet", &of("4", "a"));
    assert_all_refused(&server, &[("revoked before", of("3", "a"))]);

    fs::set_permissions(&list, fs::Permissions::from_mode(0o644)).unwrap();

    wait_until("it is not revoked", || ask(&server, &of("4", "a")).status == 401);
    wait_for(&server, STALE, 0.0);
    let warnings = server
        .log()
        .matches("revoked tokens: those from before are kept")
        .count();
    assert_eq!(warnings, 1, "{}", server.log());
}

#[test]
fn a_list_that_becomes_empty_revokes_as_before_until_it_says_that_it_means_it() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("revoked");
    let server = followed(&list);
    fs::write(&list, "\n").unwrap();
    wait_for(&server, STALE, 1.0);
    assert_all_refused(&server, &[("by its subject", of("3", "a"))]);
    assert!(server.log().contains("has become empty"), "{}", server.log());

    fs::write(&list, "# none\n").unwrap();

    wait_until("it is still revoked", || ask(&server, &of("3", "a")).status != 401);
    wait_for(&server, STALE, 0.0);
}
