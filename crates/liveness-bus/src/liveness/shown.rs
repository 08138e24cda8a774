//! What the audit entry of a query says: which record and face were shown, what was looked for, and why.

use liveness_core::{AuditSubject, Reason, Shown, Violation};

use super::Liveness;
use super::optional_text::given;
use crate::BusError;

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

/// Bytes as hexadecimal digits, in lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
