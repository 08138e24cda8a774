//! The only field of GetUserLivenessCheckQuery: `docs/api.md#getuserlivenesscheckquery`.

use liveness_bus::liveness::GetUserLivenessCheckQuery;
use liveness_bus::testing::TestBus;

use crate::report::{GET, problem, problems_in};

#[tokio::test]
async fn the_user_id_is_required_and_an_integer_from_one() {
    let world = TestBus::new();
    let cases = [
        ("", "required"),
        (r#"{"userId":null}"#, "required"),
        (r#"{"userId":0}"#, "range"),
        (r#"{"userId":-1}"#, "range"),
        (r#"{"userId":"1234"}"#, "type"),
        (r#"{"userId":1.5}"#, "type"),
        (r#"{"userId":9223372036854775808}"#, "range"),
        (r#"{"userId":1,"userId":2}"#, "duplicate"),
    ];

    for (body, code) in cases {
        let found = problems_in(world.dispatch(GET, body, &world.admin()).await);
        assert_eq!(found, [problem("userId", code)], "{body}");
    }
}

#[tokio::test]
async fn the_same_holds_in_the_process() {
    let world = TestBus::new();

    for (user_id, code) in [(None, "required"), (Some(0), "range"), (Some(i64::MIN), "range")] {
        let found = problems_in(
            world
                .send(GetUserLivenessCheckQuery { user_id, purpose: None }, &world.admin())
                .await,
        );
        assert_eq!(found, [problem("userId", code)]);
    }
}
