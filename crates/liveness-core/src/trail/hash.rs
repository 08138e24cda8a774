//! The hashes of RFC 6962, section 2.1, over SHA-256.

use sha2::{Digest, Sha256};

/// A hash of the tree, 32 bytes.
pub type Hash = [u8; 32];

/// The hash of an entry: SHA-256 over 0x00 and its bytes.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
}

/// The hash of an inner node: SHA-256 over 0x01 and its two children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [1; 65];
    node[1..33].copy_from_slice(left);
    node[33..].copy_from_slice(right);
    Sha256::digest(node).into()
}

/// The root of a tree without entries: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The root of a complete tree, whose lowest hashes these are. There are a power of two of them.
pub(super) fn complete_root(hashes: &[Hash]) -> Hash {
    debug_assert!(hashes.len().is_power_of_two());
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        let (pairs, _) = level.as_chunks::<2>();
        level = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    level[0]
}
