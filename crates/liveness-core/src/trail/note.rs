//! Signed notes: C2SP signed-note.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The most bytes of a note that is read. A checkpoint with 16 cosignatures of 5 kB each has fewer.
const MAX_BYTES: usize = 1 << 20;
/// The most signatures of a note that is read.
const MAX_SIGNATURES: usize = 100;
/// The most bytes of a name.
const MAX_NAME: usize = 255;
/// What a signature line begins with.
const DASH: &str = "\u{2014} ";

/// Why a text cannot be the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be the name of a key: 1 to 255 bytes, without white space, control characters and +")]
pub struct NameError(pub String);

/// Checks the name of a key, which is the name of its log.
///
/// # Errors
///
/// When it is empty, longer than 255 bytes, or has white space, control characters or a plus sign.
pub(super) fn check_name(name: &str) -> Result<(), NameError> {
    let bad = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    if name.is_empty() || name.len() > MAX_NAME || name.contains(bad) {
        return Err(NameError(name.to_owned()));
    }
    Ok(())
}

/// The key id of a public key: it tells keys of one name, and uses of one key, apart.
pub(super) fn key_id(name: &str, kind: u8, public: &[u8]) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind])
        .chain_update(public)
        .finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Why a text is no signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// More than a MiB, or more than 100 signatures.
    #[error("it is longer than 1 MiB, or has more than 100 signatures")]
    TooLong,
    /// A control character other than the end of a line.
    #[error("it has a control character")]
    ControlCharacter,
    /// There is no empty line between text and signatures.
    #[error("it has no signatures behind an empty line")]
    Unsigned,
    /// A line of the signatures is not one.
    #[error("line {0} of its signatures is not: an em dash, a name, and Base64 of at least five bytes")]
    SignatureLine(usize),
}

/// A signature of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoteSignature<'a> {
    /// The name of the key.
    pub(super) name: &'a str,
    /// The id of the key.
    pub(super) key_id: [u8; 4],
    /// What the key has made.
    pub(super) bytes: Vec<u8>,
    /// The line, without its end.
    pub(super) line: &'a str,
}

/// The text of a note, and its signatures, of which none is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note<'a> {
    /// What is signed. It ends with the end of a line.
    pub(super) text: &'a str,
    pub(super) signatures: Vec<NoteSignature<'a>>,
}

impl<'a> Note<'a> {
    pub(super) fn read(note: &'a str) -> Result<Self, NoteError> {
        if note.len() > MAX_BYTES {
            return Err(NoteError::TooLong);
        }
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::ControlCharacter);
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Unsigned)?;
        let signatures = read_signatures(&note[end + 2..])?;
        if signatures.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(Self {
            text: &note[..=end],
            signatures,
        })
    }

    /// The first signature by a key. Others that tell the same name and id count for nothing.
    pub(super) fn signature_by(&self, name: &str, key_id: [u8; 4]) -> Option<&NoteSignature<'a>> {
        self.signatures
            .iter()
            .find(|signature| signature.name == name && signature.key_id == key_id)
    }
}

/// Reads the lines of signatures, each with its end.
pub(super) fn read_signatures(lines: &str) -> Result<Vec<NoteSignature<'_>>, NoteError> {
    let mut signatures = Vec::new();
    for (at, line) in lines.split_inclusive('\n').enumerate() {
        if at == MAX_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        signatures.push(read_signature(line).ok_or(NoteError::SignatureLine(at + 1))?);
    }
    Ok(signatures)
}

fn read_signature(line: &str) -> Option<NoteSignature<'_>> {
    let line = line.strip_suffix('\n')?;
    let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
    check_name(name).ok()?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (key_id, signature) = bytes.split_first_chunk::<4>()?;
    (!signature.is_empty()).then(|| NoteSignature {
        name,
        key_id: *key_id,
        bytes: signature.to_vec(),
        line,
    })
}

/// The line of a signature, with its end.
pub(super) fn signature_line(name: &str, key_id: [u8; 4], signature: &[u8]) -> String {
    let encoded = STANDARD.encode([&key_id, signature].concat());
    format!("{DASH}{name} {encoded}\n")
}

/// Reads a number as these formats write it: in decimal, without zeros before it.
pub(super) fn read_number(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// Reads a hash in Base64.
pub(super) fn read_hash(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Writes a hash in Base64.
pub(super) fn write_hash(hash: &[u8; 32]) -> String {
    STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_ends_at_the_last_empty_line() {
        let note = Note::read("a\n\nb\n\n— name AAAAAAE=\n— other AAAAAgE=\n").unwrap();
        assert_eq!(note.text, "a\n\nb\n");
        let read: Vec<_> = note
            .signatures
            .iter()
            .map(|read| (read.name, read.key_id, &read.bytes[..]))
            .collect();
        assert_eq!(read, [("name", [0; 4], &[1][..]), ("other", [0, 0, 0, 2], &[1])]);
        assert_eq!(note.signature_by("name", [0; 4]), Some(&note.signatures[0]));
        assert_eq!(note.signature_by("name", [0, 0, 0, 2]), None);
        assert_eq!(signature_line("name", [0; 4], &[1]), "— name AAAAAAE=\n");
    }

    #[test]
    fn what_is_no_note_is_told() {
        let line = NoteError::SignatureLine(1);
        let cases = [
            ("", NoteError::Unsigned),
            ("a\n", NoteError::Unsigned),
            ("a\n\n", NoteError::Unsigned),
            ("a\n— name AAAAAAE=\n", NoteError::Unsigned),
            ("a\r\n\n— name AAAAAAE=\n", NoteError::ControlCharacter),
            ("a\t\n\n— name AAAAAAE=\n", NoteError::ControlCharacter),
            ("a\n\n— name AAAAAAE=", line),
            ("a\n\n- name AAAAAAE=\n", line),
            ("a\n\n—  AAAAAAE=\n", line),
            ("a\n\n— na+me AAAAAAE=\n", line),
            ("a\n\n— name  AAAAAAE=\n", line),
            ("a\n\n— name AAAAAAE\n", line),
            ("a\n\n— name AAAAAAF=\n", line),
            ("a\n\n— name AAAAAA==\n", line),
            ("a\n\n— name\n", line),
            ("a\n\n— name AAAAAAE=\nb\n", NoteError::SignatureLine(2)),
            (&format!("a\n\n{}", "— name AAAAAAE=\n".repeat(101)), NoteError::TooLong),
            (&"a".repeat(MAX_BYTES + 1), NoteError::TooLong),
        ];
        for (note, expected) in cases {
            assert_eq!(Note::read(note), Err(expected), "{note}");
        }
        assert!(Note::read(&format!("a\n\n{}", "— name AAAAAAE=\n".repeat(100))).is_ok());
    }

    #[test]
    fn a_number_is_written_in_one_way() {
        assert_eq!(read_number("0"), Some(0));
        assert_eq!(read_number("18446744073709551615"), Some(u64::MAX));
        for bad in [
            "",
            "00",
            "01",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1e3",
            "18446744073709551616",
            "١",
        ] {
            assert_eq!(read_number(bad), None, "{bad:?}");
        }
    }
}
