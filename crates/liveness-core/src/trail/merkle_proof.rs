//! Makes proofs from the tiles of a tree: RFC 6962, sections 2.1.1 and 2.1.2.

use std::collections::BTreeMap;
use std::ops::Range;

use super::hash::{Hash, complete_root, node_hash};
use super::tile::{HashTiles, TILE_WIDTH, TreeError, read_tile, width_at};

/// Proves that the entry at `index` is in the tree of `size` entries: the hashes beside its way to the root, from below.
///
/// # Errors
///
/// When `index` is not below `size`, or a tile cannot be read.
pub fn inclusion_proof<T: HashTiles>(tiles: &mut T, index: u64, size: u64) -> Result<Vec<Hash>, TreeError<T::Error>> {
    if index >= size {
        return Err(TreeError::Range { from: index, size });
    }
    let mut tree = Tree::new(tiles, size);
    let mut proof = Vec::new();
    let mut range = 0..size;
    while range.end - range.start > 1 {
        let (left, right) = split(&range);
        let (inside, beside) = if index < left.end { (left, right) } else { (right, left) };
        proof.push(tree.hash(beside)?);
        range = inside;
    }
    proof.reverse();
    Ok(proof)
}

/// Proves that the tree of `old` entries is the beginning of the tree of `new` entries.
///
/// The proof is empty if they are the same tree, and if the old one is empty.
///
/// # Errors
///
/// When `old` is greater than `new`, or a tile cannot be read.
pub fn consistency_proof<T: HashTiles>(tiles: &mut T, old: u64, new: u64) -> Result<Vec<Hash>, TreeError<T::Error>> {
    if old > new {
        return Err(TreeError::Range { from: old, size: new });
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let mut tree = Tree::new(tiles, new);
    let mut proof = Vec::new();
    let mut range = 0..new;
    while range.end > old {
        let (left, right) = split(&range);
        let (inside, beside) = if old <= left.end { (left, right) } else { (right, left) };
        proof.push(tree.hash(beside)?);
        range = inside;
    }
    // The verifier knows the root of the old tree, but not those of its parts.
    if range.start > 0 {
        proof.push(tree.hash(range)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Cuts a range of entries in two, as RFC 6962 does: the left part is the greatest power of two that leaves a right one.
fn split(range: &Range<u64>) -> (Range<u64>, Range<u64>) {
    let greatest_below = 1 << (range.end - range.start - 1).ilog2();
    let middle = range.start + greatest_below;
    (range.start..middle, middle..range.end)
}

/// A tree of a certain size, whose tiles are read once.
struct Tree<'a, T> {
    tiles: &'a mut T,
    size: u64,
    read: BTreeMap<(u8, u64), Vec<Hash>>,
}

impl<'a, T: HashTiles> Tree<'a, T> {
    fn new(tiles: &'a mut T, size: u64) -> Self {
        Self {
            tiles,
            size,
            read: BTreeMap::new(),
        }
    }

    /// The hash over a range of entries that [`split`] has made, which is not empty.
    fn hash(&mut self, range: Range<u64>) -> Result<Hash, TreeError<T::Error>> {
        let entries = range.end - range.start;
        if entries.is_power_of_two() {
            return self.complete(range.start, entries.ilog2());
        }
        let (left, right) = split(&range);
        Ok(node_hash(&self.hash(left)?, &self.hash(right)?))
    }

    /// The root of the complete tree of this height, which begins at an entry.
    fn complete(&mut self, start: u64, height: u32) -> Result<Hash, TreeError<T::Error>> {
        let level = u8::try_from(height / 8).unwrap_or_default();
        let first = start >> (8 * level);
        let index = first / u64::from(TILE_WIDTH);
        let offset = usize::from(first.to_le_bytes()[0]);
        let tile = match self.read.entry((level, index)) {
            std::collections::btree_map::Entry::Occupied(tile) => tile.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(read_tile(self.tiles, level, index, width_at(level, index, self.size))?)
            }
        };
        Ok(complete_root(&tile[offset..offset + (1 << (height % 8))]))
    }
}

#[cfg(test)]
mod tests;
