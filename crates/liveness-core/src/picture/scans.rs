//! Where the scans of a JPEG are (ITU-T T.81, annex B). Pixels are not decoded.

/// The frame and the scans of a JPEG.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scans {
    /// The marker of the frame header: `0xC0` to `0xCF`.
    pub(super) frame: u8,
    /// Bits for each sample.
    pub(super) precision: u8,
    /// How many scans there are.
    pub(super) count: u64,
    /// Where the last scan ends.
    pub(super) end: usize,
    /// Whether it ends at a marker. Otherwise it ends with the file.
    pub(super) is_at_marker: bool,
}

impl Scans {
    /// Finds the frame and the scans. `None` if there is no frame, or no scan behind it.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (mut frame, mut found, mut count) = (None, None, 0);
        let mut at = 2;
        while let Some((marker, behind)) = next_marker(bytes, at) {
            // TEM, RST and SOI have no segment.
            if matches!(marker, 0x01 | 0xD0..=0xD8) {
                at = behind;
                continue;
            }
            if marker == EOI {
                break;
            }
            // SOF, but not DHT, JPG and DAC.
            if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) && frame.is_none() {
                frame = Some((marker, *bytes.get(behind + 2)?));
            }
            let Some(length) = bytes.get(behind..behind + 2) else {
                break;
            };
            // The length counts its own two bytes.
            at = behind + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
            if marker != SOS {
                continue;
            }
            let (frame, precision) = frame?;
            count += 1;
            let marker = end_of_scan(bytes, at);
            let end = marker.unwrap_or(bytes.len());
            found = Some(Self {
                frame,
                precision,
                count,
                end,
                is_at_marker: marker.is_some(),
            });
            at = end;
        }
        found
    }
}

const SOS: u8 = 0xDA;
const EOI: u8 = 0xD9;

/// The next marker from `at` on, and what is behind it. Fill bytes and stuffed zeros are no markers.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xFF)?;
        match *bytes.get(at + 1)? {
            0x00 | 0xFF => at += 1,
            marker => return Some((marker, at + 2)),
        }
    }
}

/// Where the next marker begins that is not within a scan, as those for a restart are.
fn end_of_scan(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let (marker, behind) = next_marker(bytes, at)?;
        if !matches!(marker, 0xD0..=0xD7) {
            return Some(behind - 2);
        }
        at = behind;
    }
}
