//! The size in the header of an image: of headers that are made here, and against decoders of images.
//!
//! An image that a decoder can show is never larger than the limit if it was taken.

#![no_main]

use std::io::Cursor;

use image_webp::WebPDecoder;
use libfuzzer_sys::fuzz_target;
use liveness_core::{FaceImage, ImageError, MediaType};
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// The bytes that a header is made of. Zeros follow the last one.
struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// A JPEG up to its frame header, with segments before it.
fn jpeg(source: &mut Source<'_>) -> (Vec<u8>, u64) {
    // Application data, comments, tables and restart intervals. Start of image and of scan, and frames, are none of these.
    const BEFORE: [u8; 8] = [0xE0, 0xE1, 0xEE, 0xFE, 0xDB, 0xC4, 0xDD, 0xCC];
    const FRAMES: [u8; 4] = [0xC0, 0xC1, 0xC2, 0xCA];
    let mut bytes = b"\xFF\xD8\xFF".to_vec();
    for _ in 0..source.byte() % 4 {
        bytes.extend(vec![0xFF; usize::from(source.byte() % 3)]);
        bytes.push(BEFORE[usize::from(source.byte() % 8)]);
        let length = usize::from(source.byte());
        let content = source.take(length);
        bytes.extend((content.len() as u16 + 2).to_be_bytes());
        bytes.extend(content);
        bytes.push(0xFF);
    }
    bytes.push(FRAMES[usize::from(source.byte() % 4)]);
    let (width, height) = (source.number(), source.number());
    bytes.extend([0, 11, 8]);
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([1, 1, 0x11, 0]);
    (bytes, u64::from(width) * u64::from(height))
}

fn png(source: &mut Source<'_>) -> (Vec<u8>, u64) {
    let size = |source: &mut Source<'_>| u32::from(source.number()) << (source.byte() % 17);
    let (width, height) = (size(source), size(source));
    let mut bytes = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    (bytes, u64::from(width) * u64::from(height))
}

fn webp(source: &mut Source<'_>) -> (Vec<u8>, u64) {
    let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
    let (kind, width, height) = (source.byte() % 3, source.number() & 0x3FFF, source.number() & 0x3FFF);
    let pixels = match kind {
        0 => {
            bytes.extend(b"VP8 \0\0\0\0\x10\0\0\x9D\x01\x2A");
            bytes.extend(width.to_le_bytes());
            bytes.extend(height.to_le_bytes());
            u64::from(width) * u64::from(height)
        }
        1 => {
            bytes.extend(b"VP8L\0\0\0\0\x2F");
            bytes.extend((u32::from(width) | u32::from(height) << 14).to_le_bytes());
            (u64::from(width) + 1) * (u64::from(height) + 1)
        }
        _ => {
            bytes.extend(b"VP8X\0\0\0\0\0\0\0\0");
            bytes.extend(&u32::from(width).to_le_bytes()[..3]);
            bytes.extend(&u32::from(height).to_le_bytes()[..3]);
            (u64::from(width) + 1) * (u64::from(height) + 1)
        }
    };
    (bytes, pixels)
}

fn made(bytes: Vec<u8>, pixels: u64) {
    let expected = match pixels {
        0 => Err(ImageError::Header),
        pixels if pixels > FaceImage::MAX_PIXELS => Err(ImageError::Pixels),
        _ => Ok(()),
    };
    assert_eq!(FaceImage::from_bytes(bytes).map(drop), expected, "{pixels} pixels");
}

/// The width and the height of an image, by a decoder.
fn decoded(bytes: &[u8], media_type: MediaType) -> Option<(u64, u64)> {
    let read = Cursor::new(bytes);
    match media_type {
        MediaType::Jpeg => {
            let options = DecoderOptions::default().set_max_width(0xFFFF).set_max_height(0xFFFF);
            let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
            decoder.decode_headers().ok()?;
            let (width, height) = decoder.dimensions()?;
            Some((width as u64, height as u64))
        }
        MediaType::Png => {
            let mut decoder = png::Decoder::new(read);
            let header = decoder.read_header_info().ok()?;
            Some((header.width.into(), header.height.into()))
        }
        MediaType::Webp => {
            let (width, height) = WebPDecoder::new(read).ok()?.dimensions();
            Some((width.into(), height.into()))
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    let mut source = Source(rest);
    let (bytes, pixels) = match kind {
        b'j' => jpeg(&mut source),
        b'p' => png(&mut source),
        b'w' => webp(&mut source),
        _ => {
            if let Ok(image) = FaceImage::from_bytes(input.to_vec()) {
                let size = decoded(input, image.media_type());
                assert!(
                    size.is_none_or(|(width, height)| width * height <= FaceImage::MAX_PIXELS),
                    "{size:?}"
                );
            }
            return;
        }
    };
    made(bytes, pixels);
});
