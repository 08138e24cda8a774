//! Tokens that are good no longer before they end: the list is read again when it changes.

use std::fs;

use serde_json::json;

use super::{ask, assert_all_refused, assert_good};
use crate::engine::Engine;
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
