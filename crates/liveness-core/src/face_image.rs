//! A captured face. It is parsed once, from Base64 into bytes, and its type is known by its signature.
//!
//! This file neither decodes nor prints pixels: `Debug` shows the type and the size.

mod base64;

use std::fmt;
use std::sync::Arc;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use self::base64::{decode, plain, without_data_uri};
use crate::Violation;
use crate::image_header::{self, Size};

/// The type of an image, by the signature in its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/webp`
    Webp,
}

impl MediaType {
    /// The registered name, as in `Content-Type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    pub(crate) fn of_signature(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }
}

/// The reason why a text or bytes are not a [`FaceImage`]: `docs/api.md#images`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Not RFC 4648 Base64.
    #[error("{}", NOT_BASE64.message())]
    Base64,
    /// The signature is not of a JPEG, PNG or WebP.
    #[error("{}", NO_IMAGE.message())]
    MediaType,
    /// The header does not tell a width and a height of at least one pixel.
    #[error("{}", NO_SIZE.message())]
    Header,
    /// More than [`FaceImage::MAX_PIXELS`].
    #[error("{}", TOO_MANY_PIXELS.message())]
    Pixels,
}

const NOT_BASE64: Violation = Violation::new(
    "base64",
    "must be Base64 (RFC 4648), in the standard or the URL-safe alphabet",
);
const NO_IMAGE: Violation = Violation::new("media_type", "must be a JPEG, PNG or WebP image");
const NO_SIZE: Violation = Violation::new(
    "image_header",
    "must be an image whose header tells its width and height; this one is cut off or damaged",
);
const TOO_MANY_PIXELS: Violation = Violation::new("pixels", "must have at most 40,000,000 pixels");

impl From<ImageError> for Violation {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Base64 => NOT_BASE64,
            ImageError::MediaType => NO_IMAGE,
            ImageError::Header => NO_SIZE,
            ImageError::Pixels => TOO_MANY_PIXELS,
        }
    }
}

/// The bytes of a JPEG, PNG or WebP. A clone shares them.
///
/// ```
/// use liveness_core::{FaceImage, MediaType};
///
/// let image = FaceImage::from_base64("data:image/png;base64,/9j/wAALCAABAAEBAREA")?;
/// assert_eq!(image.media_type(), MediaType::Jpeg);
/// assert_eq!(image.to_data_uri(), "data:image/jpeg;base64,/9j/wAALCAABAAEBAREA");
/// # Ok::<(), liveness_core::ImageError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct FaceImage {
    media_type: MediaType,
    bytes: Arc<Vec<u8>>,
}

impl FaceImage {
    /// The most pixels of an image. A few bytes can stand for more than a reviewer's browser can show.
    pub const MAX_PIXELS: u64 = 40_000_000;

    /// Takes bytes that are a JPEG, PNG or WebP by their signature, with a header that tells their size.
    ///
    /// # Errors
    ///
    /// [`ImageError::MediaType`], [`ImageError::Header`] or [`ImageError::Pixels`] when they are not.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ImageError> {
        let image = Self::from_stored(bytes)?;
        let (width, height) = image.size().ok_or(ImageError::Header)?;
        match u64::from(width) * u64::from(height) {
            0 => Err(ImageError::Header),
            pixels if pixels > Self::MAX_PIXELS => Err(ImageError::Pixels),
            _ => Ok(image),
        }
    }

    /// Takes bytes that were judged when they were stored, perhaps by the rules of an older version.
    pub(crate) fn from_stored(bytes: Vec<u8>) -> Result<Self, ImageError> {
        let media_type = MediaType::of_signature(&bytes).ok_or(ImageError::MediaType)?;
        let bytes = Arc::new(bytes);
        Ok(Self { media_type, bytes })
    }

    /// Decodes Base64, with or without `data:<type>;base64,` before it. The declared type is ignored.
    ///
    /// The alphabet is the standard one or the URL-safe one, and white space is ignored anywhere.
    ///
    /// # Errors
    ///
    /// [`ImageError::Base64`] when the text is not Base64, and those of [`from_bytes`](Self::from_bytes).
    pub fn from_base64(text: &str) -> Result<Self, ImageError> {
        let payload = without_data_uri(text)?.as_bytes();
        // Nearly every payload is plain. Only one that cannot be decoded is looked at again.
        let bytes = decode(payload).or_else(|| decode(&plain(payload)?));
        Self::from_bytes(bytes.ok_or(ImageError::Base64)?)
    }

    /// The width and the height, if the header of the image tells them.
    pub(crate) fn size(&self) -> Option<Size> {
        match self.media_type {
            MediaType::Jpeg => image_header::of_jpeg(&self.bytes),
            MediaType::Png => image_header::of_png(&self.bytes),
            MediaType::Webp => image_header::of_webp(&self.bytes),
        }
    }

    /// The type of the image.
    pub fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// The file, as it was captured.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `data:image/jpeg;base64,…`
    pub fn to_data_uri(&self) -> String {
        self.data_uri_within("")
    }

    /// The data URI with `mark` before and after it.
    fn data_uri_within(&self, mark: &str) -> String {
        let begin = format!("{mark}data:{};base64,", self.media_type.name());
        let length = begin.len() + base64_simd::STANDARD.encoded_length(self.bytes.len()) + mark.len();
        let mut text = String::with_capacity(length);
        text.push_str(&begin);
        base64_simd::STANDARD.encode_append(self.bytes(), &mut text);
        text.push_str(mark);
        text
    }
}

impl fmt::Debug for FaceImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaceImage({}, {} bytes)", self.media_type.name(), self.bytes.len())
    }
}

impl Serialize for FaceImage {
    /// Serializes the data URI. Only `serde_json` can do this.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A data URI needs no escapes in JSON, so its bytes are not examined one by one.
        let json = RawValue::from_string(self.data_uri_within("\""));
        json.map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use ::base64::Engine as _;

    use super::base64::BASE64;
    use super::*;

    /// One pixel: a JPEG up to the end of its frame header.
    const JPEG: &[u8] = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0";

    fn png(width: u32, height: u32) -> Vec<u8> {
        let head = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR";
        [&head[..], &width.to_be_bytes(), &height.to_be_bytes()].concat()
    }

    #[test]
    fn the_signature_decides_and_not_the_declared_type() {
        let webp = b"RIFF\x16\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let cases: [(&[u8], MediaType); 3] = [
            (JPEG, MediaType::Jpeg),
            (&png(1, 1), MediaType::Png),
            (webp, MediaType::Webp),
        ];
        for (bytes, media_type) in cases {
            let text = format!("data:text/html;base64,{}", BASE64.encode(bytes));
            let image = FaceImage::from_base64(&text).unwrap();
            assert_eq!((image.media_type(), image.bytes()), (media_type, bytes));
        }
    }

    #[test]
    fn base64_is_taken_as_phones_make_it() {
        // The bytes FB FF FE have letters that differ between the alphabets.
        let bytes = [JPEG, &b"\xFB\xFF\xFE\xFB\xFF\xFE\xFB"[..]].concat();
        let cases = [
            "/9j/wAALCAABAAEBAREA+//++//++w==",
            "/9j/wAALCAABAAEBAREA+//++//++w",
            "_9j_wAALCAABAAEBAREA-__--__--w==",
            "_9j_wAALCAABAAEBAREA-__--__--w",
            "_9j/wAALCAABAAEBAREA-//+-_/++w",
            "/9j/\nwAAL\nCAAB\nAAEB\nAREA\n+//+\n+//+\n+w==\n",
            "_9j_wAALCAABA\r\nAEBAREA-__--\r\n__--w\r\n",
            " \t\r\n/9j/wAALCAABAAEBAREA+//++//++w= \n =\t",
            "/ 9\tj\n/\rwAALCAABAAEBAREA+//++//++w==",
            "DATA:image/jpeg;charset=x;BASE64,/9j/wAALCAABAAEBAREA+//++//++w",
            "data:;base64,_9j_wAALCAABAAEBAREA-__--__--w",
            "data:image/jpg;name=\"a,b\";base64,/9j/wAALCAABAAEBAREA+//++//++w",
            "\ndata:image/jpeg; base64 ,\n/9j/wAALCAABAAEBAREA+//++//++w\n",
            "da\nta:image/x-\r\nlong;bas\r\ne64\r\n,/9j/wAALCAABAAEBAREA+//++//++w",
        ];
        for text in cases {
            let read = FaceImage::from_base64(text);
            assert_eq!(read.as_ref().map(FaceImage::bytes), Ok(&bytes[..]), "{text:?}");
        }
    }

    #[test]
    fn all_else_of_base64_stays_strict() {
        let bad = [
            "/9j/wAALCAABAAEBAREA+",
            "/9j/wAALCAABAAEBAREA+x==",
            "_9j_wAALCAABAAEBAREA-x",
            "/9j/wAALCAABAAEBAREA+w===",
            "/9j/wAALCAABAAEBAREA+w==AAAA",
            "/9j/wAALCAABAAEBAREA\u{b}",
            "/9j/wAALCAABAAEBAREA\u{c}",
            "/9j/wAALCAABAAEBAREA\u{a0}",
            "/9j/wAALCAABAAEBAREA.",
            "/9j/wAALCAAB,AAEBAREA",
            "/9j/wAALCAABAAEB%0AAREA",
            "data:image/jpeg,/9j/wAALCAABAAEBAREA",
            "data:image/jpeg;base64",
            "data:image/jpeg;base64;/9j/wAALCAABAAEBAREA",
            "data:image/jpeg;base64,data:image/jpeg;base64,/9j/wAALCAABAAEBAREA",
            "image/jpeg;base64,/9j/wAALCAABAAEBAREA",
            "é",
        ];
        for text in bad {
            assert_eq!(FaceImage::from_base64(text), Err(ImageError::Base64), "{text}");
        }
    }

    #[test]
    fn an_image_has_a_header_with_a_size() {
        for bytes in [
            &JPEG[..3],
            &JPEG[..6],
            &JPEG[..8],
            &png(1, 1)[..23],
            b"RIFF\0\0\0\0WEBP",
        ] {
            assert_eq!(
                FaceImage::from_bytes(bytes.to_vec()),
                Err(ImageError::Header),
                "{bytes:x?}"
            );
        }
        for (width, height) in [(0, 1), (1, 0), (0, u32::MAX)] {
            assert_eq!(FaceImage::from_bytes(png(width, height)), Err(ImageError::Header));
        }
    }

    #[test]
    fn an_image_has_at_most_40_million_pixels() {
        for (width, height) in [(1, 1), (8000, 5000), (40_000_000, 1)] {
            assert!(FaceImage::from_bytes(png(width, height)).is_ok(), "{width} x {height}");
        }
        for (width, height) in [(60_000, 60_000), (40_000_001, 1), (8001, 5000), (u32::MAX, u32::MAX)] {
            assert_eq!(FaceImage::from_bytes(png(width, height)), Err(ImageError::Pixels));
        }
    }

    #[test]
    fn what_an_older_version_stored_is_still_read() {
        let stored = FaceImage::from_stored(b"\xFF\xD8\xFF".to_vec()).unwrap();
        assert_eq!(stored.to_data_uri(), "data:image/jpeg;base64,/9j/");
    }

    #[test]
    fn the_fast_decoder_accepts_nothing_that_the_rule_refuses() {
        let before = BASE64.encode([0xFF; 48]);
        let letters = ["A", "B", "w", "/", "+", "=", "-", "_", " ", "\n", "é", ""];
        let of_four = |mut number: usize| {
            let mut text = String::new();
            for _ in 0..4 {
                text += letters[number % letters.len()];
                number /= letters.len();
            }
            text
        };
        for number in 0..letters.len().pow(4) {
            let four = of_four(number);
            for text in [four.clone(), format!("{before}{four}"), format!("{four}{before}")] {
                if let Ok(bytes) = base64_simd::STANDARD.decode_to_vec(&text) {
                    assert_eq!(BASE64.decode(&text), Ok(bytes), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn bytes_without_the_signature_of_an_image_are_refused() {
        for bytes in [&b""[..], b"\xFF\xD8", b"GIF89a", b"<svg/>", b"RIFF\0\0\0\0WAVE", b"BM"] {
            assert_eq!(FaceImage::from_bytes(bytes.to_vec()), Err(ImageError::MediaType));
        }
    }

    #[test]
    fn debug_shows_no_pixel() {
        let image = FaceImage::from_bytes([JPEG, b"secret"].concat()).unwrap();
        assert_eq!(format!("{image:?}"), "FaceImage(image/jpeg, 21 bytes)");
    }

    #[test]
    fn it_serializes_as_the_data_uri() {
        let image = FaceImage::from_bytes([JPEG, b" face"].concat()).unwrap();
        let json = serde_json::to_string(&image).unwrap();
        assert_eq!(json, format!("\"{}\"", image.to_data_uri()));
        assert_eq!(FaceImage::from_base64(&image.to_data_uri()), Ok(image));
    }
}
