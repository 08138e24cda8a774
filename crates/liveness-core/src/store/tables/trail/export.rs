//! Writes the log as files that the verifiers of others read: `docs/trail.md#an-export`.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::log::{self, GENESIS, StoredTiles};
use super::rows;
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::{OpenError, StoreError};
use crate::trail::{
    HashTiles as _, MacKey, SignedCheckpoint, TILE_WIDTH, TrailVerifier, entries_path, entry_bundle, tile_path,
};

/// Writes the log of the newest checkpoint into an empty folder. Returns how many entries it has.
pub(crate) fn export(
    connections: &Connections,
    (log, mac_key): (&TrailVerifier, &MacKey),
    folder: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, OpenError> {
    let newest = connections
        .read(log::newest_checkpoint)
        .map_err(|error| of_store(&error))?;
    let newest = newest.ok_or_else(|| OpenError::new("the trail has no checkpoint yet".to_owned()))?;
    let signed = SignedCheckpoint::open(&newest.note, log).map_err(|error| {
        OpenError::new(format!(
            "the newest checkpoint is not signed by the key of the trail: {error}"
        ))
    })?;
    let size = signed.checkpoint().size;
    let exporter = Exporter {
        connections,
        mac_key,
        folder,
    };
    let width = u64::from(TILE_WIDTH);
    for index in 0..size.div_ceil(width) {
        exporter.bundle(index, size)?;
        progress(((index + 1) * width).min(size), size);
    }
    let (mut level, mut hashes) = (0, size);
    while hashes > 0 {
        for index in 0..hashes.div_ceil(width) {
            exporter.tile(level, index, hashes)?;
        }
        hashes /= width;
        level += 1;
    }
    // Last, so that a folder with a checkpoint has all that belongs to it.
    exporter.write("checkpoint", newest.note.as_bytes())?;
    Ok(size)
}

struct Exporter<'a> {
    connections: &'a Connections,
    mac_key: &'a MacKey,
    folder: &'a Path,
}

/// How many of `total` things are in the tile or bundle.
fn width_of(index: u64, total: u64) -> u16 {
    u16::try_from(total - index * u64::from(TILE_WIDTH)).map_or(TILE_WIDTH, |left| left.min(TILE_WIDTH))
}

impl Exporter<'_> {
    fn tile(&self, level: u8, index: u64, hashes: u64) -> Result<(), OpenError> {
        let width = width_of(index, hashes);
        let tile = self
            .connections
            .read(|conn| StoredTiles(conn).tile(level, index, width));
        let tile = tile.map_err(|error| of_store(&error))?;
        let bytes = tile.get(..usize::from(width) * 32).ok_or_else(|| {
            OpenError::new(format!("tile {index} of level {level} is not whole")).mended_by("run `trail verify`")
        })?;
        self.write(&tile_path(level, index, width), bytes)
    }

    fn bundle(&self, index: u64, size: u64) -> Result<(), OpenError> {
        let width = width_of(index, size);
        let first = i64::try_from(index * u64::from(TILE_WIDTH)).unwrap_or(i64::MAX);
        let leaves = self
            .connections
            .read(|conn| conn.transaction(Purpose::Read, |conn| self.leaves(conn, first..first + i64::from(width))));
        let leaves = leaves.map_err(|error| of_store(&error))?.map_err(|problem| {
            OpenError::new(problem).mended_by("run `trail verify`, which names all that is wrong")
        })?;
        let bundle = entry_bundle(&leaves)
            .ok_or_else(|| OpenError::new("an entry of the trail has more than 65,535 bytes".to_owned()))?;
        self.write(&entries_path(index, width), &bundle)
    }

    /// The leaves of a bundle, or why they cannot be made.
    fn leaves(&self, conn: &mut Connection<'_>, own: Range<i64>) -> Result<Result<Vec<Vec<u8>>, String>, StoreError> {
        let mut leaves = Vec::new();
        for run in log::runs_from(conn, own.start, i64::from(TILE_WIDTH) + 1)? {
            let Some(part) = run.part_of(&own) else { continue };
            if run.writer == GENESIS {
                leaves.push(log::head(conn)?.genesis().leaf());
                continue;
            }
            let mut next = part.start;
            for row in rows::of_writer(conn, &run.writer, run.count_at(part.start)..run.count_at(part.end))? {
                if row.count() != run.count_at(next) {
                    continue;
                }
                match row.leaf(self.mac_key) {
                    Ok(leaf) => leaves.push(leaf),
                    Err(problem) => return Ok(Err(format!("audit entry {} was changed: {problem}", row.id))),
                }
                next += 1;
            }
            if next < part.end {
                return Ok(Err(format!("the audit entry of leaf {next} was taken away")));
            }
        }
        Ok(Ok(leaves))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), OpenError> {
        let path = self.folder.join(path);
        let written = match path.parent() {
            Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)),
            None => fs::write(&path, bytes),
        };
        written.map_err(|error| OpenError::new(format!("cannot write {}: {error}", path.display())))
    }
}

fn of_store(error: &StoreError) -> OpenError {
    OpenError::of("read the trail of", error)
}
