//! What the audit entry of a query says: which record and face were shown, what was looked for, and why.

use liveness_core::store::{LookLimit, Looked, StoreError};
use liveness_core::{AuditSubject, Reason, Shown, Violation};

use super::Liveness;
use super::optional_text::given;
use crate::{BusError, Call};

/// The messages that show faces. The looks of both are counted together.
const LOOKS: &[&str] = &["GetUserLivenessCheckQuery", "GetLivenessCheckQuery"];

const PURPOSE_REQUIRED: Violation = Violation::new("required", "must say why the face is looked at");

impl Liveness {
    /// Why a face is looked at.
    ///
    /// # Errors
    ///
    /// [`BusError::Invalid`] if no purpose is given and the settings require one.
    pub(super) fn purpose(&self, text: Option<&String>) -> Result<Option<String>, BusError> {
        let refused = |violation| BusError::invalid("purpose", violation);
        let purpose = given(text).map(Reason::parse).transpose().map_err(refused)?;
        if purpose.is_none() && self.settings.requires_purpose {
            return Err(refused(PURPOSE_REQUIRED));
        }
        Ok(purpose.map(|purpose| purpose.as_str().to_owned()))
    }
}

impl Liveness {
    /// Counts a look at a face, and writes its entry, if the settings limit the looks of a principal. The handler calls this
    /// when nothing can go wrong any more, and has told the call what it shows.
    ///
    /// # Errors
    ///
    /// [`BusError::TooMany`], if it is one too many. The refusal leaves an entry too.
    pub(super) async fn count_look(&self, call: &Call<'_>) -> Result<(), BusError> {
        let Some(faces_a_day) = self.settings.faces_a_day else {
            return Ok(());
        };
        let entry = call.audit_entry();
        if entry.subject.face_digest.is_none() {
            return Ok(());
        }
        let limit = LookLimit {
            faces_a_day,
            messages: LOOKS,
        };
        let looked = self.store.trail().append_look(entry, limit).await;
        match looked.map_err(not_shown)? {
            Looked::Allowed => {
                call.entry_written();
                Ok(())
            }
            Looked::Refused { retry_after } => Err(BusError::TooMany { retry_after }),
        }
    }
}

/// Bytes as hexadecimal digits, in lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A look whose entry may be written or not shows nothing. It can be repeated as it is.
fn not_shown(error: StoreError) -> BusError {
    match BusError::from(error) {
        BusError::OutcomeUnknown(cause) => BusError::Unavailable(cause),
        other => other,
    }
}

/// A look at one record: its id and the digest of its face, if there is one. Without a record, nothing was found.
pub(super) fn record_shown(record: Option<(i64, Option<[u8; 32]>)>, purpose: Option<String>) -> AuditSubject {
    let count = if record.is_some() { None } else { Some(0) };
    AuditSubject {
        liveness_check_id: record.map(|(id, _)| id),
        face_digest: record.and_then(|(_, digest)| digest),
        shown: Shown {
            count,
            purpose,
            ..Shown::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::LOOKS;
    use crate::Message as _;
    use crate::liveness::{GetLivenessCheckQuery, GetUserLivenessCheckQuery};

    #[test]
    fn the_looks_that_are_counted_are_those_of_the_messages_that_show_faces() {
        assert_eq!(LOOKS, [GetUserLivenessCheckQuery::NAME, GetLivenessCheckQuery::NAME]);
    }
}
