//! Verifies proofs without the tree: RFC 9162, sections 2.1.3.2 and 2.1.4.2, which are those of RFC 6962.

use super::hash::{Hash, empty_root, node_hash};

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The entry is not in a tree of this size, or the old tree is greater than the new one.
    #[error("the proof is of {from}, which is not in a tree of {size} entries")]
    Range {
        /// The index of the entry, or the size of the old tree.
        from: u64,
        /// The size of the tree.
        size: u64,
    },
    /// It has fewer hashes, or more, than a proof in trees of these sizes.
    #[error("the proof has {0} hashes, which is not what trees of these sizes need")]
    Length(usize),
    /// The old tree's root does not come out.
    #[error("the proof does not lead to the root of the old tree")]
    OldRoot,
    /// The tree's root does not come out: the entry, the tree or the proof was changed.
    #[error("the proof does not lead to the root of the tree")]
    Root,
}

/// Verifies that the entry of this hash is at `index` in the tree of this size and root.
///
/// # Errors
///
/// When it is not proven.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range { from: index, size });
    }
    let wrong_length = ProofError::Length(proof.len());
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for beside in proof {
        if last == 0 {
            return Err(wrong_length);
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(beside, &hash);
            // The last node of its level goes up as it is, to where it has a sibling.
            let up = node.trailing_zeros();
            (node, last) = (node >> up, last >> up);
        } else {
            hash = node_hash(&hash, beside);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Verifies that the tree of `old` entries and this root is the beginning of the tree of `new` entries and that root.
///
/// # Errors
///
/// When it is not proven.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Range { from: old, size: new });
    }
    let wrong_length = ProofError::Length(proof.len());
    if old == new || old == 0 {
        let same = if old == new { new_root } else { &empty_root() };
        return match proof {
            [] if old_root == same => Ok(()),
            [] => Err(ProofError::OldRoot),
            _ => Err(wrong_length),
        };
    }
    // A complete old tree is a node of the new one, and its hash is known.
    let mut rest = proof.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        rest.next()
    };
    let first = first.ok_or(wrong_length)?;
    let complete = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> complete, (new - 1) >> complete);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for beside in rest {
        if last == 0 {
            return Err(wrong_length);
        }
        if node % 2 == 1 || node == last {
            old_hash = node_hash(beside, &old_hash);
            new_hash = node_hash(beside, &new_hash);
            let up = node.trailing_zeros();
            (node, last) = (node >> up, last >> up);
        } else {
            new_hash = node_hash(&new_hash, beside);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if old_hash != *old_root {
        return Err(ProofError::OldRoot);
    }
    if new_hash == *new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
