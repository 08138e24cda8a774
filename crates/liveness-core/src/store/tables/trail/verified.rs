//! Which part of the trail is verified, and what was found.

use std::ops::Range;

/// A part of the trail: the log, the entries and the records are cut into `of` parts of equal length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrailPart {
    /// The number of the part, from 0.
    pub number: u32,
    /// How many parts there are. 1 for all of the trail.
    pub of: u32,
}

impl TrailPart {
    /// All of the trail.
    pub const WHOLE: Self = Self { number: 0, of: 1 };

    pub(crate) fn of(self, total: i64) -> Range<i64> {
        let cut = |number: u32| {
            let parts = i128::from(self.of.max(1));
            let at = i128::from(total) * i128::from(number).min(parts) / parts;
            i64::try_from(at).unwrap_or(total)
        };
        cut(self.number)..cut(self.number.saturating_add(1))
    }
}

/// What a verification has looked at, and what it has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailVerification {
    /// How many entries are in the log.
    pub size: u64,
    /// How many entries of the newest checkpoint are signed.
    pub signed: u64,
    /// How many entries of the log were compared with their rows.
    pub entries: u64,
    /// How many entries are not in the log yet.
    pub pending: u64,
    /// How many entries in the log were written without the key of the trail.
    pub unsigned: u64,
    /// How many records were compared with their entries.
    pub records: u64,
    /// How many faces were compared with their entries.
    pub faces: u64,
    /// The id of the last record from before records were bound to their entries. 0 if there is none.
    pub last_unbound_record: i64,
    /// What is wrong, one row each, in words.
    pub findings: Vec<String>,
}

impl TrailVerification {
    pub(crate) fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }

    /// The same, for what several entries tell of and so does a table.
    pub(crate) fn find_once(&mut self, finding: String) {
        if !self.findings.contains(&finding) {
            self.find(finding);
        }
    }
}
