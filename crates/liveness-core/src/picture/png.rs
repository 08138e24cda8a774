//! Decodes a PNG, row by row. Only a row is kept.

use std::io::{Cursor, ErrorKind};

use ::png::{Decoder, DecodingError, Info, Limits};

use super::DAMAGED;

/// More than a row takes of any image that has 200 rows, and more than a chunk that is kept.
const MOST_BYTES: usize = 16 << 20;

/// The first pixel of each pass of an interlaced image, and the steps to the next one, from left to right and from top to
/// bottom (PNG specification, 8.2).
const PASSES: [[u32; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];

pub(super) fn decode(bytes: &[u8]) -> Result<(), &'static str> {
    match rows(bytes) {
        // A row of millions of pixels is as good as any other, but no face: it is judged by its height.
        Ok(()) | Err(DecodingError::LimitsExceeded) => Ok(()),
        Err(_) => Err(DAMAGED),
    }
}

/// Reads all rows, and the checksums of what they are in. What is compressed behind them stays so.
fn rows(bytes: &[u8]) -> Result<(), DecodingError> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MOST_BYTES });
    // What is compressed in these can be much larger than the file.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info()?;
    for _ in 0..rows_of(reader.info()) {
        reader.next_row()?;
    }
    match reader.next_row() {
        Err(DecodingError::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
        end => end.map(drop),
    }
}

/// How many rows the decoder returns.
fn rows_of(info: &Info<'_>) -> u32 {
    let (width, height) = info
        .frame_control()
        .map_or((info.width, info.height), |frame| (frame.width, frame.height));
    if !info.interlaced {
        return height;
    }
    let rows = PASSES.iter().filter(|[left, ..]| *left < width);
    rows.map(|[_, top, _, step]| height.saturating_sub(*top).div_ceil(*step))
        .sum()
}
