//! The pixels of an image: that no decoder panics, and none takes much more memory than the pixels need.
//!
//! An image that decodes has the size that decoders read in its header, and has it still if something stands behind it.

#![no_main]

use std::alloc::System;
use std::io::Cursor;

use cap::Cap;
use image_webp::WebPDecoder;
use libfuzzer_sys::fuzz_target;
use liveness_core::verdict::Picture;
use liveness_core::{FaceImage, MediaType, picture};
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Fails an allocation that is beyond the limit. That ends the process.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Larger images take too long to try many. The decoders do the same for them, only more often.
const MOST_PIXELS: u64 = 1 << 16;

/// The width and the height in the header, by a decoder.
fn header(bytes: &[u8], media_type: MediaType) -> Option<(u32, u32)> {
    match media_type {
        MediaType::Jpeg => {
            let options = DecoderOptions::default().set_max_width(0xFFFF).set_max_height(0xFFFF);
            let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
            decoder.decode_headers().ok()?;
            let (width, height) = decoder.dimensions()?;
            Some((width.try_into().ok()?, height.try_into().ok()?))
        }
        MediaType::Png => {
            let mut decoder = png::Decoder::new(Cursor::new(bytes));
            let header = decoder.read_header_info().ok()?;
            Some((header.width, header.height))
        }
        MediaType::Webp => {
            let (width, height) = WebPDecoder::new(Cursor::new(bytes)).ok()?.dimensions();
            // It takes 16,384 for 0.
            (width > 0 && height > 0).then_some((width, height))
        }
    }
}

/// The most memory that decoding may take: a progressive JPEG of full colors takes 7 bytes for each pixel, in blocks of up to
/// 32 by 32. Each part of a lossy WebP tells its length in 24 bits, and has them before it is read. The codes of a lossless
/// WebP are small in the file and not in memory.
fn most_memory(pixels: u64, length: usize) -> usize {
    (20 << 20) + pixels as usize * 8 + length * 10_000
}

fuzz_target!(|input: &[u8]| {
    let Ok(image) = FaceImage::from_bytes(input.to_vec()) else {
        return;
    };
    // Some of what a decoder does not begin with is decoded all the same, such as a picture that says it is an animation.
    let Some(told) = header(input, image.media_type()) else {
        return;
    };
    let pixels = u64::from(told.0) * u64::from(told.1);
    if pixels > MOST_PIXELS {
        return;
    }
    let most = most_memory(pixels, input.len());
    MEMORY.set_limit(MEMORY.allocated() + most).unwrap();
    let picture = picture::decode(&image);
    MEMORY.set_limit(usize::MAX).unwrap();

    assert_ne!(picture, Picture::Broken("the decoder failed"));
    let Picture::Decoded { width, height } = picture else {
        return;
    };
    let is_animation = input.windows(4).any(|four| four == b"ANMF");
    assert!(
        (width, height) == told || is_animation && width <= told.0 && height <= told.1,
        "{width} x {height} instead of {told:?}"
    );
    // A JPEG may have no end marker, and goes on then.
    if image.media_type() != MediaType::Jpeg {
        let longer = FaceImage::from_bytes([input, b"\0\0\0\x20ftypmp42 and a film"].concat()).unwrap();
        assert_eq!(picture::decode(&longer), picture);
    }
});
