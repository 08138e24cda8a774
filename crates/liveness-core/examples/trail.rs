//! Writes entries, and exports their log with a proof and a receipt, for verifiers that are not ours: `.ci/trail`.
//!
//! ```text
//! cargo run --package liveness-core --example trail -- DIR ENTRIES
//! ```
//!
//! `DIR/log` is what `trail export` writes. `DIR/vkey` is the public key of the log, and `DIR/jwks.json` that of the receipt
//! `DIR/receipt.jws`. `DIR/last.tlog-proof` proves the last entry. `DIR/consistency` proves that the log began with its first
//! half: a hash in Base64 a line.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_core::store::Store;
use liveness_core::trail::{
    HashTiles, JwkSet, SignedCheckpoint, TlogProof, TrailKey, consistency_proof, inclusion_proof, sign_receipt,
    tile_path,
};
use liveness_core::{AuditEntry, AuditSubject, Clock as _, SystemClock};

/// The entries of one transaction.
const CHUNK: u32 = 1_000;

/// The tiles of an export.
struct Export(PathBuf);

impl HashTiles for Export {
    type Error = io::Error;

    fn tile(&mut self, level: u8, index: u64, width: u16) -> io::Result<Vec<u8>> {
        fs::read(self.0.join(tile_path(level, index, width)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, count] = &arguments[..] else {
        return Err("usage: trail DIR ENTRIES".into());
    };
    let (folder, count) = (PathBuf::from(folder), count.parse::<u32>()?);
    let log = folder.join("log");
    fs::create_dir_all(&log)?;

    let new = TrailKey::generate_named("bank.example/example")?;
    let key = TrailKey::from_pem(new.pem.as_str())?;
    let store = Store::open(&format!("sqlite://{}", folder.join("example.db").display()))?;
    store.migrate()?;
    store.trail().sign_entries(&key)?;
    for first in (0..count).step_by(CHUNK as usize) {
        let entries = (first..count.min(first + CHUNK)).map(entry);
        store.trail().append_all(entries.collect()).await?;
    }
    // The first entry of a log tells of the log.
    let wanted = u64::from(count) + 1;
    let mut logged = 0;
    while logged < wanted {
        let keeper = store.trail().keep(TrailKey::from_pem(new.pem.as_str())?, false)?;
        // It signs a checkpoint before it ends.
        keeper.stop();
        logged = keeper.state().size;
    }
    store.trail().export(&key, &log, |_, _| ())?;

    let note = fs::read_to_string(log.join("checkpoint"))?;
    let size = SignedCheckpoint::open(&note, key.verifier())?.checkpoint().size;
    let mut tiles = Export(log);
    let index = size - 1;
    let hashes = inclusion_proof(&mut tiles, index, size)?;
    let half = consistency_proof(&mut tiles, size / 2, size)?;
    let half: String = half.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
    let proof = TlogProof {
        extra: None,
        index,
        hashes,
        checkpoint: note,
    };
    let claims = serde_json::json!({ "iss": key.origin(), "pad": "none", "log": { "index": index } });
    fs::write(folder.join("last.tlog-proof"), proof.to_string())?;
    fs::write(folder.join("consistency"), half)?;
    fs::write(folder.join("vkey"), key.vkey())?;
    fs::write(
        folder.join("jwks.json"),
        serde_json::to_vec(&JwkSet {
            keys: vec![key.verifier().into()],
        })?,
    )?;
    fs::write(folder.join("receipt.jws"), sign_receipt(&key, &claims)?)?;
    println!("{size} entries in {}", folder.display());
    Ok(())
}

fn entry(number: u32) -> AuditEntry {
    AuditEntry {
        at: SystemClock.now(),
        request_id: format!("request-{number}"),
        principal: "reviewer".to_owned(),
        issuer: None,
        actor: None,
        roles: "admin".to_owned(),
        self_service_user_id: Some(i64::from(number) + 1),
        message: "GetUserLivenessCheckQuery".into(),
        outcome: "00".into(),
        client_address: None,
        subject: AuditSubject::default(),
    }
}
