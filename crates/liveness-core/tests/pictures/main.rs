//! Images of every kind, made by the encoders that others use, whole and broken.
//!
//! The samples show no person: they are random patches of color.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::path::Path;

use liveness_core::verdict::Picture;
use liveness_core::{FaceImage, ImageError, picture};

/// JPEGs by libjpeg-turbo. The size of all samples is 60 by 52, if nothing else is said.
const JPEGS: [&str; 12] = [
    "a-scan-each.jpg",
    "baseline-411.jpg",
    "baseline-420.jpg",
    "baseline-422.jpg",
    "baseline-440.jpg",
    "baseline-444.jpg",
    "cmyk.jpg",
    "gray.jpg",
    "restarts.jpg",
    "rgb.jpg",
    "rotated-by-exif.jpg",
    "flat.jpg",
];
const PROGRESSIVE: [&str; 4] = [
    "gray-progressive.jpg",
    "progressive-440.jpg",
    "progressive-restarts.jpg",
    "progressive.jpg",
];
/// PNGs by libpng or zlib.
const PNGS: [&str; 13] = [
    "alpha.png",
    "animated.png",
    "bits.png",
    "gray-16.png",
    "gray.png",
    "palette.png",
    "rgb.png",
    "interlaced-1x1.png",
    "interlaced-1x9.png",
    "interlaced-2x3.png",
    "interlaced-5x5.png",
    "interlaced-60x52.png",
    "interlaced-9x1.png",
];
/// WebPs by libwebp.
const WEBPS: [&str; 7] = [
    "animated.webp",
    "lossless-alpha.webp",
    "lossless-flat.webp",
    "lossless.webp",
    "lossy-alpha.webp",
    "lossy-exif.webp",
    "lossy.webp",
];

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/samples");
    fs::read(folder.join(name)).unwrap()
}

fn decoded(bytes: &[u8]) -> Result<Picture, ImageError> {
    FaceImage::from_bytes(bytes.to_vec()).map(|image| picture::decode(&image))
}

/// Whether the bytes are an image that decodes.
fn is_whole(bytes: &[u8]) -> bool {
    matches!(decoded(bytes), Ok(Picture::Decoded { .. }))
}

fn size_of(name: &str) -> (u32, u32) {
    match name {
        "flat.jpg" => (200, 200),
        "animated.png" | "animated.webp" => (40, 36),
        name => match name
            .strip_prefix("interlaced-")
            .and_then(|size| size.strip_suffix(".png"))
        {
            Some(size) => {
                let (width, height) = size.split_once('x').unwrap();
                (width.parse().unwrap(), height.parse().unwrap())
            }
            None => (60, 52),
        },
    }
}

/// Where the last `marker` of a JPEG is. The samples have no such bytes in their tables.
fn last(bytes: &[u8], marker: u8) -> usize {
    bytes.windows(2).rposition(|two| two == [0xFF, marker]).unwrap()
}

/// Where the data of the first chunk of this type is in a PNG, and where it ends.
fn chunk(bytes: &[u8], kind: &[u8; 4]) -> (usize, usize) {
    let at = bytes.windows(4).position(|four| four == kind).unwrap();
    let length = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap());
    (at + 4, at + 4 + length as usize)
}

#[test]
fn every_kind_of_image_decodes_to_the_size_that_its_header_tells() {
    for name in [&JPEGS[..], &PROGRESSIVE, &PNGS, &WEBPS].concat() {
        let (width, height) = size_of(name);
        assert_eq!(decoded(&sample(name)), Ok(Picture::Decoded { width, height }), "{name}");
    }
}

#[test]
fn what_no_browser_shows_is_broken_and_says_so() {
    let not_shown = Ok(Picture::Broken("browsers do not show this kind of JPEG"));
    for name in ["arithmetic.jpg", "arithmetic-progressive.jpg"] {
        assert_eq!(decoded(&sample(name)), not_shown, "{name}");
    }
    let whole = sample("baseline-444.jpg");
    let frame = last(&whole, 0xC0);
    let (mut lossless, mut of_12_bits) = (whole.clone(), whole);
    lossless[frame + 1] = 0xC3;
    of_12_bits[frame + 4] = 12;
    assert_eq!(decoded(&lossless), not_shown);
    assert_eq!(decoded(&of_12_bits), not_shown);
}

#[test]
fn a_header_alone_is_broken() {
    let jpeg = FaceImage::from_base64("/9j/wAALCAABAAEBAREA").unwrap();
    assert!(matches!(picture::decode(&jpeg), Picture::Broken(_)));
    let png = sample("rgb.png");
    assert!(matches!(decoded(&png[..33]), Ok(Picture::Broken(_))));
    for name in WEBPS {
        assert!(matches!(decoded(&sample(name)[..30]), Ok(Picture::Broken(_))), "{name}");
    }
}

#[test]
fn a_missing_end_is_fine() {
    for name in JPEGS
        .into_iter()
        .chain(PROGRESSIVE)
        .filter(|name| *name != "progressive-restarts.jpg")
    {
        let whole = sample(name);
        assert!(is_whole(&whole[..whole.len() - 1]), "{name}");
        assert!(is_whole(&whole[..whole.len() - 2]), "{name}");
    }
    for name in PNGS {
        let whole = sample(name);
        let (_, end) = chunk(&whole, b"IDAT");
        assert!(is_whole(&whole[..end]), "{name}");
    }
    let whole = sample("lossy-exif.webp");
    let exif = whole.windows(4).position(|four| four == b"EXIF").unwrap();
    assert!(is_whole(&whole[..exif]));
}

#[test]
fn a_jpeg_that_ends_before_its_pixels_is_broken() {
    // Of one scan for each component, the decoder reads the first to its end only.
    let names = JPEGS
        .into_iter()
        .chain(PROGRESSIVE)
        .filter(|name| *name != "a-scan-each.jpg");
    for name in names {
        let whole = sample(name);
        let (begin, end) = (last(&whole, 0xDA), last(&whole, 0xD9));
        // With less than that missing, the pixels of the last block may be there all the same.
        for cut in (begin..end.saturating_sub(24)).filter(|cut| *cut > begin + 12) {
            assert!(!is_whole(&whole[..cut]), "{name} cut at {cut} of {end}");
        }
    }
    // An end marker behind what is left does not make it whole.
    let whole = sample("baseline-420.jpg");
    let half = [&whole[..whole.len() / 2 + 300], b"\xFF\xD9"].concat();
    assert!(!is_whole(&half));
}

#[test]
fn a_progressive_jpeg_may_lack_whole_scans_behind_the_first() {
    let whole = sample("progressive.jpg");
    let begin = last(&whole, 0xDA);
    // A table of codes stands before the scan.
    let before = last(&whole[..begin], 0xC4);
    assert!(is_whole(&whole[..before + 2]));
    assert!(!is_whole(&whole[..before - 40]));
}

#[test]
fn a_png_or_webp_that_ends_before_its_pixels_is_broken() {
    for name in PNGS {
        let whole = sample(name);
        let (begin, end) = chunk(&whole, b"IDAT");
        // The last bytes of the stream are its checksum and what ends it.
        for cut in begin..end.saturating_sub(9) {
            assert!(!is_whole(&whole[..cut]), "{name} cut at {cut} of {end}");
        }
    }
    for name in [
        "lossless-alpha.webp",
        "lossless-flat.webp",
        "lossless.webp",
        "lossy-alpha.webp",
        "lossy.webp",
    ] {
        let whole = sample(name);
        // A chunk of an odd length has a byte behind it.
        for cut in 12..whole.len() - 1 {
            assert!(!is_whole(&whole[..cut]), "{name} cut at {cut} of {}", whole.len());
        }
    }
}

#[test]
fn a_byte_that_was_changed_does_not_make_a_decoder_fail() {
    for name in [&JPEGS[..], &PROGRESSIVE, &PNGS, &WEBPS].concat() {
        let mut bytes = sample(name);
        let mut broken = 0;
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 200) {
            bytes[at] ^= 0x81;
            let picture = decoded(&bytes);
            assert_ne!(picture, Ok(Picture::Broken("the decoder failed")), "{name} at {at}");
            broken += u32::from(matches!(picture, Ok(Picture::Broken(_))));
            bytes[at] ^= 0x81;
        }
        assert!(broken > 0, "{name}");
    }
}

#[test]
fn a_png_whose_pixels_were_changed_is_broken() {
    for name in PNGS {
        let mut bytes = sample(name);
        let (begin, end) = chunk(&bytes, b"IDAT");
        for at in (begin..end).step_by(7) {
            bytes[at] ^= 0x10;
            assert!(!is_whole(&bytes), "{name} at {at}");
            bytes[at] ^= 0x10;
        }
    }
}

#[test]
fn what_stands_behind_the_pixels_is_not_read() {
    for name in [&JPEGS[..], &PROGRESSIVE, &PNGS, &WEBPS].concat() {
        let whole = sample(name);
        // A phone may put a film there, or a second image.
        for more in [b"\0\0\0\x20ftypmp42".repeat(100), whole.clone(), vec![0xFF; 5000]] {
            assert!(is_whole(&[&whole[..], &more].concat()), "{name}");
        }
    }
}

#[test]
fn bytes_between_segments_are_skipped() {
    let whole = sample("baseline-420.jpg");
    let frame = last(&whole, 0xC0);
    let bytes = [&whole[..frame], b"\0\0rest of something\0", &whole[frame..]].concat();
    assert!(is_whole(&bytes));
}

#[test]
fn a_jpeg_of_more_scans_than_encoders_write_is_not_decoded() {
    let whole = sample("progressive.jpg");
    let (begin, end) = (last(&whole, 0xDA), last(&whole, 0xD9));
    let of_scans = |count| [&whole[..begin], &whole[begin..end].repeat(count), &whole[end..]].concat();
    let too_many = Ok(Picture::Broken("more scans than encoders write"));
    assert_ne!(decoded(&of_scans(20)), too_many);
    assert_eq!(decoded(&of_scans(60)), too_many);
}

#[test]
fn a_webp_whose_picture_is_not_of_the_size_of_its_canvas_is_broken() {
    let whole = sample("lossy-exif.webp");
    // The width and the height less one stand in 24 bits each.
    assert_eq!(whole[24..30], [59, 0, 0, 51, 0, 0]);
    for (at, size) in [(24, 58), (24, 60), (27, 50), (27, 52)] {
        let mut bytes = whole.clone();
        bytes[at] = size;
        assert!(!is_whole(&bytes), "{size}");
    }
    // The first picture of an animation may be smaller than its canvas, and counts by its own size.
    let mut animated = sample("animated.webp");
    animated[25] = 2;
    let (width, height) = size_of("animated.webp");
    assert_eq!(decoded(&animated), Ok(Picture::Decoded { width, height }));
    animated[25] = 0;
    animated[24] -= 1;
    assert!(!is_whole(&animated));
}
