//! Writes a log, a proof and a receipt, for verifiers that are not ours: `.ci/trail`.
//!
//! ```sh
//! cargo run --package liveness-core --example trail -- DIR ENTRIES
//! ```
//!
//! `DIR/log` is laid out as `trail export` does. `DIR/vkey` is the public key of the log, and `DIR/jwks.json` that of the
//! receipt `DIR/receipt.jws`. `DIR/last.tlog-proof` proves the last entry, and `DIR/consistency` that the log began with
//! its first half: a hash in Base64 a line.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_core::trail::{
    Checkpoint, Hash, HashTiles, JwkSet, TILE_WIDTH, Tile, TlogProof, TrailKey, append, consistency_proof,
    entries_path, entry_bundle, inclusion_proof, leaf_hash, root,
};

/// As many as an integrator may find waiting.
const BATCH: usize = 1_000;

#[derive(Default)]
struct Tiles(BTreeMap<(u8, u64), Tile>);

impl HashTiles for Tiles {
    type Error = Infallible;

    fn tile(&mut self, level: u8, index: u64, _: u16) -> Result<Vec<u8>, Infallible> {
        Ok(self
            .0
            .get(&(level, index))
            .map(|tile| tile.bytes.clone())
            .unwrap_or_default())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: trail DIR ENTRIES, which is at least 2".into());
    };
    let (folder, count) = (PathBuf::from(folder), count.parse::<u64>()?);
    let entries: Vec<String> = (0..count).map(|index| format!("entry {index} of an example")).collect();
    let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();

    let mut tiles = Tiles::default();
    let mut size = 0;
    for batch in hashes.chunks(BATCH) {
        let appended = append(&mut tiles, size, batch)?;
        size = appended.size;
        tiles
            .0
            .extend(appended.tiles.into_iter().map(|tile| ((tile.level, tile.index), tile)));
    }
    let key = TrailKey::generate_named("bank.example/example")?.key;
    let checkpoint = Checkpoint::of(&key, size, root(&mut tiles, size)?).sign(&key);

    let log = folder.join("log");
    write(&log.join("checkpoint"), &checkpoint)?;
    for tile in tiles.0.values() {
        write(&log.join(tile.path()), &tile.bytes)?;
    }
    for (index, bundle) in (0..).zip(entries.chunks(TILE_WIDTH.into())) {
        let bytes = entry_bundle(bundle).ok_or("an entry is too long")?;
        write(&log.join(entries_path(index, u16::try_from(bundle.len())?)), &bytes)?;
    }

    let index = size - 1;
    let proof = TlogProof {
        extra: None,
        index,
        hashes: inclusion_proof(&mut tiles, index, size)?,
        checkpoint,
    };
    let half = consistency_proof(&mut tiles, size / 2, size)?;
    let half: String = half.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
    let claims = serde_json::json!({ "iss": key.origin(), "pad": "none", "log": { "index": index } });
    write(&folder.join("last.tlog-proof"), &proof.to_string())?;
    write(&folder.join("consistency"), &half)?;
    write(&folder.join("vkey"), &key.vkey())?;
    write(
        &folder.join("jwks.json"),
        &serde_json::to_string(&JwkSet {
            keys: vec![key.verifier().into()],
        })?,
    )?;
    write(&folder.join("receipt.jws"), &key.jws(&claims)?)?;
    println!("{size} entries in {}", log.display());
    Ok(())
}

fn write(path: &Path, bytes: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(path.parent().ok_or("a file has a folder")?)?;
    Ok(fs::write(path, bytes)?)
}
