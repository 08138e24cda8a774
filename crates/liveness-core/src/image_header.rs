//! The size that the header of a JPEG, PNG or WebP tells. Pixels are not decoded, and a missing end is not noticed.
//!
//! The bytes come from strangers. Each function reads only what is there, and takes time in proportion to the header.

/// The width and the height of an image.
pub(crate) type Size = (u32, u32);

/// The size in the first frame header of a JPEG (ITU-T T.81, annex B). Segments before it are skipped, however long, as
/// are bytes between segments, which decoders skip too.
pub(crate) fn of_jpeg(bytes: &[u8]) -> Option<Size> {
    // The fill bytes FF and the stuffed FF 00 are no markers.
    const NO_MARKER: [u8; 2] = [0x00, 0xFF];
    let mut rest = bytes.get(2..)?;
    loop {
        rest = rest.get(rest.iter().position(|byte| *byte == 0xFF)?..)?;
        let marker = *rest.get(1)?;
        if NO_MARKER.contains(&marker) {
            rest = rest.get(1..)?;
            continue;
        }
        rest = rest.get(2..)?;
        match marker {
            // TEM, RST and SOI have no segment.
            0x01 | 0xD0..=0xD8 => continue,
            // EOI, or SOS: what follows is the image itself.
            0xD9 | 0xDA => return None,
            _ => {}
        }
        let length = usize::from(big_endian_16(rest, 0)?);
        // SOF, but not DHT, JPG and DAC.
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let (height, width) = (big_endian_16(rest, 3)?, big_endian_16(rest, 5)?);
            return (length >= 8).then_some((width.into(), height.into()));
        }
        // The length counts its own two bytes.
        rest = rest.get(length.max(2)..)?;
    }
}

/// The size in the first chunk of a PNG (PNG specification, 11.2.1).
pub(crate) fn of_png(bytes: &[u8]) -> Option<Size> {
    if bytes.get(8..16)? != b"\0\0\0\x0DIHDR" {
        return None;
    }
    let size = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some((size(16)?, size(20)?))
}

/// The size in the first chunk of a WebP (RFC 9649): lossy, lossless or extended.
pub(crate) fn of_webp(bytes: &[u8]) -> Option<Size> {
    of_webp_chunk(bytes.get(12..16)?, bytes.get(20..)?)
}

/// The size in the first chunk of a WebP, or in the chunk of a frame. `kind` is the four letters of the chunk.
pub(crate) fn of_webp_chunk(kind: &[u8], data: &[u8]) -> Option<Size> {
    match kind {
        b"VP8 " => {
            // RFC 6386, 9.1: a key frame has the start code 9D 01 2A and the size, in 14 bits each.
            let is_key_frame = data.first()? & 1 == 0 && data.get(3..6)? == [0x9D, 0x01, 0x2A];
            let (width, height) = (little_endian(data, 6, 2)?, little_endian(data, 8, 2)?);
            is_key_frame.then_some((width & 0x3FFF, height & 0x3FFF))
        }
        b"VP8L" => {
            // The width and the height less one, in 14 bits each, and the version, which is 0.
            let packed = little_endian(data, 1, 4)?;
            let is_known = *data.first()? == 0x2F && packed >> 29 == 0;
            is_known.then_some(((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1))
        }
        b"VP8X" => Some((little_endian(data, 4, 3)? + 1, little_endian(data, 7, 3)? + 1)),
        _ => None,
    }
}

fn big_endian_16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// The number in up to four bytes.
fn little_endian(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + length)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u32::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOF: [u8; 11] = [0, 11, 8, 0, 200, 1, 44, 1, 1, 0x11, 0];

    /// A JPEG with these bytes before its frame header of 300 by 200 pixels, whose marker is `frame`.
    fn jpeg(before: &[u8], frame: u8) -> Vec<u8> {
        [&b"\xFF\xD8"[..], before, &[0xFF, frame], &SOF].concat()
    }

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker][..], &length, content].concat()
    }

    #[test]
    fn every_frame_header_of_a_jpeg_tells_its_size() {
        for frame in (0xC0..=0xCF).filter(|frame| ![0xC4, 0xC8, 0xCC].contains(frame)) {
            assert_eq!(of_jpeg(&jpeg(b"", frame)), Some((300, 200)), "{frame:x}");
        }
        for other in [0xC4, 0xC8, 0xCC, 0xDB, 0xE0, 0xFE] {
            assert_eq!(of_jpeg(&jpeg(b"", other)), None, "{other:x}");
        }
    }

    #[test]
    fn what_is_before_the_frame_header_is_skipped() {
        let exif = segment(
            0xE1,
            &[&b"Exif\0\0"[..], &jpeg(b"", 0xC0), &vec![0xFF; 60_000]].concat(),
        );
        let tables = [
            segment(0xDB, &[1; 65]),
            segment(0xC4, &[0xC0; 29]),
            segment(0xDD, &[0, 0]),
        ]
        .concat();
        let cases = [
            exif.clone(),
            segment(0xEE, b"Adobe\0d\0\0\0\0\x02"),
            [exif.clone(), exif, tables].concat(),
            segment(0xFE, b""),
            b"\xFF\xFF\xFF".to_vec(),
            [segment(0xE0, &[0; 14]), b"\0rest\xFF\0".to_vec()].concat(),
            b"\xFF\x01\xFF\xD0".to_vec(),
        ];
        for before in cases {
            assert_eq!(
                of_jpeg(&jpeg(&before, 0xC2)),
                Some((300, 200)),
                "{} bytes",
                before.len()
            );
        }
    }

    #[test]
    fn a_jpeg_without_a_frame_header_has_no_size() {
        let cases = [
            b"\xFF\xD8\xFF".to_vec(),
            b"\xFF\xD8\xFF\xE0\0\x10JFIF\0".to_vec(),
            jpeg(b"\xFF\xD9", 0xC0),
            jpeg(&segment(0xDA, &[1, 2, 3]), 0xC0),
            // The segment ends behind the file.
            jpeg(b"\xFF\xE1\xFF\xFF", 0xC0),
            [&b"\xFF\xD8\xFF\xC0\0\x07"[..], &SOF[2..]].concat(),
            vec![0xFF; 100_000],
            [&b"\xFF\xD8"[..], &b"\xFF\xE0\0\0".repeat(10_000)].concat(),
        ];
        for bytes in cases {
            assert_eq!(of_jpeg(&bytes), None, "{:x?}", &bytes[..bytes.len().min(32)]);
        }
    }

    fn webp(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&b"RIFF\0\0\0\0WEBP"[..], kind, &[0; 4], data].concat()
    }

    #[test]
    fn each_kind_of_webp_tells_its_size() {
        // The two highest bits of the lossy form are a scale, those of the lossless form are alpha and version.
        let lossy = [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x2C, 0x41, 0xC8, 0x80];
        let lossless: u32 = 299 | 199 << 14 | 1 << 28;
        let lossless = [&[0x2F][..], &lossless.to_le_bytes()].concat();
        let extended = [0x10, 0, 0, 0, 0x2B, 1, 0, 0xC7, 0, 0];

        assert_eq!(of_webp(&webp(b"VP8 ", &lossy)), Some((300, 200)));
        assert_eq!(of_webp(&webp(b"VP8L", &lossless)), Some((300, 200)));
        assert_eq!(of_webp(&webp(b"VP8X", &extended)), Some((300, 200)));
        assert_eq!(of_webp(&webp(b"ALPH", &extended)), None);
        let not_key = [&[0x11][..], &lossy[1..]].concat();
        assert_eq!(of_webp(&webp(b"VP8 ", &not_key)), None);
        let of_version_1 = [&[0x2F][..], &(1u32 << 29).to_le_bytes()].concat();
        assert_eq!(of_webp(&webp(b"VP8L", &of_version_1)), None);
    }

    #[test]
    fn a_png_tells_its_size_in_its_first_chunk() {
        let png = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x01\x2C\0\0\0\xC8\x08\x02\0\0\0";

        assert_eq!(of_png(png), Some((300, 200)));
        assert_eq!(of_png(&png.map(|byte| if byte == b'I' { b'J' } else { byte })), None);
    }

    #[test]
    fn a_header_that_is_cut_off_anywhere_tells_no_size() {
        let lossy = webp(b"VP8 ", &[0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x2C, 1, 0xC8, 0]);
        let lossless = webp(b"VP8L", &[0x2F, 0, 0, 0, 0]);
        let extended = webp(b"VP8X", &[0; 10]);
        for whole in [lossy, lossless, extended] {
            assert!(of_webp(&whole).is_some());
            assert!((0..whole.len()).all(|end| of_webp(&whole[..end]).is_none()));
        }
        let png = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x01\x2C\0\0\0\xC8";
        assert!(of_png(png).is_some());
        assert!((0..png.len()).all(|end| of_png(&png[..end]).is_none()));
        let jpeg = jpeg(&segment(0xE0, &[0; 14]), 0xC0);
        // The number of components and the components come after the size.
        let end_of_size = jpeg.len() - 4;
        assert!(of_jpeg(&jpeg[..end_of_size]).is_some());
        assert!((0..end_of_size).all(|end| of_jpeg(&jpeg[..end]).is_none()));
    }
}
