//! Records a successful run: `docs/api.md#submitlivenesscheckcommand`.

use serde::Deserialize;
use validator::{Validate, ValidationErrors};

use super::{CUSTOMER, Liveness, LivenessReport, Receipt};
use crate::{Access, Audit, BusError, Call, Handler, Kind, Message};

/// Records a run that the SDK calls a success; any other is declined and only audited.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct SubmitLivenessCheckCommand(pub LivenessReport);

impl Validate for SubmitLivenessCheckCommand {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.0.validate()
    }
}

impl Message for SubmitLivenessCheckCommand {
    const NAME: &'static str = "SubmitLivenessCheckCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = Receipt;

    fn decline(&self) -> Result<(), BusError> {
        match self.0.is_successful {
            Some(false) => Err(BusError::Declined(
                "isSuccessful is false: nothing was recorded; use UpdateLivenessCheckCommand to record any outcome",
            )),
            _ => Ok(()),
        }
    }

    fn summary(receipt: &Receipt) -> Option<&'static str> {
        Some(receipt.summary())
    }
}

impl Handler<SubmitLivenessCheckCommand> for Liveness {
    async fn handle(&self, command: SubmitLivenessCheckCommand, call: &Call<'_>) -> Result<Receipt, BusError> {
        self.record(command.0, call).await
    }
}
