//! The first leaf of a log: from where on entries and records are bound by it, `docs/trail.md#leaves`.

/// What a log does not know. It is the first leaf of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Genesis {
    /// The id of the last entry from before entries had a writer. The log holds it, as it was when the log began.
    pub(crate) last_unwritten_entry: i64,
    /// The id of the last record from before entries had the digest of their record.
    pub(crate) last_unbound_record: i64,
}

impl Genesis {
    /// The leaf.
    pub(crate) fn leaf(&self) -> Vec<u8> {
        format!(
            r#"{{"version":1,"lastUnwrittenEntry":{},"lastUnboundRecord":{}}}"#,
            self.last_unwritten_entry, self.last_unbound_record
        )
        .into_bytes()
    }
}
