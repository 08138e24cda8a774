//! What comes from outside the trail: checkpoints and proofs that somebody hands in, answers of a witness, keys.
//!
//! The first line of the input says what the rest is.

#![no_main]

use data_encoding::BASE64;
use libfuzzer_sys::fuzz_target;
use liveness_core::trail::{
    SignedCheckpoint, TlogProof, TrailKey, TrailVerifier, WitnessAnswer, WitnessVerifier, verify_consistency,
    verify_inclusion,
};

const KEY: &str = include_str!("keys/trail.pem");

/// A note of this text, and of further signatures, which a log has signed.
fn signed(text: &str, key: &TrailKey, lines: &str) -> String {
    let vkey = key.vkey();
    let id = vkey.split('+').nth(1).expect("a vkey has an id");
    let id = u32::from_str_radix(id, 16).expect("an id is hexadecimal").to_be_bytes();
    let signature = [&id[..], &key.sign(text.as_bytes())].concat();
    format!(
        "{text}\n\u{2014} {} {}\n{lines}",
        key.origin(),
        BASE64.encode(&signature)
    )
}

fn checkpoint(text: &str, lines: &str) {
    let key = TrailKey::from_pem(KEY).expect("the key is one");
    let note = signed(text, &key, lines);
    let Ok(opened) = SignedCheckpoint::open(&note, key.verifier()) else {
        return;
    };
    // Its three lines stand there as they would be written, and nothing else was signed.
    assert_eq!(opened.checkpoint().origin, key.origin());
    assert!(text.starts_with(&opened.checkpoint().to_string()), "{text:?}");
    // The key has signed this text and no other.
    let other = note.replacen('\n', "\nx\n", 1);
    assert!(SignedCheckpoint::open(&other, key.verifier()).is_err(), "{other:?}");
}

fn proof(text: &str) {
    let key = TrailKey::from_pem(KEY).expect("the key is one");
    let Ok(proof) = TlogProof::parse(text) else {
        return;
    };
    assert_eq!(proof.to_string(), text);
    assert!(proof.verify(b"an entry", key.verifier()).is_err());
    // Whatever the sizes, it ends, and nothing is proven by hashes that are not those of a tree.
    let hash = [0; 32];
    for size in [0, 1, proof.index, proof.index.saturating_add(1), u64::MAX] {
        let is_alone = proof.index == 0 && size == 1 && proof.hashes.is_empty();
        assert_eq!(
            verify_inclusion(&hash, proof.index, size, &proof.hashes, &hash).is_ok(),
            is_alone
        );
        let is_same = proof.index == size && proof.hashes.is_empty();
        assert_eq!(
            verify_consistency((proof.index, &hash), (size, &hash), &proof.hashes).is_ok(),
            is_same
        );
    }
}

fn answer(line: &str, rest: &str) {
    let mut parts = line.splitn(2, ' ');
    let status = parts.next().and_then(|status| status.parse().ok()).unwrap_or(200);
    match WitnessAnswer::read(status, parts.next().unwrap_or_default(), rest) {
        Ok(WitnessAnswer::Cosigned(lines)) => {
            assert_eq!((status, lines.as_str()), (200, rest));
            assert!(lines.lines().all(|line| line.starts_with("\u{2014} ")));
        }
        Ok(WitnessAnswer::Size(size)) => assert_eq!((status, rest.trim_end()), (409, size.to_string().as_str())),
        Ok(_) => assert!([403, 404, 422].contains(&status)),
        Err(_) => {}
    }
}

fuzz_target!(|input: &str| {
    let (kind, rest) = input.split_once('\n').unwrap_or((input, ""));
    match kind {
        "checkpoint" => {
            let (text, lines) = rest.rsplit_once("\n\n").unwrap_or((rest, ""));
            checkpoint(&format!("{text}\n"), lines);
        }
        "proof" => proof(rest),
        "vkey" => {
            if let Ok(verifier) = TrailVerifier::parse(rest) {
                assert_eq!(verifier.to_string(), rest);
            }
            if let Ok(verifier) = WitnessVerifier::parse(rest) {
                assert_eq!(verifier.to_string(), rest);
            }
        }
        "key" => {
            if let Ok(key) = TrailKey::from_pem(rest) {
                assert_eq!(TrailVerifier::parse(&key.vkey()).as_ref(), Ok(key.verifier()));
                assert_eq!(
                    key.verifier().verify(rest.as_bytes(), &key.sign(rest.as_bytes())),
                    Ok(())
                );
            }
        }
        line => answer(line, rest),
    }
});
