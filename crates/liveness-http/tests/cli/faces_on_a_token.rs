//! What the commands do with key-encryption keys on a token.

use serde_json::Value;

use crate::binary::{Ended, Place};
use crate::engine::Engine;
use crate::soft_token::SoftToken;

const FACE: &[u8] = include_bytes!("../../assets/face.jpg");

fn run(place: &Place, token: &SoftToken, arguments: &[&str]) -> Ended {
    let mut command = place.command(arguments);
    command.envs(token.settings()).output().unwrap().into()
}

fn faces(place: &Place, token: &SoftToken) -> Vec<Value> {
    let exported = run(place, token, &["checks", "export", "--faces", "--reason", "a test"]).good();
    let face = |line| serde_json::from_str::<Value>(line).unwrap()["ImageBase64"].clone();
    exported.lines().map(face).collect()
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn faces_are_sealed_and_rotated_with_keys_on_a_token_and_the_old_key_is_destroyed_there() {
    let (place, token) = (Place::new(Engine::Sqlite), SoftToken::new());
    place.record(1, "session-1", 0, Some(FACE));
    let told = run(&place, &token, &["faces", "seal"]).good();
    assert!(told.starts_with("1 faces were sealed; "), "{told}");
    let (before, old) = (faces(&place, &token), token.objects());
    assert_eq!((before.len(), old.len()), (1, 1));

    let told = run(&place, &token, &["faces", "rotate"]).good();

    assert!(told.contains(" are wrapped by 00000002-"), "{told}");
    assert!(told.contains("; destroyed: 00000001-"), "{told}");
    let new = token.objects();
    assert!(new.len() == 1 && new != old, "{old:?} {new:?}");
    assert_eq!(faces(&place, &token), before);
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn doctor_looks_at_the_token_and_makes_no_key() {
    let (place, token) = (Place::new(Engine::Sqlite), SoftToken::new());
    let tells = |expected: &str| {
        let told = run(&place, &token, &["doctor"]);
        assert!(told.out.contains(expected), "{expected}:\n{}", told.out);
    };
    tells("hint     faces: LIVENESS_FACE_KEYS: the token \"liveness\" has no key yet");
    assert!(token.objects().is_empty());
    run(&place, &token, &["faces", "seal"]).good();
    tells("ok       faces: each is sealed with a key of its own, and the keys open");
    token.write_pin("wrong-pin");
    tells("problem  faces: LIVENESS_FACE_KEYS: the token \"liveness\": C_Login says PinIncorrect; write the PIN");
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_token_that_cannot_be_used_is_told_in_one_line() {
    let (place, token) = (Place::new(Engine::Sqlite), SoftToken::new());
    token.write_pin("wrong-pin");
    let refused = run(&place, &token, &["faces", "rotate"]);
    let (code, told) = refused.failure();
    assert_eq!(code, Some(1));
    assert!(
        told.starts_with("LIVENESS_FACE_KEYS: the token \"liveness\": C_Login says"),
        "{told}"
    );
}

#[test]
fn a_pin_in_the_setting_is_refused_and_not_shown() {
    let place = Place::new(Engine::Sqlite);
    let uri = "pkcs11:token=liveness?pin-value=98765&module-path=/m.so";
    let refused = place.run(&["faces", "rotate", "--face-keys", uri]);
    let (code, told) = refused.failure();
    assert_eq!(code, Some(2));
    assert!(
        told.contains("name the file by pin-source=file:FILE") && !told.contains("98765"),
        "{told}"
    );
}
