//! What is sent to a witness, and what it answers: `add-checkpoint` of C2SP tlog-witness, without HTTP.

use super::hash::Hash;
use super::note::{NoteError, read_number, read_signatures, write_hash};

/// The media type of the answer that tells a size.
const SIZE: &str = "text/x.tlog.size";

/// The body of `POST PREFIX/add-checkpoint`.
///
/// `old` is the size of the tree that the witness has cosigned last, 0 if it has none or that is not known. `proof` proves
/// that it is the beginning of the new one: [`consistency_proof`](super::consistency_proof). It is empty for 0.
#[must_use]
pub fn add_checkpoint_request(old: u64, proof: &[Hash], checkpoint: &str) -> String {
    let lines: String = proof.iter().map(|hash| write_hash(hash) + "\n").collect();
    format!("old {old}\n{lines}\n{checkpoint}")
}

/// What a witness has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessAnswer {
    /// 200: it has cosigned. [`SignedCheckpoint::with_cosignature`](super::SignedCheckpoint::with_cosignature) takes these
    /// lines, and verifies them.
    Cosigned(String),
    /// 409: it has last cosigned a tree of this size. Ask again with a proof from there.
    ///
    /// If the size is greater than the log's, the log was rolled back: somebody has put an older copy in its place.
    Size(u64),
    /// 422: the tree that it has cosigned last is not the beginning of this one. The log was changed, or the proof is wrong.
    Inconsistent,
    /// 404: it does not know the log.
    UnknownLog,
    /// 403: it does not know the key that has signed, or the signature is wrong.
    UnknownKey,
}

/// An answer that the protocol does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// Another status.
    #[error("the witness answers with status {0}")]
    Status(u16),
    /// 200 without signatures.
    #[error("the witness answers 200, but not with signatures: {0}")]
    Signatures(NoteError),
    /// 409 without a size.
    #[error("the witness answers 409, but not with a size as {SIZE}")]
    Size,
}

impl WitnessAnswer {
    /// Reads an answer. `media_type` is its `Content-Type`, or empty.
    ///
    /// # Errors
    ///
    /// When the protocol has no such answer.
    pub fn read(status: u16, media_type: &str, body: &str) -> Result<Self, WitnessError> {
        match status {
            200 => match read_signatures(body) {
                Ok(signatures) if signatures.is_empty() => Err(WitnessError::Signatures(NoteError::Unsigned)),
                Ok(_) => Ok(Self::Cosigned(body.to_owned())),
                Err(error) => Err(WitnessError::Signatures(error)),
            },
            409 => read_size(media_type, body).map(Self::Size).ok_or(WitnessError::Size),
            422 => Ok(Self::Inconsistent),
            404 => Ok(Self::UnknownLog),
            403 => Ok(Self::UnknownKey),
            _ => Err(WitnessError::Status(status)),
        }
    }
}

fn read_size(media_type: &str, body: &str) -> Option<u64> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(SIZE) {
        return None;
    }
    read_number(body.strip_suffix('\n').unwrap_or(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_as_the_specification_says() {
        let hash = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let bytes = super::super::note::read_hash(hash).unwrap();
        let expected = format!("old 20852014\n{hash}\n{hash}\n\nthe checkpoint\n");
        assert_eq!(
            add_checkpoint_request(20_852_014, &[bytes, bytes], "the checkpoint\n"),
            expected
        );
        assert_eq!(
            add_checkpoint_request(0, &[], "the checkpoint\n"),
            "old 0\n\nthe checkpoint\n"
        );
    }

    #[test]
    fn each_answer_of_the_protocol_is_known_and_no_other() {
        let line = "— name AAAAAAE=\n";
        let cases = [
            (200, "", line, Ok(WitnessAnswer::Cosigned(line.to_owned()))),
            (200, "", "", Err(WitnessError::Signatures(NoteError::Unsigned))),
            (
                200,
                "text/html",
                "<html>",
                Err(WitnessError::Signatures(NoteError::SignatureLine(1))),
            ),
            (409, SIZE, "12\n", Ok(WitnessAnswer::Size(12))),
            (409, "Text/x.tlog.size; charset=utf-8", "0", Ok(WitnessAnswer::Size(0))),
            (409, SIZE, "012\n", Err(WitnessError::Size)),
            (409, SIZE, "12\n\n", Err(WitnessError::Size)),
            (409, "text/plain", "12\n", Err(WitnessError::Size)),
            (422, "", "", Ok(WitnessAnswer::Inconsistent)),
            (404, "", "", Ok(WitnessAnswer::UnknownLog)),
            (403, "", "", Ok(WitnessAnswer::UnknownKey)),
            (400, "", "", Err(WitnessError::Status(400))),
            (301, "", "", Err(WitnessError::Status(301))),
        ];
        for (status, media_type, body, expected) in cases {
            assert_eq!(
                WitnessAnswer::read(status, media_type, body),
                expected,
                "{status} {body}"
            );
        }
    }
}
