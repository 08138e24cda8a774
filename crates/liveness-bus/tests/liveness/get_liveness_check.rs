//! The only field of GetLivenessCheckQuery: `docs/api.md#getlivenesscheckquery`.

use liveness_bus::liveness::GetLivenessCheckQuery;
use liveness_bus::testing::TestBus;

use crate::report::{GET_RECORD, problem, problems_in};

#[tokio::test]
async fn the_id_is_required_and_an_integer_from_one() {
    let world = TestBus::new();
    let cases = [
        ("", "required"),
        (r#"{"id":null}"#, "required"),
        (r#"{"id":0}"#, "range"),
        (r#"{"id":-1}"#, "range"),
        (r#"{"id":"42"}"#, "type"),
        (r#"{"id":1.5}"#, "type"),
        (r#"{"id":9223372036854775808}"#, "range"),
        (r#"{"id":1,"id":2}"#, "duplicate"),
    ];

    for (body, code) in cases {
        let found = problems_in(world.dispatch(GET_RECORD, body, &world.admin()).await);
        assert_eq!(found, [problem("id", code)], "{body}");
    }
}

#[tokio::test]
async fn the_same_holds_in_the_process() {
    let world = TestBus::new();

    for (id, code) in [(None, "required"), (Some(0), "range"), (Some(i64::MIN), "range")] {
        let found = problems_in(
            world
                .send(GetLivenessCheckQuery { id, purpose: None }, &world.admin())
                .await,
        );
        assert_eq!(found, [problem("id", code)]);
    }
}
