//! A byte order mark in front of a file that the host reads is no part of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use liveness_core::trail::TrailKey;
use serde_json::json;
use tempfile::TempDir;

use super::{assert_all_refused, assert_good};
use crate::engine::Engine;
use crate::keys::{KeyPair, claims, hmac_sha256, jwt};
use crate::provider::Provider;
use crate::server::{Server, token};

const MARK: &str = "\u{feff}";

/// A folder with one file that begins with the mark.
fn marked(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, format!("{MARK}{text}")).unwrap();
    let name = file.to_str().unwrap().to_owned();
    (folder, name)
}

#[test]
fn the_keys_of_tokens_are_read_behind_it() {
    let pair = KeyPair::p256();
    let (_held, pem) = marked(&pair.public_pem());
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_PUBLIC_KEY_FILE", &pem)]);
    assert_good(&server, "PEM", &pair.token(&claims()));

    let set = json!({ "keys": [pair.jwk("a")] }).to_string();
    let provider = [
        ("LIVENESS_JWT_ISSUER", crate::server::ISSUER),
        ("LIVENESS_JWT_AUDIENCE", "any"),
    ];
    let (_held, jwks) = marked(&set);
    let server = Server::with(
        Engine::Sqlite,
        &[&provider[..], &[("LIVENESS_JWT_JWKS", &jwks)]].concat(),
    );
    assert_good(&server, "JWKS in a file", &pair.named_token("a", &claims()));

    let served = Provider::of(&[pair.jwk("a")]);
    served.answer("200 OK", "", &format!("{MARK}{set}"));
    let server = Server::with(
        Engine::Sqlite,
        &[&provider[..], &[("LIVENESS_JWT_JWKS", &served.url())]].concat(),
    );
    assert_good(&server, "JWKS by a URL", &pair.named_token("a", &claims()));
}

#[test]
fn a_secret_is_what_stands_behind_it() {
    let other = "another secret of more than 32 bytes, in a file";
    let of_other = jwt(&json!({ "alg": "HS256" }), &claims(), |message| {
        hmac_sha256(other.as_bytes(), message)
    });
    let (_held, file) = marked(&format!("{other}\r\n"));
    let server = Server::with(
        Engine::Sqlite,
        &[("LIVENESS_JWT_SECRET", ""), ("LIVENESS_JWT_SECRET_FILE", &file)],
    );
    assert_good(&server, "the secret", &of_other);
    let of_marked = jwt(&json!({ "alg": "HS256" }), &claims(), |message| {
        hmac_sha256(format!("{MARK}{other}").as_bytes(), message)
    });
    assert_all_refused(&server, &[("with the mark", of_marked)]);
}

#[test]
fn the_key_of_the_trail_is_read_behind_it() {
    let (_held, file) = marked(TrailKey::generate().unwrap().pem.as_str());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_TRAIL_KEY_FILE", &file)]);
    assert_good(&server, "it starts", &token(&json!({ "sub": "1", "role": "customer" })));
}

#[test]
fn the_first_line_of_a_list_counts_behind_it() {
    let (_held, list) = marked("sub 3\n");
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_JWT_REVOKED_FILE", &list)]);
    let of = |sub: &str| token(&json!({ "sub": sub, "role": "customer" }));
    assert_good(&server, "another", &of("1"));
    assert_all_refused(&server, &[("revoked", of("3"))]);
}
