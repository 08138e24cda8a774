//! Faces outside the database, as callers see them.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use liveness_core::trail::TrailKey;
use serde_json::json;

use crate::engine::{Database, Engine, on_each_engine};
use crate::server::{FACE, SECRET, Server, admin, command, customer, report};

/// A server that keeps its faces at a URL. Its keys are in a folder of the test.
fn serving(engine: Engine, folder: &std::path::Path, url: &str, more: &[(&str, &str)]) -> Server {
    let (keys, wrapped) = (folder.join("keys"), folder.join("liveness.keys.db"));
    let keys = format!("file:{}", keys.display());
    let wrapped = format!("sqlite://{}", wrapped.display());
    let own = [
        ("LIVENESS_FACE_KEYS", &*keys),
        ("LIVENESS_KEYS_URL", &*wrapped),
        ("LIVENESS_FACES_URL", url),
    ];
    Server::with(engine, &[&own[..], more].concat())
}

fn with_face(session: &str) -> serde_json::Value {
    let mut body = report(session, true);
    let face = liveness_core::FaceImage::from_bytes(FACE.to_vec()).unwrap();
    body["imageBase64"] = json!(face.to_data_uri());
    body["metadata"] = json!({ "verificationResult": true });
    body
}

fn a_face_is_recorded_looked_at_and_missed_while_its_place_is_away(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("faces");
    let server = serving(engine, folder.path(), &format!("file://{}", place.display()), &[]);
    let submit = |user, session| server.send("SubmitLivenessCheckCommand", &customer(user), &with_face(session));
    let look = || server.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": 1 }));
    assert_eq!(submit(1, "session-1").status, 200);
    let shown = look().data()["LivenessCheck"]["ImageBase64"].clone();
    assert!(shown == with_face("")["imageBase64"]);
    // The face, and the mark that says whose the folder is.
    assert_eq!(fs::read_dir(&place).unwrap().count(), 2);

    let away = folder.path().join("away");
    fs::rename(&place, &away).unwrap();
    fs::write(&place, "no folder").unwrap();
    assert_eq!((submit(2, "session-2").status, look().status), (503, 503));
    let faceless = report("session-3", true);
    assert_eq!(
        server
            .send("SubmitLivenessCheckCommand", &customer(3), &faceless)
            .status,
        200
    );

    fs::remove_file(&place).unwrap();
    fs::rename(&away, &place).unwrap();
    assert_eq!((submit(2, "session-2").status, look().status), (200, 200));
}

fn a_host_starts_while_its_object_store_is_out_of_reach(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    // A port that nobody listens on.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{nobody}");
    let settings = [
        ("AWS_ENDPOINT_URL", &*endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-a-test"),
    ];
    let server = serving(engine, folder.path(), "s3://faces/of-a-test", &settings);
    let refused = server.send("SubmitLivenessCheckCommand", &customer(1), &with_face("session-1"));
    assert_eq!(refused.status, 503);
    let faceless = report("session-2", true);
    assert_eq!(
        server
            .send("SubmitLivenessCheckCommand", &customer(2), &faceless)
            .status,
        200
    );
    let log = server.log();
    assert!(
        log.contains("the place of the faces is out of reach") && !log.contains("secret-of-a-test"),
        "{log}"
    );
}

/// The binary on the database of a server that has ended, with its settings and its faces at a URL.
fn run(server: &Server, arguments: &[&str], url: &str) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command(arguments)
        .envs(server.database().settings())
        .env("LIVENESS_TRAIL_KEY_FILE", server.database().trail_key_file())
        .env("LIVENESS_FACES_URL", url)
        .current_dir(server.database().folder())
        .output()
        .unwrap();
    let told = String::from_utf8([stdout, stderr].concat()).unwrap();
    (status.code(), told)
}

fn an_object_that_was_taken_away_is_found_by_trail_verify(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("faces");
    let url = format!("file://{}", place.display());
    let mut server = serving(engine, folder.path(), &url, &[]);
    for user in 1..=3 {
        let submitted = server.send(
            "SubmitLivenessCheckCommand",
            &customer(user),
            &with_face(&format!("session-{user}")),
        );
        assert_eq!(submitted.status, 200);
    }
    server.signal("TERM");
    assert!(server.wait().success());
    let verify = |url: &str| run(&server, &["trail", "verify"], url);
    let (code, told) = verify(&url);
    assert!(
        code == Some(0) && told.contains("3 records and 3 faces compared"),
        "{told}"
    );
    let (code, told) = verify("database");
    assert!(code == Some(1) && told.contains("LIVENESS_FACES_URL"), "{told}");

    let mut objects = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
    let is_mark = |object: &std::path::PathBuf| object.ends_with("0".repeat(32));
    fs::remove_file(objects.find(|object| !is_mark(object)).unwrap()).unwrap();
    let (code, told) = verify(&url);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains(" was taken away in the object store: object ") && told.ends_with("1 finding\n"),
        "{told}"
    );
    if matches!(engine, Engine::Sqlite) {
        let (_, told) = run(&server, &["backup", "backup.db"], &url);
        let faces = "3 faces (3 of them in the object store, and not in this file)";
        assert!(told.contains(faces), "{told}");
    }
}

fn a_host_does_not_start_on_the_faces_of_another(engine: Engine) {
    let (folder, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = format!("file://{}", others.path().join("faces").display());
    let server = serving(engine, others.path(), &url, &[]);
    assert_eq!(server.get("/health/ready").status, 200);

    let database = Database::create(engine);
    let key = folder.path().join("trail.pem");
    fs::write(&key, TrailKey::generate().unwrap().pem.as_str()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let keys = format!("file:{}", folder.path().join("keys").display());
    let wrapped = format!("sqlite://{}", folder.path().join("keys.db").display());
    let started = command(&["serve"])
        .envs(database.settings())
        .env("LIVENESS_TRAIL_KEY_FILE", &key)
        .envs([
            ("LIVENESS_JWT_SECRET", SECRET),
            ("LIVENESS_BIND", "127.0.0.1:0"),
            ("RUST_LOG", "error"),
        ])
        .envs([
            ("LIVENESS_FACE_KEYS", &keys),
            ("LIVENESS_KEYS_URL", &wrapped),
            ("LIVENESS_FACES_URL", &url),
        ])
        .current_dir(database.folder())
        .output()
        .unwrap();
    let told = String::from_utf8(started.stderr).unwrap();
    assert_eq!((started.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    assert!(
        told.starts_with("liveness-http: LIVENESS_FACES_URL: the faces there are of another database"),
        "{told}"
    );
}

on_each_engine!(
    an_object_that_was_taken_away_is_found_by_trail_verify,
    a_host_does_not_start_on_the_faces_of_another,
    a_face_is_recorded_looked_at_and_missed_while_its_place_is_away,
    a_host_starts_while_its_object_store_is_out_of_reach,
);
