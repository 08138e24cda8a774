//! Erases the face of a record for good: `docs/api.md#erasefacecommand`.

use liveness_core::store::ErasedFace;
use liveness_core::{Reason, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::shown::hex;
use super::store_adapter::{ERASED, HELD, NO_FACE, NO_SUCH_CHECK};
use super::{Liveness, OFFICER, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Erases the face of a record. Its key is destroyed at once. The record stays.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EraseFaceCommand {
    /// The record's number, from 1.
    #[validate(required, range(min = 1))]
    pub id: Option<i64>,
    /// Why, for the receipt: 1 to 1,000 characters. It should name nobody.
    #[validate(required, custom(function = "validators::reason"))]
    #[schemars(with = "Reason")]
    pub reason: Option<String>,
}

/// The receipt of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FaceErased {
    /// The record's number.
    pub id: i64,
    /// SHA-256 of the face's bytes as they were kept; hexadecimal.
    pub face_sha256: String,
    /// When.
    pub erased_at: Timestamp,
    /// From when on no backup opens it: the day of the next rotation of the keys. Null while that day is not known, and for
    /// a face that was not sealed.
    pub unreadable_from: Option<Timestamp>,
}

impl Message for EraseFaceCommand {
    const NAME: &'static str = "EraseFaceCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = OFFICER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = FaceErased;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/erase_face.json");
        Some(Description::of::<Self>(examples).refusals([NO_SUCH_CHECK, NO_FACE, HELD, ERASED]))
    }

    fn summary(_: &FaceErased) -> Option<&'static str> {
        Some("The face was erased.")
    }
}

impl Handler<EraseFaceCommand> for Liveness {
    async fn handle(&self, command: EraseFaceCommand, call: &Call<'_>) -> Result<FaceErased, BusError> {
        let id = command.id.unwrap_or_default();
        let order = Self::order(Some(id), command.reason.as_ref(), call)?;
        let erased = self.store.erasures().erase_face(id, order).await?;
        call.entry_written();
        Ok(erased.into())
    }
}

impl From<ErasedFace> for FaceErased {
    fn from(erased: ErasedFace) -> Self {
        Self {
            id: erased.liveness_check_id,
            face_sha256: hex(&erased.digest),
            erased_at: erased.erased_at,
            unreadable_from: erased.unreadable_from,
        }
    }
}
