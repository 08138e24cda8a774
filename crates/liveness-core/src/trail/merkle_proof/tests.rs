//! Tests of proofs and tiles, against the recursive definitions of RFC 6962.

use super::super::edge::{append, root};
use super::super::hash::{empty_root, leaf_hash};
use super::super::tile::Tile;
use super::super::verification::{ProofError, verify_consistency, verify_inclusion};
use super::*;

/// Tiles in memory. It counts what is read, and refuses what a tree of its size does not have.
#[derive(Default)]
struct Memory {
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
    reads: usize,
}

impl HashTiles for Memory {
    type Error = &'static str;

    fn tile(&mut self, level: u8, index: u64, _: u16) -> Result<Vec<u8>, &'static str> {
        self.reads += 1;
        self.tiles.get(&(level, index)).cloned().ok_or("there is no such tile")
    }
}

impl Memory {
    fn write(&mut self, tiles: Vec<Tile>) {
        for tile in tiles {
            self.tiles.insert((tile.level, tile.index), tile.bytes);
        }
    }

    /// A tree that was appended to in batches of these sizes, again and again.
    fn of(leaves: &[Hash], batches: &[usize]) -> Self {
        let mut memory = Self::default();
        let mut size = 0;
        for batch in batches.iter().cycle() {
            let rest = &leaves[size..];
            if rest.is_empty() {
                return memory;
            }
            let batch = &rest[..rest.len().min(*batch)];
            let appended = append(&mut memory, size as u64, batch).unwrap();
            size += batch.len();
            assert_eq!(appended.size, size as u64);
            memory.write(appended.tiles);
        }
        memory
    }
}

/// Hashes of entries, made up: what is above them does not care.
fn leaves(count: u32) -> Vec<Hash> {
    let made_up = |entry: u32| {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&entry.to_be_bytes());
        hash
    };
    (0..count).map(made_up).collect()
}

/// MTH of RFC 6962, section 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while 2 * k < leaves.len() {
                k *= 2;
            }
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

/// PATH of RFC 6962, section 2.1.1, word for word.
fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let mut k = 1;
    while 2 * k < leaves.len() {
        k *= 2;
    }
    let (mut path, beside) = if m < k {
        (path(m, &leaves[..k]), mth(&leaves[k..]))
    } else {
        (path(m - k, &leaves[k..]), mth(&leaves[..k]))
    };
    path.push(beside);
    path
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    for (size, expected) in roots.iter().enumerate() {
        let mut tree = Memory::of(&hashes[..size], &[1]);
        assert_eq!(hex(&root(&mut tree, size as u64).unwrap()), *expected, "{size}");
    }
}

#[test]
fn a_tree_of_any_size_made_in_any_batches_has_the_root_of_rfc_6962() {
    let leaves = leaves(65_800);
    let mut one_by_one = Memory::default();
    for size in 0..600 {
        let appended = append(&mut one_by_one, size as u64, &leaves[size..=size]).unwrap();
        assert_eq!(appended.root, mth(&leaves[..=size]), "{size}");
        one_by_one.write(appended.tiles);
        assert_eq!(root(&mut one_by_one, appended.size), Ok(appended.root));
    }
    for size in [65_536, 65_800] {
        let mut all_at_once = Memory::of(&leaves[..size], &[size]);
        assert_eq!(root(&mut all_at_once, size as u64), Ok(mth(&leaves[..size])), "{size}");
        let in_batches = Memory::of(&leaves[..size], &[1, 255, 10_000, 3, 256, 257, 8_191]);
        assert!(in_batches.tiles == all_at_once.tiles, "{size}");
    }
}

#[test]
fn the_tiles_are_those_that_the_specification_has() {
    let size = 70_000;
    let tree = Memory::of(&leaves(size), &[9_997]);
    for ((level, index), bytes) in &tree.tiles {
        assert_eq!(bytes.len(), 32 * usize::from(width_at(*level, *index, size.into())));
    }
    let levels: Vec<usize> = (0..4)
        .map(|level| tree.tiles.keys().filter(|tile| tile.0 == level).count())
        .collect();
    assert_eq!(levels, [274, 2, 1, 0]);
}

#[test]
fn an_append_reads_the_right_edge_only_and_writes_what_has_changed() {
    let leaves = leaves(66_003);
    let mut tree = Memory::of(&leaves[..66_000], &[66_000]);
    tree.reads = 0;
    let appended = append(&mut tree, 66_000, &leaves[66_000..]).unwrap();
    assert_eq!(tree.reads, 3);
    let changed: Vec<_> = appended
        .tiles
        .iter()
        .map(|tile| (tile.level, tile.index, tile.width()))
        .collect();
    assert_eq!(changed, [(0, 257, 211)]);
}

#[test]
fn proofs_are_those_of_rfc_6962_and_are_verified() {
    let leaves = leaves(65_537);
    for size in (1..=40).chain([255, 256, 257, 513, 600, 65_537]) {
        let mut tree = Memory::of(&leaves[..size], &[5_000]);
        let all = root(&mut tree, size as u64).unwrap();
        let some = [0, 1, 254, 255, 256, size / 2, size - 1];
        let indexes = if size <= 40 { (0..size).collect() } else { some.to_vec() };
        for index in indexes.into_iter().filter(|index| *index < size) {
            let proof = inclusion_proof(&mut tree, index as u64, size as u64).unwrap();
            assert!(
                size > 1_000 || proof == path(index, &leaves[..size]),
                "{index} of {size}"
            );
            assert_eq!(
                verify_inclusion(&leaves[index], index as u64, size as u64, &proof, &all),
                Ok(())
            );

            let (old, new) = (index as u64 + 1, size as u64);
            let old_root = root(&mut Memory::of(&leaves[..=index], &[5_000]), old).unwrap();
            let proof = consistency_proof(&mut tree, old, new).unwrap();
            assert_eq!(
                verify_consistency((old, &old_root), (new, &all), &proof),
                Ok(()),
                "{old} to {new}"
            );
        }
    }
}

#[test]
fn what_is_not_so_is_not_proven() {
    let leaves = leaves(13);
    let mut tree = Memory::of(&leaves, &[13]);
    let all = root(&mut tree, 13).unwrap();
    for index in 0..13_u64 {
        let leaf = &leaves[usize::try_from(index).unwrap()];
        let proof = inclusion_proof(&mut tree, index, 13).unwrap();
        for other in (0..13).filter(|other| *other != index) {
            assert!(
                verify_inclusion(leaf, other, 13, &proof, &all).is_err(),
                "{index} as {other}"
            );
        }
        assert_eq!(verify_inclusion(&all, index, 13, &proof, &all), Err(ProofError::Root));
        assert_eq!(verify_inclusion(leaf, index, 13, &proof, leaf), Err(ProofError::Root));
        let shorter = &proof[..proof.len() - 1];
        assert_eq!(
            verify_inclusion(leaf, index, 13, shorter, &all),
            Err(ProofError::Length(shorter.len()))
        );
        let longer = [&proof[..], &[all]].concat();
        assert_eq!(
            verify_inclusion(leaf, index, 13, &longer, &all),
            Err(ProofError::Length(longer.len()))
        );
    }
    assert!(matches!(
        verify_inclusion(&all, 13, 13, &[], &all),
        Err(ProofError::Range { .. })
    ));

    for old in 1..13_u64 {
        let old_root = mth(&leaves[..usize::try_from(old).unwrap()]);
        let proof = consistency_proof(&mut tree, old, 13).unwrap();
        let verify = |old_root, new_root, proof: &[Hash]| verify_consistency((old, old_root), (13, new_root), proof);
        assert!(verify(&all, &all, &proof).is_err(), "{old}");
        assert!(verify(&old_root, &old_root, &proof).is_err(), "{old}");
        assert!(verify(&old_root, &all, &proof[..proof.len() - 1]).is_err(), "{old}");
        assert!(
            verify(&old_root, &all, &[&proof[..], &[all]].concat()).is_err(),
            "{old}"
        );
        for changed in 0..proof.len() {
            let mut proof = proof.clone();
            proof[changed][0] ^= 1;
            assert!(verify(&old_root, &all, &proof).is_err(), "{old}, hash {changed}");
        }
    }
    assert_eq!(verify_consistency((0, &empty_root()), (13, &all), &[]), Ok(()));
    assert_eq!(verify_consistency((0, &all), (13, &all), &[]), Err(ProofError::OldRoot));
    assert_eq!(verify_consistency((13, &all), (13, &all), &[]), Ok(()));
    assert_eq!(
        verify_consistency((13, &empty_root()), (13, &all), &[]),
        Err(ProofError::OldRoot)
    );
    assert!(matches!(
        verify_consistency((14, &all), (13, &all), &[]),
        Err(ProofError::Range { .. })
    ));
}

#[test]
fn a_tile_that_is_missing_or_short_is_named() {
    let mut tree = Memory::of(&leaves(300), &[300]);
    assert_eq!(
        inclusion_proof(&mut tree, 300, 300),
        Err(TreeError::Range { from: 300, size: 300 })
    );
    assert_eq!(
        consistency_proof(&mut tree, 301, 300),
        Err(TreeError::Range { from: 301, size: 300 })
    );
    assert_eq!(
        root(&mut tree, 301),
        Err(TreeError::Short {
            level: 0,
            index: 1,
            width: 45,
            found: 44 * 32
        })
    );
    tree.tiles.remove(&(1, 0));
    let missing = TreeError::Tile {
        level: 1,
        index: 0,
        source: "there is no such tile",
    };
    assert_eq!(root(&mut tree, 300), Err(missing.clone()));
    assert_eq!(inclusion_proof(&mut tree, 299, 300), Err(missing));
}
