//! Decodes a JPEG by zune-jpeg.

use zune_jpeg::zune_core::bytestream::{ZByteReaderTrait, ZCursor};
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;
use zune_jpeg::{JpegDecoder, SampleRatios};

use super::scans::Scans;
use super::{DAMAGED, NOT_SHOWN, TOO_MANY_SCANS};
use crate::image_header::Size;

/// The most scans of an image. Encoders write ten or so.
const MAX_SCANS: u64 = 40;
/// The most pixels that all scans go over. A few bytes can stand for a scan over all pixels, which takes up to 0.2 s for 40
/// million. A photo of 12 megapixels may have 16 scans, and the largest may have 5.
const MAX_SCANNED_PIXELS: u64 = 200_000_000;

pub(super) fn decode(bytes: &[u8], size: Size) -> Result<(), &'static str> {
    let scans = Scans::of(bytes).ok_or(DAMAGED)?;
    // Baseline, extended and progressive, with Huffman codes.
    if !matches!(scans.frame, 0xC0..=0xC2) || scans.precision != 8 {
        return Err(NOT_SHOWN);
    }
    let max_scans = MAX_SCANS.min(MAX_SCANNED_PIXELS / (u64::from(size.0) * u64::from(size.1)));
    if scans.count > max_scans {
        return Err(TOO_MANY_SCANS);
    }
    let pixels = pixels(bytes, &scans).ok_or(DAMAGED)?;
    let options = DecoderOptions::default()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(max_scans as usize);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(pixels), options);
    // Not strict yet: other decoders skip what stands between segments.
    decoder.decode_headers().map_err(|_| DAMAGED)?;
    let told = (size.0 as usize, size.1 as usize);
    if decoder.dimensions() != Some(told) {
        return Err(DAMAGED);
    }
    let options = options.set_strict_mode(true).jpeg_set_out_colorspace(colors(&decoder));
    decoder.set_options(options);
    decoder.decode().map(drop).map_err(|_| DAMAGED)
}

/// The bytes to decode: the scans, without what is behind them.
///
/// The decoder fills with gray what is missing in front of the end marker. So that it does not, it is not given the marker of the
/// file. What is behind the last scan is different for each kind, because of what the decoder asks for there.
fn pixels(bytes: &[u8], scans: &Scans) -> Option<Vec<u8>> {
    const READ_AHEAD: [u8; 16] = [0; 16];
    const END: [u8; 2] = [0xFF, 0xD9];
    // A segment without content, of a kind that is no error behind a scan, but is one within a scan.
    const UNKNOWN: [u8; 4] = [0xFF, 0xBF, 0x00, 0x02];
    let scanned = bytes.get(..scans.end)?;
    Some(match (scans.frame, scans.is_at_marker) {
        // The decoder takes the end of the bytes for the end of the pixels, and reads ahead.
        (0xC0 | 0xC1, _) => [scanned, &READ_AHEAD[..]].concat(),
        (_, true) => [scanned, &END[..]].concat(),
        (_, false) => [scanned, &READ_AHEAD[..], &UNKNOWN, &END].concat(),
    })
}

/// The colors to decode to: only the lightness, where the decoder can leave out the others.
fn colors<T: ZByteReaderTrait>(decoder: &JpegDecoder<T>) -> ColorSpace {
    let is_doubled = decoder
        .info()
        .is_some_and(|info| matches!(info.sample_ratio, SampleRatios::V | SampleRatios::Generic(..)));
    match decoder.input_colorspace() {
        Some(ColorSpace::YCbCr | ColorSpace::Luma) if !is_doubled => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    }
}
