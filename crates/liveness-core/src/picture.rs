//! Whether the pixels of a face decode. The pixels themselves are thrown away.
//!
//! The bytes come from strangers. No decoder here has unsafe code of its own, each takes memory in proportion to the pixels that
//! the header tells, of which there are at most [`FaceImage::MAX_PIXELS`], and none keeps colors that it need not keep.
//! `docs/decisions.md` says what counts as broken.

mod jpeg;
#[cfg(feature = "store")]
mod off_worker;
mod png;
mod scans;
mod webp;

#[cfg(feature = "store")]
pub use self::off_worker::{DecodersBusy, Decoding};

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::image_header::Size;
use crate::verdict::Picture;
use crate::{FaceImage, MediaType};

/// The pixels are not those of the header, are damaged, or are not all there.
const DAMAGED: &str = "pixels are damaged or missing";
/// The image may be whole, but no browser shows it.
const NOT_SHOWN: &str = "browsers do not show this kind of JPEG";
/// It would take too long to decode the image.
const TOO_MANY_SCANS: &str = "more scans than encoders write";
/// The decoder panicked.
const FAILED: &str = "the decoder failed";

/// Decodes an image, on the thread of the caller.
///
/// A missing end is fine, as long as all pixels are there: phones leave out the end marker. What stands behind the pixels is not
/// read. Of an animation, the first picture counts.
///
/// ```
/// use liveness_core::verdict::Picture;
/// use liveness_core::{FaceImage, picture};
///
/// // It has a header and nothing else.
/// let image = FaceImage::from_base64("/9j/wAALCAABAAEBAREA")?;
/// assert!(matches!(picture::decode(&image), Picture::Broken(_)));
/// # Ok::<(), liveness_core::ImageError>(())
/// ```
pub fn decode(image: &FaceImage) -> Picture {
    // What an older version stored may have no header, or more pixels.
    let size = image.size().filter(|(width, height)| {
        let pixels = u64::from(*width) * u64::from(*height);
        (1..=FaceImage::MAX_PIXELS).contains(&pixels)
    });
    let Some(size) = size else {
        return Picture::Broken(DAMAGED);
    };
    // The decoders own nothing that a panic could leave half done.
    let decoded = catch_unwind(AssertUnwindSafe(|| pixels(image, size)));
    match decoded.unwrap_or(Err(FAILED)) {
        Ok((width, height)) => Picture::Decoded { width, height },
        Err(why) => Picture::Broken(why),
    }
}

/// Decodes the pixels of an image whose header tells this size. Returns the size of what was decoded: the first picture of an
/// animation may be smaller.
fn pixels(image: &FaceImage, size: Size) -> Result<Size, &'static str> {
    match image.media_type() {
        MediaType::Jpeg => jpeg::decode(image.bytes(), size).map(|()| size),
        MediaType::Png => png::decode(image.bytes()).map(|()| size),
        MediaType::Webp => webp::decode(image.bytes(), size),
    }
}
