//! Helpers: bodies of the two commands, and the errors that the bus finds in them.

use liveness_bus::BusError;
use liveness_bus::liveness::{LivenessReport, SubmitLivenessCheckCommand, UpdateLivenessCheckCommand};
use liveness_bus::testing::TestBus;
use serde_json::{Value, json};

pub(crate) const SUBMIT: &str = "SubmitLivenessCheckCommand";
pub(crate) const UPDATE: &str = "UpdateLivenessCheckCommand";
pub(crate) const START: &str = "StartLivenessSessionCommand";
pub(crate) const STATUS: &str = "CheckLivenessStatusQuery";
pub(crate) const GET: &str = "GetUserLivenessCheckQuery";
pub(crate) const GET_RECORD: &str = "GetLivenessCheckQuery";
pub(crate) const GET_RECEIPT: &str = "GetReceiptQuery";
pub(crate) const RETRIEVE: &str = "RetrieveLivenessChecksQuery";
pub(crate) const RETRIEVE_MINE: &str = "RetrieveMyLivenessChecksQuery";
pub(crate) const RETRIEVE_ENTRIES: &str = "RetrieveAuditEntriesQuery";

pub(crate) const ERASE_FACE: &str = "EraseFaceCommand";
pub(crate) const ERASE_USER: &str = "EraseUserCommand";
pub(crate) const REVIEW: &str = "ReviewLivenessCheckCommand";
pub(crate) const PLACE_HOLD: &str = "PlaceLegalHoldCommand";
pub(crate) const LIFT_HOLD: &str = "LiftLegalHoldCommand";
pub(crate) const UNLOCK: &str = "UnlockUserCommand";

/// A field, and the code of the rule that it breaks.
pub(crate) type Problem = (String, String);

/// A valid body, whose fields are replaced or extended by the given ones.
pub(crate) fn body_with(fields: Value) -> Value {
    let mut body = json!({"sessionId": "sdk-1", "isSuccessful": true});
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

/// The field errors of a result, in their order. None if it is `Ok`.
pub(crate) fn problems_in<T>(result: Result<T, BusError>) -> Vec<Problem> {
    match result {
        Ok(_) => Vec::new(),
        Err(BusError::Invalid(errors)) => errors
            .into_iter()
            .map(|error| (error.field, error.code.into_owned()))
            .collect(),
        Err(other) => panic!("{other:?}"),
    }
}

/// The field errors of a JSON body. They are the same for both commands.
pub(crate) async fn problems_of_text(body: &str) -> Vec<Problem> {
    let world = TestBus::new();
    let customer = world.customer(1);
    let submit = problems_in(world.dispatch(SUBMIT, body, &customer).await);
    let update = problems_in(world.dispatch(UPDATE, body, &customer).await);
    assert_eq!(submit, update, "{body}");
    submit
}

pub(crate) async fn problems_of(fields: Value) -> Vec<Problem> {
    problems_of_text(&body_with(fields).to_string()).await
}

/// The field errors of a report that is sent as a type, and not as JSON.
pub(crate) async fn problems_of_report(report: LivenessReport) -> Vec<Problem> {
    let world = TestBus::new();
    let customer = world.customer(1);
    let submit = problems_in(world.send(SubmitLivenessCheckCommand(report.clone()), &customer).await);
    let update = problems_in(world.send(UpdateLivenessCheckCommand(report), &customer).await);
    assert_eq!(submit, update);
    submit
}

pub(crate) fn problem(field: &str, code: &str) -> Problem {
    (field.to_owned(), code.to_owned())
}
