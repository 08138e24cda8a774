//! Files of text that an operator has written. Editors and shells of Windows put a byte order mark in front, which is no part of
//! a key or of a list.

use std::fs;
use std::io;
use std::path::Path;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Of UTF-16, in both orders.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// The text is in another encoding than UTF-8.
#[derive(Debug, thiserror::Error)]
#[error("it is UTF-16: save it in UTF-8")]
pub(crate) struct IsUtf16;

/// Reads a file without its byte order mark.
///
/// # Errors
///
/// When it cannot be read, or is UTF-16.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = fs::read(path)?;
    remove_byte_order_mark(&mut text).map_err(io::Error::other)?;
    Ok(text)
}

/// Removes one byte order mark.
///
/// # Errors
///
/// [`IsUtf16`]. Bytes without a zero are none, whatever they begin with: they may be a secret.
pub(crate) fn remove_byte_order_mark(text: &mut Vec<u8>) -> Result<(), IsUtf16> {
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    if UTF_16_MARKS.iter().any(|mark| text.starts_with(mark)) && text.contains(&0) {
        return Err(IsUtf16);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<u8>, String> {
        let mut text = text.to_vec();
        remove_byte_order_mark(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[test]
    fn one_mark_is_no_part_of_a_text() {
        for (text, rest) in [
            (&b"\xEF\xBB\xBFkey"[..], &b"key"[..]),
            (b"\xEF\xBB\xBF\xEF\xBB\xBFkey", b"\xEF\xBB\xBFkey"),
            (b"key", b"key"),
            (b"\xEF\xBB", b"\xEF\xBB"),
            (b"\xFF\xFEsecret", b"\xFF\xFEsecret"),
            (b"", b""),
        ] {
            assert_eq!(read(text), Ok(rest.to_vec()));
        }
    }

    #[test]
    fn utf_16_is_told() {
        for text in [&b"\xFF\xFEk\0e\0y\0"[..], b"\xFE\xFF\0k\0e\0y"] {
            assert!(read(text).unwrap_err().contains("UTF-8"));
        }
    }
}
