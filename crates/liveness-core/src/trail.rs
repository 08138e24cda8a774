//! The pure part of the audit trail's log: its key, its Merkle tree, checkpoints, proofs and receipts.
//!
//! The log is a tiled transparency log as C2SP describes it (tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature,
//! tlog-proof, tlog-witness), over the tree of RFC 6962. `docs/trail.md` says which programs of others verify it. Nothing
//! here opens a database, a file or a connection.
//!
//! The tree is our own: the crate `tlog_tiles` would bring a URL parser with its Unicode tables and a second SHA-2, for
//! arithmetic that those programs hold to account.

#[cfg(feature = "store")]
pub(crate) mod canonical;
mod checkpoint;
mod edge;
#[cfg(feature = "store")]
pub(crate) mod genesis;
mod hash;
mod key;
#[cfg(feature = "store")]
pub(crate) mod leaf;
mod mac_key;
mod merkle_proof;
mod note;
mod proof;
mod receipt;
mod signer;
mod tile;
mod verification;
mod verifier;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, Cosignature, SignedCheckpoint};
pub use edge::{Appended, RightEdge, append, root};
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use key::{KeyError, NewKey, Pem, TrailKey};
pub use mac_key::MacKey;
pub use merkle_proof::{consistency_proof, inclusion_proof};
pub use note::{NameError, NoteError};
pub use proof::{TlogProof, TlogProofError};
pub use receipt::{Jwk, JwkSet, ReceiptError, sign_receipt};
pub use signer::{SignerError, TrailSigner};
pub use tile::{HashTiles, TILE_WIDTH, Tile, TreeError, entries_path, entry_bundle, tile_path};
pub use verification::{ProofError, verify_consistency, verify_inclusion};
pub use verifier::{BadSignature, TrailVerifier, VkeyError, WitnessVerifier};
pub use witness::{WitnessAnswer, WitnessError, add_checkpoint_request};
