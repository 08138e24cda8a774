//! Bodies of the two commands, and what the bus finds wrong with them.

use liveness_bus::BusError;
use liveness_bus::liveness::{LivenessReport, SubmitLivenessCheckCommand, UpdateLivenessCheckCommand};
use liveness_bus::testing::TestBus;
use serde_json::{Value, json};

pub(crate) const SUBMIT: &str = "SubmitLivenessCheckCommand";
pub(crate) const UPDATE: &str = "UpdateLivenessCheckCommand";
pub(crate) const STATUS: &str = "CheckLivenessStatusQuery";
pub(crate) const GET: &str = "GetUserLivenessCheckQuery";
pub(crate) const GET_RECORD: &str = "GetLivenessCheckQuery";
pub(crate) const RETRIEVE: &str = "RetrieveLivenessChecksQuery";

/// A field and the code of the rule that it breaks.
pub(crate) type Problem = (String, String);

/// A valid body with the given fields in it, in place of its own where they have the same names.
pub(crate) fn body_with(fields: Value) -> Value {
    let mut body = json!({"sessionId": "sdk-1", "isSuccessful": true});
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

/// What is wrong with a result, in the order in which it is told; nothing when it is well.
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

/// What the JSON of a body comes to, which is the same for both commands.
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

/// The same through the other door: what a report comes to that was not read from JSON.
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
