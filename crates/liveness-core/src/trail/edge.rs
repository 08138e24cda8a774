//! The right edge of a tree, which is all that is needed to append to it and to know its root.

use super::hash::{Hash, complete_root, empty_root, node_hash};
use super::tile::{HashTiles, TILE_WIDTH, Tile, TreeError, read_tile};

/// The partial tile of each level.
///
/// It takes 8 KiB a level at most, and a tree of 16,777,216 entries has three levels. So a tree of any size can be made
/// anew, and compared, without keeping it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RightEdge {
    size: u64,
    /// The hashes of each level, from the entries' up, that are in no full tile yet.
    levels: Vec<Vec<Hash>>,
}

impl RightEdge {
    /// The edge of a tree without entries.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the edge of a tree of `size` entries: one partial tile of each level, if it has one.
    ///
    /// # Errors
    ///
    /// When a tile cannot be read, or is too short.
    pub fn read<T: HashTiles>(tiles: &mut T, size: u64) -> Result<Self, TreeError<T::Error>> {
        let mut levels = Vec::new();
        let mut hashes = size;
        for level in 0.. {
            if hashes == 0 {
                break;
            }
            let width = u16::from(hashes.to_le_bytes()[0]);
            hashes /= u64::from(TILE_WIDTH);
            let partial = if width == 0 {
                Vec::new()
            } else {
                read_tile(tiles, level, hashes, width)?
            };
            levels.push(partial);
        }
        Ok(Self { size, levels })
    }

    /// How many entries the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut root = None;
        for hashes in &self.levels {
            // From the right: one complete tree for each bit of the width, the smallest first.
            let mut end = hashes.len();
            while end > 0 {
                let start = end & (end - 1);
                let left = complete_root(&hashes[start..end]);
                root = Some(root.map_or(left, |right| node_hash(&left, &right)));
                end = start;
            }
        }
        root.unwrap_or_else(empty_root)
    }

    /// Appends entries, given by their hashes, and returns the tiles that have changed, each whole.
    ///
    /// This hashes about once for each entry. A tile that is full is returned once, and never changes again.
    pub fn append(&mut self, leaves: &[Hash]) -> Vec<Tile> {
        let mut tiles = Vec::new();
        let mut added = leaves.to_vec();
        let mut full = self.size / u64::from(TILE_WIDTH);
        for level in 0.. {
            if added.is_empty() {
                break;
            }
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let partial = &mut self.levels[usize::from(level)];
            partial.append(&mut added);
            let (whole, rest) = partial.as_chunks::<{ TILE_WIDTH as usize }>();
            let rest = rest.to_vec();
            let changed = whole
                .iter()
                .map(<[Hash; _]>::as_slice)
                .chain((!rest.is_empty()).then_some(&rest[..]));
            tiles.extend((full..).zip(changed).map(|(index, hashes)| Tile {
                level,
                index,
                bytes: hashes.concat(),
            }));
            added = whole.iter().map(|tile| complete_root(tile)).collect();
            *partial = rest;
            full /= u64::from(TILE_WIDTH);
        }
        self.size += leaves.len() as u64;
        tiles
    }
}

/// The root of a tree of `size` entries.
///
/// # Errors
///
/// When a partial tile of the right edge cannot be read, or is too short.
pub fn root<T: HashTiles>(tiles: &mut T, size: u64) -> Result<Hash, TreeError<T::Error>> {
    Ok(RightEdge::read(tiles, size)?.root())
}

/// What [`append`] has made of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// How many entries the tree has now.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The tiles to be written, each in place of one of the same level and index.
    pub tiles: Vec<Tile>,
}

/// Appends entries, given by their hashes, to a tree of `size` entries.
///
/// # Errors
///
/// When a partial tile of the right edge cannot be read, or is too short.
pub fn append<T: HashTiles>(tiles: &mut T, size: u64, leaves: &[Hash]) -> Result<Appended, TreeError<T::Error>> {
    let mut edge = RightEdge::read(tiles, size)?;
    let tiles = edge.append(leaves);
    Ok(Appended {
        size: edge.size(),
        root: edge.root(),
        tiles,
    })
}
