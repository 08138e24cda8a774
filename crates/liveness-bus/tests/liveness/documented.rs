//! The bus answers exactly as the examples of `docs/api.md`, field by field.

use std::collections::BTreeSet;

use liveness_bus::testing::TestBus;
use liveness_bus::{Context, Principal, ReplyWriter};
use liveness_core::policy::Policy;
use liveness_core::{Claims, DeviceInfo, UserReference};
use serde_json::{Value, json};

use crate::report::{GET, GET_RECORD, RETRIEVE, REVIEW, STATUS, SUBMIT, UPDATE};

pub(crate) const API: &str = include_str!("../../../../docs/api.md");

/// The JSON examples in the chapter of a message, in their order.
#[expect(clippy::unwrap_used, reason = "the examples are there, and are JSON")]
pub(crate) fn examples(message: &str) -> Vec<Value> {
    let chapter = chapter(message);
    let blocks = chapter.split("```json\n").skip(1);
    blocks
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect()
}

/// The chapter of a message.
#[expect(clippy::unwrap_used, reason = "the chapter is there")]
pub(crate) fn chapter(message: &str) -> String {
    let chapter = API.split(&format!("\n## {message}\n")).nth(1).unwrap();
    chapter.split("\n## ").next().unwrap().to_owned()
}

/// A reply in the envelope of the contract.
#[derive(Default)]
struct Envelope {
    message: Option<&'static str>,
    data: Vec<u8>,
}

impl ReplyWriter for Envelope {
    fn begin(&mut self, summary: Option<&'static str>) {
        self.message = summary;
    }

    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }
}

#[expect(clippy::unwrap_used, reason = "the examples are valid")]
pub(crate) async fn answer(world: &TestBus, message: &str, body: &Value, context: &Context) -> Value {
    let mut envelope = Envelope::default();
    world
        .bus()
        .dispatch(message, body.to_string().as_bytes(), context, &mut envelope)
        .await
        .unwrap();
    let mut answer = json!({"isSuccessful": true, "statusCode": "00"});
    if let Some(message) = envelope.message {
        answer["message"] = json!(message);
    }
    answer["data"] = serde_json::from_slice(&envelope.data).unwrap();
    answer
}

fn jane() -> Claims {
    Claims {
        email: Some("customer@example.com".into()),
        given_name: Some("Jane".into()),
        family_name: Some("Doe".into()),
        ..Claims::of(UserReference::Id(1234))
    }
}

/// The customer of the examples, on the phone of the examples.
#[expect(clippy::unwrap_used, reason = "the address is valid")]
pub(crate) fn customer(world: &TestBus) -> Context {
    let device = DeviceInfo {
        user_agent: Some("...".into()),
        device_platform: Some("Android".into()),
        app_version: Some("2.1.0".into()),
    };
    world
        .context(TestBus::customer_principal(1234).with_user(jane().to_user(1234)))
        .device(device)
        .client_address(Some("41.58.12.100".parse().unwrap()))
        .build()
}

/// A world with the record of the examples. Its id is 1 here, and 42 in the examples.
#[expect(clippy::unwrap_used, reason = "the store is in memory")]
pub(crate) async fn with_the_documented_record() -> TestBus {
    let world = TestBus::new();
    world
        .store()
        .users()
        .put(vec![jane().to_user(1234)], "2026-03-22T14:00:00Z".parse().unwrap())
        .await
        .unwrap();
    let mut request = examples(SUBMIT)[0].clone();
    request["imagePath"] = json!(null);
    answer(&world, SUBMIT, &request, &customer(&world)).await;
    world
}

#[tokio::test]
async fn submit_answers_as_documented() {
    let world = TestBus::new();
    let [request, mut expected] = <[Value; 2]>::try_from(examples(SUBMIT)).unwrap();

    let answered = answer(&world, SUBMIT, &request, &customer(&world)).await;

    expected["data"]["id"] = json!(1);
    assert_eq!(answered, expected);
}

#[tokio::test]
async fn update_answers_as_documented() {
    let world = TestBus::new();
    let chapter = API.split("\n## UpdateLivenessCheckCommand\n").nth(1).unwrap();
    let request = chapter.split("--data '").nth(1).unwrap().split('\'').next().unwrap();
    let request = serde_json::from_str(request).unwrap();
    world.clock().advance(4 * 60_000 + 55_000);

    let answered = answer(&world, UPDATE, &request, &customer(&world)).await;

    let mut expected = examples(UPDATE)[0].clone();
    expected["data"]["id"] = json!(1);
    assert_eq!(answered, expected);
}

#[tokio::test]
async fn status_answers_as_documented() {
    let world = with_the_documented_record().await;

    let passed = answer(&world, STATUS, &json!({}), &customer(&world)).await;
    let not_passed = answer(&world, STATUS, &json!({}), &world.customer(5)).await;

    assert_eq!([passed, not_passed], examples(STATUS)[..]);
}

#[tokio::test]
async fn get_answers_as_documented() {
    let world = with_the_documented_record().await;

    let answered = answer(&world, GET, &json!({"userId": 1234}), &world.admin()).await;

    let mut expected = examples(GET)[0].clone();
    expected["data"]["LivenessCheck"]["Id"] = json!(1);
    assert_eq!(answered, expected);
}

/// The decision that the document sends.
#[expect(clippy::unwrap_used, reason = "the document has it")]
fn decision_of_the_document() -> Value {
    let chapter = API.split("\n## ReviewLivenessCheckCommand\n").nth(1).unwrap();
    let request = chapter.split("--data '").nth(1).unwrap().split('\'').next().unwrap();
    serde_json::from_str(request).unwrap()
}

#[tokio::test]
async fn a_record_and_a_decision_about_it_answer_as_documented() {
    let world = with_the_documented_record().await;
    let chapter = API.split("\n## GetLivenessCheckQuery\n").nth(1).unwrap();
    assert!(chapter.contains("--data '{\"id\": 42}'"));

    let (mut decision, mut decided) = (decision_of_the_document(), examples(REVIEW)[0].clone());
    decision["id"] = json!(1);
    decided["data"]["id"] = json!(1);
    let reviewer = world.context(Principal::new("reviewer-7").with_role("admin"));
    world.clock().advance(69 * 60_000 + 55_000);
    assert_eq!(answer(&world, REVIEW, &decision, &reviewer.build()).await, decided);

    let answered = answer(&world, GET_RECORD, &json!({"id": 1}), &world.admin()).await;

    let mut expected = examples(GET_RECORD)[0].clone();
    expected["data"]["LivenessCheck"]["Id"] = json!(1);
    expected["data"]["LivenessCheck"]["Verdict"]["Policy"] = json!(Policy::record().version());
    assert_eq!(answered, expected);
}

#[tokio::test]
async fn retrieve_answers_as_documented() {
    let world = with_the_documented_record().await;
    let request = json!({"selfServiceUserId": 1234, "pageNumber": 1, "pageSize": 20});

    let answered = answer(&world, RETRIEVE, &request, &world.admin()).await;

    let mut expected = examples(RETRIEVE)[0].clone();
    expected["data"]["Items"][0]["Id"] = json!(1);
    assert_eq!(answered, expected);
}

#[tokio::test]
async fn every_field_is_there_and_null_where_nothing_is_known() {
    let world = TestBus::new();
    world.add_customer(1234).await;
    let bare = json!({"sessionId": "s", "isSuccessful": true, "metadata": {"verificationResult": true}});
    answer(&world, SUBMIT, &bare, &world.customer(1234)).await;

    let got = answer(&world, GET, &json!({"userId": 1234}), &world.admin()).await;
    let record = answer(&world, GET_RECORD, &json!({"id": 1}), &world.admin()).await;
    let listed = answer(&world, RETRIEVE, &json!({}), &world.admin()).await;

    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let (view, item) = ("/data/LivenessCheck", "/data/Items/0");
    assert_eq!(
        keys(got.pointer(view).unwrap()),
        keys(examples(GET)[0].pointer(view).unwrap())
    );
    assert_eq!(
        keys(record.pointer(view).unwrap()),
        keys(examples(GET_RECORD)[0].pointer(view).unwrap())
    );
    assert_eq!(
        keys(listed.pointer(item).unwrap()),
        keys(examples(RETRIEVE)[0].pointer(item).unwrap())
    );
    assert_eq!(got["data"]["LivenessCheck"]["ImageBase64"], json!(null));
    assert_eq!(got["data"]["LivenessCheck"]["HasImage"], json!(false));
}
