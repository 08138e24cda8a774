//! The proof that an entry is in a log, which is verified without the log: C2SP tlog-proof.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::hash::{Hash, leaf_hash};
use super::note::{read_hash, read_number, write_hash};
use super::verification::{ProofError, verify_inclusion};
use super::verifier::TrailVerifier;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// No tree has more levels.
const MAX_HASHES: usize = 64;

/// Where an entry is in a log, and the proof of it. `to_string` is the text, whose file is named `.tlog-proof`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Bytes beside the proof, which it does not prove: such as the entry itself.
    pub extra: Option<Vec<u8>>,
    /// The index of the entry, from 0.
    pub index: u64,
    /// The hashes beside its way to the root, from below.
    pub hashes: Vec<Hash>,
    /// The note of a checkpoint that has the entry, with its signatures.
    pub checkpoint: String,
}

/// Why a text does not prove that an entry is in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// A line is not what the format has there.
    #[error("line {0} is not that of a {HEADER}")]
    Line(usize),
    /// There are more hashes than the greatest tree has levels.
    #[error("it has more than {MAX_HASHES} hashes")]
    TooLong,
    /// Its checkpoint is not that of the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not in that tree, or not there.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl TlogProof {
    /// Reads the text. Nothing is verified.
    ///
    /// # Errors
    ///
    /// When it is not of the form.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        let mut lines = Lines { rest: text, number: 0 };
        let line = lines.next_line()?;
        if line != HEADER {
            return Err(lines.wrong());
        }
        let mut line = lines.next_line()?;
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            extra = Some(STANDARD.decode(encoded).map_err(|_| lines.wrong())?);
            line = lines.next_line()?;
        }
        let index = line
            .strip_prefix("index ")
            .and_then(read_number)
            .ok_or_else(|| lines.wrong())?;
        let mut hashes = Vec::new();
        loop {
            match lines.next_line()? {
                "" => break,
                _ if hashes.len() == MAX_HASHES => return Err(TlogProofError::TooLong),
                hash => hashes.push(read_hash(hash).ok_or_else(|| lines.wrong())?),
            }
        }
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: lines.rest.to_owned(),
        })
    }

    /// Verifies that the entry of these bytes is at the index, in a log of this key. Returns the checkpoint that has it.
    ///
    /// # Errors
    ///
    /// When it is not proven.
    pub fn verify(&self, entry: &[u8], verifier: &TrailVerifier) -> Result<SignedCheckpoint, TlogProofError> {
        let signed = SignedCheckpoint::open(&self.checkpoint, verifier)?;
        let tree = signed.checkpoint();
        verify_inclusion(&leaf_hash(entry), self.index, tree.size, &self.hashes, &tree.root)?;
        Ok(signed)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(formatter, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(formatter, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(formatter, "{}", write_hash(hash))?;
        }
        write!(formatter, "\n{}", self.checkpoint)
    }
}

struct Lines<'a> {
    rest: &'a str,
    /// That of the last line that was read.
    number: usize,
}

impl<'a> Lines<'a> {
    fn next_line(&mut self) -> Result<&'a str, TlogProofError> {
        self.number += 1;
        let (line, rest) = self.rest.split_once('\n').ok_or_else(|| self.wrong())?;
        self.rest = rest;
        Ok(line)
    }

    fn wrong(&self) -> TlogProofError {
        TlogProofError::Line(self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Checkpoint;
    use super::super::hash::node_hash;
    use super::super::key::TrailKey;
    use super::*;

    fn proof(extra: Option<&[u8]>) -> (TrailKey, TlogProof) {
        let key = TrailKey::generate_named("bank.example/trail").unwrap().key;
        let (first, second) = (leaf_hash(b"first"), leaf_hash(b"second"));
        let checkpoint = Checkpoint::of(key.verifier(), 2, node_hash(&first, &second))
            .sign(&key)
            .unwrap();
        (
            key,
            TlogProof {
                extra: extra.map(<[u8]>::to_vec),
                index: 1,
                hashes: vec![first],
                checkpoint,
            },
        )
    }

    #[test]
    fn a_proof_is_written_as_the_specification_says_and_read_again() {
        let (key, plain) = proof(None);
        let first = write_hash(&leaf_hash(b"first"));
        let expected = format!("c2sp.org/tlog-proof@v1\nindex 1\n{first}\n\n{}", plain.checkpoint);
        assert_eq!(plain.to_string(), expected);
        for proof in [plain, proof(Some(b"more")).1, proof(Some(b"")).1] {
            assert_eq!(TlogProof::parse(&proof.to_string()), Ok(proof));
        }
        let (_, other) = proof(None);
        let unsigned = CheckpointError::Unsigned("bank.example/trail".to_owned());
        assert_eq!(other.verify(b"second", key.verifier()), Err(unsigned.into()));
    }

    #[test]
    fn it_proves_one_entry() {
        let (key, proof) = proof(None);
        assert_eq!(proof.verify(b"second", key.verifier()).unwrap().checkpoint().size, 2);
        assert_eq!(proof.verify(b"first", key.verifier()), Err(ProofError::Root.into()));
        let elsewhere = TlogProof {
            index: 0,
            ..proof.clone()
        };
        assert_eq!(
            elsewhere.verify(b"second", key.verifier()),
            Err(ProofError::Root.into())
        );
        let outside = TlogProof { index: 2, ..proof };
        assert_eq!(
            outside.verify(b"second", key.verifier()),
            Err(ProofError::Range { from: 2, size: 2 }.into())
        );
    }

    #[test]
    fn what_is_no_proof_is_told_by_its_line() {
        let text = proof(Some(b"more")).1.to_string();
        let cases = [
            ("", 1),
            ("c2sp.org/tlog-proof@v1", 1),
            (&text.replace("@v1", "@v2"), 1),
            (&text.replace("extra bW9y", "extra bW9!"), 2),
            (&text.replace("index 1", "index 01"), 3),
            (&text.replace("index", "at"), 3),
            (&text.replace("\n\n", "\nnothing\n\n"), 5),
            (&text[..90], 4),
        ];
        for (text, line) in cases {
            assert_eq!(TlogProof::parse(text), Err(TlogProofError::Line(line)), "{text}");
        }
        let hash = write_hash(&[0; 32]) + "\n";
        let many = |count| format!("{HEADER}\nindex 1\n{}\n", hash.repeat(count));
        assert!(TlogProof::parse(&many(64)).is_ok());
        assert_eq!(TlogProof::parse(&many(65)), Err(TlogProofError::TooLong));
    }
}
