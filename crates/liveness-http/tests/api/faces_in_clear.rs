//! Faces that were recorded in clear are sealed by a host that has keys, while it serves.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_core::store::TrailPart;
use serde_json::json;

use crate::durability::until;
use crate::engine::{Database, Engine, on_each_engine};
use crate::server::{FACE, Server, admin, customer, report};

const FACES: i64 = 20;

fn faces_in_clear_are_sealed_once_there_are_keys(engine: Engine) {
    let database = Arc::new(Database::create(engine));
    let server = Server::on(Arc::clone(&database), &[]);
    let face = format!("data:image/jpeg;base64,{}", STANDARD.encode(FACE));
    for user in 1..=FACES {
        let mut body = report(&format!("session-{user}"), true);
        body["imageBase64"] = json!(face);
        let answer = server.send("SubmitLivenessCheckCommand", &customer(user), &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(database.store().faces_in_clear().unwrap(), FACES);
    let keys = Database::create(engine);
    let url = match keys.postgres() {
        None => format!("sqlite://{}", keys.folder().join("keys.db").display()),
        Some(postgres) => postgres.url(),
    };
    let folder = format!("file:{}", keys.folder().join("face-keys").display());
    let settings = [("LIVENESS_FACE_KEYS", &*folder), ("LIVENESS_KEYS_URL", &*url)];

    let nodes = [(); 2].map(|()| Server::on(Arc::clone(&database), &settings));

    until(|| database.store().faces_in_clear().unwrap() == 0);
    until(|| {
        nodes.iter().any(|node| {
            node.log()
                .contains("20 faces were sealed that had been recorded in clear")
        })
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let entries = runtime.block_on(database.store().trail().newest(1000)).unwrap();
    let (of_faces, of_job): (Vec<_>, Vec<_>) = entries
        .iter()
        .filter(|entry| entry.message == "faces seal")
        .partition(|entry| entry.subject.face_digest.is_some());
    // One for each face, and those of the beginning and of the end of one job.
    assert_eq!((of_faces.len(), of_job.len()), (20, 2));
    for node in &nodes {
        let metrics = format!("http://{}/metrics", node.address());
        let read = || ureq::get(&metrics).call().unwrap().body_mut().read_to_string().unwrap();
        until(|| read().contains("\nliveness_faces_in_clear 0\n"));
        let look = node.send("GetLivenessCheckQuery", &admin(), &json!({ "id": 1 }));
        assert_eq!(look.data()["LivenessCheck"]["ImageBase64"], face, "{look:?}");
    }
    drop(nodes);
    let key = database.trail_key();
    let verified = server
        .store()
        .trail()
        .verify(&key, false, TrailPart::WHOLE, |_, _| {})
        .unwrap();
    assert_eq!(verified.findings, [""; 0]);
}

on_each_engine! {
    faces_in_clear_are_sealed_once_there_are_keys,
}
