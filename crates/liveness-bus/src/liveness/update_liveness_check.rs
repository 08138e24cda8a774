//! Records any run, successful or not: `docs/api.md#updatelivenesscheckcommand`.

use serde::Deserialize;
use validator::{Validate, ValidationErrors};

use super::{CUSTOMER, Liveness, LivenessReport, Receipt};
use crate::{Access, Audit, BusError, Call, Handler, Kind, Message};

/// Records a run, whatever its outcome. It appends a record; nothing is overwritten.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct UpdateLivenessCheckCommand(pub LivenessReport);

impl Validate for UpdateLivenessCheckCommand {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.0.validate()
    }
}

impl Message for UpdateLivenessCheckCommand {
    const NAME: &'static str = "UpdateLivenessCheckCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = Receipt;

    fn summary(receipt: &Receipt) -> Option<&'static str> {
        Some(receipt.summary())
    }
}

impl Handler<UpdateLivenessCheckCommand> for Liveness {
    async fn handle(&self, command: UpdateLivenessCheckCommand, call: &Call<'_>) -> Result<Receipt, BusError> {
        self.record(command.0, call).await
    }
}
