//! Checkpoints: what a log signs of its tree, and what witnesses add to it. C2SP tlog-checkpoint, tlog-cosignature.

use std::fmt::{self, Write as _};

use super::hash::Hash;
use super::note::{Note, NoteError, read_hash, read_number, read_signatures, signature_line, write_hash};
use super::signer::{SignerError, TrailSigner};
use super::verifier::{TrailVerifier, WitnessVerifier};

/// The size and the root of a log's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log: [`TrailVerifier::origin`].
    pub origin: String,
    /// How many entries the tree has.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The checkpoint of a tree, in the log of a key.
    #[must_use]
    pub fn of(verifier: &TrailVerifier, size: u64, root: Hash) -> Self {
        Self {
            origin: verifier.origin().to_owned(),
            size,
            root,
        }
    }

    /// Signs it, as a note.
    ///
    /// The signer must be that of the log. If it has another name, [`SignedCheckpoint::open`] refuses the note. Blocks as long
    /// as the signer does.
    ///
    /// # Errors
    ///
    /// [`SignerError`].
    pub fn sign(&self, signer: &dyn TrailSigner) -> Result<String, SignerError> {
        let text = self.to_string();
        let signature = signer.sign(text.as_bytes())?;
        let verifier = signer.verifier();
        let line = signature_line(verifier.origin(), verifier.key_id(), &signature);
        Ok(format!("{text}\n{line}"))
    }

    /// Reads the text of a note. Further lines, which a log may add, are not read.
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let read = Self {
            origin: origin.to_owned(),
            size: read_number(size)?,
            root: read_hash(root)?,
        };
        (!origin.is_empty() && lines.all(|line| !line.is_empty())).then_some(read)
    }
}

/// The text that is signed: three lines.
impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n{}\n{}", self.origin, self.size, write_hash(&self.root))
    }
}

/// Why a note is no checkpoint of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It is no note.
    #[error("the checkpoint is no signed note: {0}")]
    Note(#[from] NoteError),
    /// Its text is not that of a checkpoint.
    #[error("the checkpoint's text is not: the name of a log, a size, and a root in Base64, a line each")]
    Text,
    /// It is that of another log.
    #[error("the checkpoint is of the log {found:?}, not of {wanted:?}")]
    Origin {
        /// The log's name in it.
        found: String,
        /// The name of the log that the key is for.
        wanted: String,
    },
    /// The key has not signed it.
    #[error("the checkpoint has no signature by {0}")]
    Unsigned(String),
    /// A signature that says that it is by the key is not. The text or the signature was changed.
    #[error("the signature by {0} is not one over this checkpoint")]
    Signature(String),
}

/// A checkpoint whose signature by its log was verified, and its note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

/// The statement of a witness, at a time, that it has seen no other tree of this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosignature {
    /// When the witness has signed, by its own clock, in seconds since 1970.
    pub at: u64,
}

impl SignedCheckpoint {
    /// Reads a note, and verifies that the log of this key has signed it. Signatures by other keys are not looked at.
    ///
    /// # Errors
    ///
    /// When it is not a checkpoint of this log.
    pub fn open(note: &str, verifier: &TrailVerifier) -> Result<Self, CheckpointError> {
        let read = Note::read(note)?;
        let checkpoint = Checkpoint::read(read.text).ok_or(CheckpointError::Text)?;
        let name = verifier.origin();
        if checkpoint.origin != name {
            return Err(CheckpointError::Origin {
                found: checkpoint.origin,
                wanted: name.to_owned(),
            });
        }
        let signature = read.signature_by(name, verifier.key_id());
        let signature = signature.ok_or_else(|| CheckpointError::Unsigned(name.to_owned()))?;
        verifier
            .verify(read.text.as_bytes(), &signature.bytes)
            .map_err(|_| CheckpointError::Signature(name.to_owned()))?;
        Ok(Self {
            checkpoint,
            note: note.to_owned(),
        })
    }

    /// The checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with all its signatures.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The cosignature of a witness, or `None` if the note has none by it.
    ///
    /// # Errors
    ///
    /// `Signature`, when the note has one that is not over this checkpoint.
    pub fn cosignature(&self, witness: &WitnessVerifier) -> Result<Option<Cosignature>, CheckpointError> {
        let read = Note::read(&self.note)?;
        let Some(signature) = read.signature_by(witness.name(), witness.key_id()) else {
            return Ok(None);
        };
        let verified = witness.verify(read.text, &signature.bytes);
        let at = verified.map_err(|_| CheckpointError::Signature(witness.name().to_owned()))?;
        Ok(Some(Cosignature { at }))
    }

    /// Adds the cosignature of a witness, from the lines that it has answered. Lines by other keys are left out.
    ///
    /// One that the note has already by this witness is replaced.
    ///
    /// # Errors
    ///
    /// `Note`, when the lines are not signatures; `Unsigned`, when none is by the witness; `Signature`, when its signature
    /// is not over this checkpoint.
    pub fn with_cosignature(&self, lines: &str, witness: &WitnessVerifier) -> Result<Self, CheckpointError> {
        let added = read_signatures(lines)?;
        let is_theirs = |name: &str, id: [u8; 4]| name == witness.name() && id == witness.key_id();
        let added = added
            .iter()
            .find(|signature| is_theirs(signature.name, signature.key_id));
        let added = added.ok_or_else(|| CheckpointError::Unsigned(witness.name().to_owned()))?;
        let read = Note::read(&self.note)?;
        let others = read
            .signatures
            .iter()
            .filter(|signature| !is_theirs(signature.name, signature.key_id));
        let mut note = format!("{}\n", read.text);
        for signature in others.chain([added]) {
            let _infallible = writeln!(note, "{}", signature.line);
        }
        let with = Self {
            checkpoint: self.checkpoint.clone(),
            note,
        };
        with.cosignature(witness)?;
        Ok(with)
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::TrailKey;
    use super::*;

    // The notes were made by Python's cryptography, with the key of the tests of `key.rs`.
    const LOG: &str = "liveness.log/9916e469e235e8ca+51475751+AcDoSH8AGJyQRjDVy1Jyca7aET7A0AVMIEiZG9hl2qwN";
    const WITNESS: &str = "witness.example/w1+db6c38b0+BMDoSH8AGJyQRjDVy1Jyca7aET7A0AVMIEiZG9hl2qwN";
    const NOTE: &str = "liveness.log/9916e469e235e8ca
3
SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=

— liveness.log/9916e469e235e8ca UUdXUbjhkU2RQWJVHCmPbJmVWQ2I6NhSZ8XXQDIMAibZ2lmnn5Y9C/oe6KaiRivgqabWqhxYgf2ohvf+OBJTa/jt9wU=
";
    const COSIGNATURE: &str = "— witness.example/w1 22w4sAAAAABkGFDLV0H133oWnr+D9rKZ+xpjcf/Gm6Jg0WZlhu1T47MMLobAtZtUgajTLDh3MrLrkf0DsohP8z598WA+xCsjINF5Bg==
";
    /// A signature by an unknown key.
    const UNKNOWN: &str = "— witness.example/w1 AAAAAAE=\n";

    fn log() -> TrailVerifier {
        TrailVerifier::parse(LOG).unwrap()
    }

    fn witness() -> WitnessVerifier {
        WitnessVerifier::parse(WITNESS).unwrap()
    }

    #[test]
    fn a_note_of_another_library_is_opened() {
        let signed = SignedCheckpoint::open(NOTE, &log()).unwrap();
        assert_eq!(signed.checkpoint().size, 3);
        assert_eq!(signed.checkpoint().root[..3], [0x48, 0x13, 0x49]);
        assert_eq!(signed.cosignature(&witness()), Ok(None));
    }

    #[test]
    fn what_is_signed_here_is_opened() {
        let key = TrailKey::generate_named("bank.example/trail").unwrap().key;
        let checkpoint = Checkpoint::of(key.verifier(), 20_852_163, [7; 32]);
        let note = checkpoint.sign(&key).unwrap();
        assert_eq!(
            SignedCheckpoint::open(&note, key.verifier()).unwrap().checkpoint(),
            &checkpoint
        );

        // A second signature, by a key that the reader does not know, is nothing.
        let other = format!("{note}{UNKNOWN}");
        assert_eq!(SignedCheckpoint::open(&other, key.verifier()).unwrap().note(), other);
        // One by a key of the same name is not by this key.
        let twin = TrailKey::generate_named("bank.example/trail").unwrap().key;
        let unsigned = CheckpointError::Unsigned("bank.example/trail".to_owned());
        assert_eq!(SignedCheckpoint::open(&note, twin.verifier()), Err(unsigned));
    }

    #[test]
    fn a_changed_note_is_refused() {
        let broken = CheckpointError::Signature("liveness.log/9916e469e235e8ca".to_owned());
        let origin = |found: &str| CheckpointError::Origin {
            found: found.to_owned(),
            wanted: "liveness.log/9916e469e235e8ca".to_owned(),
        };
        let cases = [
            (NOTE.replace("\n3\n", "\n4\n"), broken.clone()),
            (NOTE.replace("SBNJ", "SBNK"), broken.clone()),
            (NOTE.replace("d7I=\n", "d7I=\nmore\n"), broken.clone()),
            (NOTE.replace("UUdXUbjh", "UUdXUbjg"), broken),
            (
                NOTE.replace("liveness.log/9916e469e235e8ca\n", "other\n"),
                origin("other"),
            ),
            (NOTE.replace("\n3\n", "\n03\n"), CheckpointError::Text),
            (NOTE.replace("\n3\n", "\n-3\n"), CheckpointError::Text),
            (NOTE.replace("\n3\n", "\n"), CheckpointError::Text),
            (NOTE.replace("d7I=", "d7J="), CheckpointError::Text),
            (NOTE.replace("d7I=", ""), CheckpointError::Text),
            (NOTE.replace("d7I=\n", "d7I=\n\nmore\n"), CheckpointError::Text),
            (
                NOTE.replace("— ", "- "),
                CheckpointError::Note(NoteError::SignatureLine(1)),
            ),
        ];
        for (note, expected) in cases {
            assert_eq!(SignedCheckpoint::open(&note, &log()), Err(expected), "{note}");
        }
    }

    #[test]
    fn a_cosignature_is_added_and_verified() {
        let signed = SignedCheckpoint::open(NOTE, &log()).unwrap();
        let cosigned = signed
            .with_cosignature(&format!("{UNKNOWN}{COSIGNATURE}"), &witness())
            .unwrap();
        assert_eq!(cosigned.note(), format!("{NOTE}{COSIGNATURE}"));
        assert_eq!(
            cosigned.cosignature(&witness()),
            Ok(Some(Cosignature { at: 1_679_315_147 }))
        );
        // It is there once.
        assert_eq!(cosigned.with_cosignature(COSIGNATURE, &witness()).unwrap(), cosigned);
        // It is kept, and opened again.
        assert_eq!(SignedCheckpoint::open(cosigned.note(), &log()), Ok(cosigned));
    }

    #[test]
    fn what_a_witness_has_answered_is_taken() {
        // By aics-witness 0.1.0, which had cosigned nine smaller trees of this log.
        let by = "witness.example/w1+63347f99+BKn5Fty3jHPbj7lXHeSkvE1WYT59G/wt/OWeXA7J3uXX";
        let lines = "— witness.example/w1 YzR/mQAAAABrDNNvGz6bMYiSiX0apFTImpGKs+/OZVDb2g9h5g5Bm1U0fNaJs0ziQddRoTcDbkD/zCZdrBwKsY7GZKMiKvbtpofLBQ==\n";
        let note = "liveness.log/9916e469e235e8ca
70000
M57POucWQF/cKM7xZORaeFyt4NW8PhQAp6TXDQst7Js=

— liveness.log/9916e469e235e8ca UUdXUU0Vu3VuOHGDp/8Ot0I7NMajRq+clfRWrygWhugcW6vF6WrwENZ2atsOMByJ9O3/d731BBJhzX0dxK/5Ra5lOwg=
";
        let by = WitnessVerifier::parse(by).unwrap();
        let cosigned = SignedCheckpoint::open(note, &log())
            .unwrap()
            .with_cosignature(lines, &by)
            .unwrap();
        assert_eq!(cosigned.cosignature(&by), Ok(Some(Cosignature { at: 1_796_002_671 })));
    }

    #[test]
    fn a_cosignature_that_is_not_over_this_checkpoint_is_not_added() {
        let signed = SignedCheckpoint::open(NOTE, &log()).unwrap();
        let (name, by) = ("witness.example/w1".to_owned(), witness());
        assert_eq!(
            signed.with_cosignature(UNKNOWN, &by),
            Err(CheckpointError::Unsigned(name.clone()))
        );
        // Of another time, and cut off.
        let broken = Err(CheckpointError::Signature(name));
        assert_eq!(
            signed.with_cosignature(&COSIGNATURE.replace("ABkGFDL", "ABkGFDM"), &by),
            broken
        );
        let id_only = "— witness.example/w1 22w4sAA=\n";
        assert_eq!(signed.with_cosignature(id_only, &by), broken);
        let note = Err(CheckpointError::Note(NoteError::SignatureLine(1)));
        assert_eq!(signed.with_cosignature("nothing\n", &by), note);

        let key = TrailKey::generate().unwrap().key;
        let note = Checkpoint::of(key.verifier(), 3, [7; 32]).sign(&key).unwrap();
        let other = SignedCheckpoint::open(&note, key.verifier()).unwrap();
        assert_eq!(other.with_cosignature(COSIGNATURE, &by), broken);
    }
}
