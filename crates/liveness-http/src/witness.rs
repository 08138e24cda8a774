//! A witness of the audit trail's log, which is somebody else's server: `docs/trail.md#witnesses`.
//!
//! It is shown each new checkpoint with a proof that the log has only grown. `trail verify` and the host ask it.

mod address;

#[cfg(test)]
mod tests;

use liveness_core::store::{Store, StoreError};
use liveness_core::trail::{
    CheckpointError, SignedCheckpoint, TrailVerifier, WitnessAnswer, WitnessError, add_checkpoint_request,
};

pub use self::address::{WitnessAddress, WitnessAddressError};

/// What a witness says of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Witnessed {
    /// It has cosigned the log of so many entries.
    Cosigned(u64),
    /// The log has no checkpoint yet.
    NoCheckpoint,
    /// What it has signed before does not fit the log, in words.
    Finding(String),
}

/// Why a witness has not cosigned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwitnessed {
    /// The witness cannot be reached.
    #[error("it cannot be reached: {0}")]
    Unreached(String),
    /// Its answer is not of the protocol.
    #[error(transparent)]
    Answer(#[from] WitnessError),
    /// It does not know us.
    #[error("it does not know {0}: register the vkey that `liveness-http trail key` prints")]
    Unknown(&'static str),
    /// It names the size that was sent to it.
    #[error("it has cosigned {0} entries, and does not take a proof from there")]
    Contradicts(u64),
    /// Its signature, or that of the newest checkpoint, is wrong.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Shows a witness the newest checkpoint, and keeps its cosignatures.
pub(crate) struct Witness {
    address: WitnessAddress,
    store: Store,
    log: TrailVerifier,
    /// How many entries the witness has cosigned, as far as is known.
    cosigned: Option<u64>,
}

impl Witness {
    pub(crate) fn new(address: WitnessAddress, store: Store, log: TrailVerifier) -> Self {
        Self {
            address,
            store,
            log,
            cosigned: None,
        }
    }

    /// The name of the witness.
    pub(crate) fn name(&self) -> &str {
        self.address.verifier().name()
    }

    /// Whether the newest checkpoint has more entries than the witness has cosigned. The first answer is yes. Blocks.
    ///
    /// # Errors
    ///
    /// [`Unwitnessed::Store`], [`Unwitnessed::Checkpoint`].
    pub(crate) fn is_due(&self) -> Result<bool, Unwitnessed> {
        let Some(signed) = self.newest()? else {
            return Ok(false);
        };
        Ok(self
            .cosigned
            .is_none_or(|cosigned| cosigned != signed.checkpoint().size))
    }

    /// Asks for a cosignature of the newest checkpoint. Blocks.
    ///
    /// # Errors
    ///
    /// When the witness does not cosign, for another reason than that the log is not the one that it knows.
    pub(crate) fn ask(&mut self) -> Result<Witnessed, Unwitnessed> {
        let Some(signed) = self.newest()? else {
            return Ok(Witnessed::NoCheckpoint);
        };
        let size = signed.checkpoint().size;
        let known = self.cosigned.map_or_else(|| self.kept(), Ok)?;
        match self.send(&signed, known.min(size))? {
            WitnessAnswer::Size(other) if other > size => self.is_ahead(other),
            WitnessAnswer::Size(other) => match self.send(&signed, other)? {
                WitnessAnswer::Size(third) if third > size => self.is_ahead(third),
                answer => self.take(&signed, other, answer),
            },
            answer => self.take(&signed, known, answer),
        }
    }

    /// Verifies the cosignatures of the witness that are kept. Returns what is wrong with them. Blocks.
    ///
    /// # Errors
    ///
    /// [`Unwitnessed::Store`].
    pub(crate) fn verify_kept(&self) -> Result<Vec<String>, Unwitnessed> {
        let mut findings = Vec::new();
        for note in self.store.trail().checkpoints()? {
            // A checkpoint that the log has not signed is found by whoever verifies the log.
            let Ok(signed) = SignedCheckpoint::open(&note, &self.log) else {
                continue;
            };
            if let Err(error) = signed.cosignature(self.address.verifier()) {
                let size = signed.checkpoint().size;
                findings.push(format!(
                    "the cosignature of the checkpoint of {size} entries was changed: {error}"
                ));
            }
        }
        Ok(findings)
    }

    fn newest(&self) -> Result<Option<SignedCheckpoint>, Unwitnessed> {
        let newest = self.store.trail().last_checkpoint()?;
        Ok(newest
            .map(|note| SignedCheckpoint::open(&note, &self.log))
            .transpose()?)
    }

    /// How many entries the newest cosignature is of that is kept. 0 without one.
    fn kept(&self) -> Result<u64, Unwitnessed> {
        for note in self.store.trail().checkpoints()?.iter().rev() {
            let Ok(signed) = SignedCheckpoint::open(note, &self.log) else {
                continue;
            };
            if let Ok(Some(_)) = signed.cosignature(self.address.verifier()) {
                return Ok(signed.checkpoint().size);
            }
        }
        Ok(0)
    }

    fn send(&self, signed: &SignedCheckpoint, old: u64) -> Result<WitnessAnswer, Unwitnessed> {
        let proof = self.store.trail().consistency(old, signed.checkpoint().size)?;
        let request = add_checkpoint_request(old, &proof, signed.note());
        let (status, media_type, body) = self.address.post(request).map_err(Unwitnessed::Unreached)?;
        Ok(WitnessAnswer::read(status, &media_type, &body)?)
    }

    /// The witness has cosigned more entries than the log has. Another node may have shown it a newer checkpoint just now.
    fn is_ahead(&mut self, cosigned: u64) -> Result<Witnessed, Unwitnessed> {
        let size = self.newest()?.map_or(0, |signed| signed.checkpoint().size);
        if size >= cosigned {
            self.cosigned = Some(cosigned);
            return Ok(Witnessed::Cosigned(cosigned));
        }
        Ok(Witnessed::Finding(format!(
            "the log has {size} entries, and the witness {} has cosigned {cosigned}: the database was set back to an older \
             copy, or its end was taken away",
            self.name()
        )))
    }

    fn take(&mut self, signed: &SignedCheckpoint, old: u64, answer: WitnessAnswer) -> Result<Witnessed, Unwitnessed> {
        let size = signed.checkpoint().size;
        match answer {
            WitnessAnswer::Cosigned(lines) => {
                let cosigned = signed.with_cosignature(&lines, self.address.verifier())?;
                self.store.trail().keep_cosigned(signed.note(), &cosigned)?;
                self.cosigned = Some(size);
                Ok(Witnessed::Cosigned(size))
            }
            WitnessAnswer::Inconsistent => Ok(Witnessed::Finding(format!(
                "the log of {size} entries does not go on from the one of {old} entries that the witness {} has cosigned: it \
                 was changed",
                self.name()
            ))),
            WitnessAnswer::UnknownLog => Err(Unwitnessed::Unknown("the log")),
            WitnessAnswer::UnknownKey => Err(Unwitnessed::Unknown("the key of the log")),
            WitnessAnswer::Size(size) => Err(Unwitnessed::Contradicts(size)),
            other => Err(Unwitnessed::Unreached(format!("{other:?}"))),
        }
    }
}
