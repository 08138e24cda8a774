//! The text of `imageBase64`, against another decoder after white space, the URL-safe letters and the head of a data URI
//! have been replaced.

#![no_main]

use data_encoding::BASE64_NOPAD;
use libfuzzer_sys::fuzz_target;
use liveness_core::{FaceImage, ImageError};

/// The bytes of a text by the words of `docs/api.md#images`, or `None` if it is not Base64.
fn expected(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.split(['\t', '\n', '\r', ' ']).collect();
    let lower = compact.to_ascii_lowercase();
    let payload = if lower.starts_with("data:") {
        &compact[lower.find(";base64,")? + ";base64,".len()..]
    } else {
        &compact
    };
    let letters = payload.trim_end_matches('=');
    let padding = payload.len() - letters.len();
    // All of the padding may be left out, or a part of it.
    if padding > (4 - letters.len() % 4) % 4 {
        return None;
    }
    let standard = letters.replace('-', "+").replace('_', "/");
    BASE64_NOPAD.decode(standard.as_bytes()).ok()
}

fuzz_target!(|text: &str| {
    let read = FaceImage::from_base64(text);
    match expected(text) {
        None => assert_eq!(read, Err(ImageError::Base64)),
        Some(bytes) => assert_eq!(read, FaceImage::from_bytes(bytes)),
    }
    if let Ok(image) = read {
        assert_eq!(FaceImage::from_base64(&image.to_data_uri()), Ok(image));
    }
});
