//! Decodes a WebP by image-webp: the picture, or the first one of an animation. Transparency and colors are left out.

use std::io::Cursor;

use image_webp::vp8::Vp8Decoder;
use image_webp::{DecodingError, WebPDecoder};

use super::DAMAGED;
use crate::image_header::{self, Size};

/// The four letters and the length of a chunk, and its data.
const HEAD: usize = 8;
/// What stands in the chunk of a frame before the chunks within it (RFC 9649, 2.7.1.1).
const FRAME_HEAD: usize = 16;

pub(super) fn decode(bytes: &[u8], canvas: Size) -> Result<Size, &'static str> {
    let chunk = picture(bytes.get(12..).ok_or(DAMAGED)?).ok_or(DAMAGED)?;
    let size = image_header::of_webp_chunk(chunk.kind, chunk.data).ok_or(DAMAGED)?;
    // A larger picture than the canvas would go around the limit of pixels.
    let fits = match chunk.is_of_animation {
        true => size.0 <= canvas.0 && size.1 <= canvas.1 && size.0 > 0 && size.1 > 0,
        false => size == canvas,
    };
    if !fits {
        return Err(DAMAGED);
    }
    let decoded = match chunk.kind {
        b"VP8 " => Vp8Decoder::decode_frame(chunk.data).map(drop),
        _ => lossless(chunk.data, size),
    };
    decoded.map(|()| size).map_err(|_| DAMAGED)
}

struct Chunk<'a> {
    kind: &'a [u8],
    data: &'a [u8],
    is_of_animation: bool,
}

/// The first chunk of pixels, if it is whole.
fn picture(mut chunks: &[u8]) -> Option<Chunk<'_>> {
    let mut is_of_animation = false;
    loop {
        let kind = chunks.get(..4)?;
        let length = u32::from_le_bytes(chunks.get(4..HEAD)?.try_into().ok()?);
        let length = usize::try_from(length).ok()?;
        match kind {
            b"VP8 " | b"VP8L" => {
                let data = chunks.get(HEAD..)?.get(..length)?;
                return Some(Chunk {
                    kind,
                    data,
                    is_of_animation,
                });
            }
            b"ANMF" => {
                is_of_animation = true;
                chunks = chunks.get(HEAD + FRAME_HEAD..)?;
            }
            // A chunk of an odd length has a byte behind it.
            _ => chunks = chunks.get(HEAD..)?.get(length.checked_next_multiple_of(2)?..)?,
        }
    }
}

/// Decodes the data of a lossless picture.
fn lossless(data: &[u8], (width, height): Size) -> Result<(), DecodingError> {
    // In the fourth byte behind the signature.
    const HAS_ALPHA: (usize, u8) = (4, 1 << 4);
    let length = u32::try_from(data.len()).map_err(|_| DecodingError::ImageTooLarge)?;
    let mut file = [b"RIFF\0\0\0\0WEBPVP8L", &length.to_le_bytes()[..], data].concat();
    // The decoder makes four bytes of each pixel. Without this it would copy three of them into a second buffer.
    let flags = file.len() - data.len() + HAS_ALPHA.0;
    *file.get_mut(flags).ok_or(DecodingError::NotEnoughInitData)? |= HAS_ALPHA.1;
    let mut pixels = vec![0; width as usize * height as usize * 4];
    WebPDecoder::new(Cursor::new(file))?.read_image(&mut pixels)
}
