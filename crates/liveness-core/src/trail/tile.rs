//! Tiles of hashes, bundles of entries, and the paths that both have in an export: C2SP tlog-tiles.

use super::hash::Hash;

/// The hashes of a full tile, and the entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// The hashes of a tile that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// 0 for hashes of entries. A hash of level n+1 is the root of a full tile of level n.
    pub level: u8,
    /// The place of the tile in its level, from 0.
    pub index: u64,
    /// All hashes of the tile, 32 bytes each.
    pub bytes: Vec<u8>,
}

impl Tile {
    /// How many hashes the tile has, 1 to 256. Below 256 the tile is partial.
    #[must_use]
    pub fn width(&self) -> u16 {
        u16::try_from(self.bytes.len() / size_of::<Hash>()).unwrap_or(TILE_WIDTH)
    }

    /// The path of the tile in an export.
    #[must_use]
    pub fn path(&self) -> String {
        tile_path(self.level, self.index, self.width())
    }
}

/// Where tiles are kept.
pub trait HashTiles {
    /// Why a tile could not be read.
    type Error;

    /// Reads the first `width` hashes of a tile, 32 bytes each. What comes behind them is ignored: the tile may have grown.
    ///
    /// # Errors
    ///
    /// When the tile cannot be read, or is not there. A tile that is too short is told by the caller.
    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Self::Error>;
}

impl<T: HashTiles + ?Sized> HashTiles for &mut T {
    type Error = T::Error;

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Self::Error> {
        (**self).tile(level, index, width)
    }
}

/// Why a tree could not be read, or a proof not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError<E> {
    /// A tile could not be read.
    #[error("tile {index} of level {level} cannot be read")]
    Tile {
        /// The level of the tile.
        level: u8,
        /// Its place in the level.
        index: u64,
        /// Why.
        source: E,
    },
    /// A tile has fewer hashes than a tree of this size has there.
    #[error("tile {index} of level {level} has {found} bytes, but {width} hashes of 32 bytes are in it")]
    Short {
        /// The level of the tile.
        level: u8,
        /// Its place in the level.
        index: u64,
        /// How many hashes it must have.
        width: u16,
        /// How many bytes it has.
        found: usize,
    },
    /// There is no such proof.
    #[error("there is no proof from {from} to a tree of {size} entries")]
    Range {
        /// The index of the entry, or the size of the smaller tree.
        from: u64,
        /// The size of the tree.
        size: u64,
    },
}

/// Reads the first `width` hashes of a tile.
pub(super) fn read_tile<T: HashTiles>(
    tiles: &mut T,
    level: u8,
    index: u64,
    width: u16,
) -> Result<Vec<Hash>, TreeError<T::Error>> {
    let bytes = tiles
        .tile(level, index, width)
        .map_err(|source| TreeError::Tile { level, index, source })?;
    let (hashes, _) = bytes.as_chunks::<32>();
    let found = bytes.len();
    Ok(hashes
        .get(..usize::from(width))
        .ok_or(TreeError::Short {
            level,
            index,
            width,
            found,
        })?
        .to_vec())
}

/// How many hashes of a tile belong to a tree of this size, 0 to 256.
pub(super) fn width_at(level: u8, index: u64, size: u64) -> u16 {
    let hashes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let before = index.saturating_mul(u64::from(TILE_WIDTH));
    u16::try_from(hashes.saturating_sub(before)).map_or(TILE_WIDTH, |left| left.min(TILE_WIDTH))
}

/// The path of a tile in an export: `tile/1/x001/x234/067.p/5` for a partial tile of 5 hashes.
#[must_use]
pub fn tile_path(level: u8, index: u64, width: u16) -> String {
    path(&level.to_string(), index, width)
}

/// The path of a bundle of entries in an export: `tile/entries/x001/x234/067.p/5` for a partial bundle of 5 entries.
#[must_use]
pub fn entries_path(index: u64, width: u16) -> String {
    path("entries", index, width)
}

fn path(folder: &str, index: u64, width: u16) -> String {
    let mut name = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        name = format!("x{:03}/{name}", rest % 1000);
        rest /= 1000;
    }
    let partial = if width < TILE_WIDTH {
        format!(".p/{width}")
    } else {
        String::new()
    };
    format!("tile/{folder}/{name}{partial}")
}

/// The bytes of a bundle: each entry behind its length, which is a big-endian u16.
///
/// `None` if an entry has more than 65,535 bytes.
#[must_use]
pub fn entry_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Option<Vec<u8>> {
    let mut bundle = Vec::with_capacity(entries.iter().map(|entry| 2 + entry.as_ref().len()).sum());
    for entry in entries.iter().map(AsRef::as_ref) {
        bundle.extend(u16::try_from(entry.len()).ok()?.to_be_bytes());
        bundle.extend(entry);
    }
    Some(bundle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_tlog_tiles() {
        assert_eq!(entries_path(1_234_067, 5), "tile/entries/x001/x234/067.p/5");
        assert_eq!(tile_path(0, 0, 256), "tile/0/000");
        assert_eq!(tile_path(1, 999, 255), "tile/1/999.p/255");
        assert_eq!(tile_path(0, 1_000, 256), "tile/0/x001/000");
        assert_eq!(tile_path(2, 1_000_000, 256), "tile/2/x001/x000/000");
    }

    #[test]
    fn the_widths_of_a_tree_of_70_000_are_those_of_the_specification() {
        assert_eq!(
            (
                width_at(0, 272, 70_000),
                width_at(0, 273, 70_000),
                width_at(0, 274, 70_000)
            ),
            (256, 112, 0)
        );
        assert_eq!(
            (width_at(1, 0, 70_000), width_at(1, 1, 70_000), width_at(2, 0, 70_000)),
            (256, 17, 1)
        );
        assert_eq!((width_at(8, 0, u64::MAX), width_at(0, 0, u64::MAX)), (0, 256));
    }

    #[test]
    fn a_bundle_has_a_length_before_each_entry() {
        assert_eq!(
            entry_bundle(&[&b"ab"[..], b"", b"c"]).unwrap(),
            b"\x00\x02ab\x00\x00\x00\x01c"
        );
        assert!(entry_bundle(&[vec![0; 65_535]]).is_some());
        assert!(entry_bundle(&[vec![0; 65_536]]).is_none());
    }
}
