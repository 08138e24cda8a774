//! The list of records: `docs/api.md#retrievelivenesschecksquery`.

use liveness_bus::liveness::{LivenessCheckPage, RetrieveLivenessChecksQuery};
use liveness_bus::testing::TestBus;
use liveness_core::{Claims, UserReference};
use serde_json::{Value, json};

use crate::report::{Problem, RETRIEVE, UPDATE, body_with, problem, problems_in};

/// Three records of user 1, two of user 2, a second apart.
#[expect(clippy::unwrap_used, reason = "the store is in memory")]
async fn five_records() -> TestBus {
    let world = TestBus::new();
    for (user, session) in [(1, "a"), (2, "b"), (1, "a"), (1, "c"), (2, "b")] {
        world.clock().advance(1000);
        let mut principal = TestBus::customer_principal(user);
        let mut record_of = principal.user().cloned().unwrap();
        record_of.pre_registration_id = Some(70 + user);
        principal = principal.with_user(record_of);
        let body = body_with(json!({"sessionId": session, "imageBase64": "/9j/4AAB"})).to_string();
        world
            .dispatch(UPDATE, &body, &world.context(principal).build())
            .await
            .unwrap();
    }
    world
}

#[expect(clippy::unwrap_used, reason = "the query is valid")]
async fn retrieve(world: &TestBus, query: RetrieveLivenessChecksQuery) -> LivenessCheckPage {
    world.send(query, &world.admin()).await.unwrap()
}

fn ids(page: &LivenessCheckPage) -> Vec<i64> {
    page.items.iter().map(|item| item.id).collect()
}

async fn problems(body: &str) -> Vec<Problem> {
    let world = TestBus::new();
    problems_in(world.dispatch(RETRIEVE, body, &world.admin()).await)
}

#[tokio::test]
async fn without_fields_it_is_the_first_page_of_twenty_newest_first() {
    let world = five_records().await;

    let sent = retrieve(&world, RetrieveLivenessChecksQuery::default()).await;
    let dispatched = world.dispatch(RETRIEVE, "", &world.admin()).await.unwrap();

    assert_eq!(ids(&sent), [5, 4, 3, 2, 1]);
    assert_eq!(serde_json::to_value(&sent).unwrap(), dispatched);
    let without_items = (sent.page_number, sent.page_size, sent.total_count, sent.total_pages);
    assert_eq!(without_items, (1, 20, 5, 1));
    assert_eq!((sent.has_previous_page, sent.has_next_page), (false, false));
}

#[tokio::test]
async fn pages_know_their_neighbours() {
    let world = five_records().await;
    let page = |number| RetrieveLivenessChecksQuery {
        page_number: Some(number),
        page_size: Some(2),
        ..Default::default()
    };
    let cases = [
        (1, vec![5, 4], false, true),
        (2, vec![3, 2], true, true),
        (3, vec![1], true, false),
        (4, vec![], true, false),
        (i64::MAX, vec![], true, false),
    ];

    for (number, expected, has_previous, has_next) in cases {
        let found = retrieve(&world, page(number)).await;
        assert_eq!((ids(&found), found.page_number), (expected, number));
        assert_eq!(
            (found.has_previous_page, found.has_next_page),
            (has_previous, has_next),
            "{number}"
        );
        assert_eq!((found.total_count, found.total_pages), (5, 3));
    }
}

#[tokio::test]
async fn a_list_without_records_has_no_pages() {
    let world = TestBus::new();

    let answer = world.dispatch(RETRIEVE, "{}", &world.admin()).await.unwrap();

    let expected = json!({
        "Items": [], "PageNumber": 1, "PageSize": 20, "TotalCount": 0, "TotalPages": 0,
        "HasPreviousPage": false, "HasNextPage": false,
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn filters_narrow_the_list_and_combine_with_and() {
    let world = five_records().await;
    let cases = [
        (json!({"selfServiceUserId": 1}), vec![4, 3, 1]),
        (json!({"preRegistrationId": 72}), vec![5, 2]),
        (json!({"sessionId": "a"}), vec![3, 1]),
        (json!({"sessionId": " a\n"}), vec![3, 1]),
        (
            json!({"selfServiceUserId": 1, "sessionId": "c", "preRegistrationId": 71}),
            vec![4],
        ),
        (json!({"selfServiceUserId": 2, "sessionId": "a"}), vec![]),
        (
            json!({"selfServiceUserId": null, "preRegistrationId": null, "sessionId": null}),
            vec![5, 4, 3, 2, 1],
        ),
    ];

    for (filter, expected) in cases {
        let answer = world
            .dispatch(RETRIEVE, &filter.to_string(), &world.admin())
            .await
            .unwrap();
        let found: Vec<_> = answer["Items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["Id"].as_i64().unwrap())
            .collect();
        assert_eq!(answer["TotalCount"], json!(expected.len()), "{filter}");
        assert_eq!(found, expected, "{filter}");
    }
}

#[tokio::test]
async fn an_item_tells_whose_it_is_and_holds_no_face() {
    let world = five_records().await;
    let mut claims = Claims::of(UserReference::Id(1));
    claims.email = Some("customer@example.com".into());
    claims.name = Some("Jane Doe".into());
    world
        .store()
        .users()
        .add(claims.to_user(1), "2026-03-22T14:00:00Z".parse().unwrap())
        .await
        .unwrap();

    let answer = world
        .dispatch(RETRIEVE, r#"{"pageSize":2}"#, &world.admin())
        .await
        .unwrap();

    let whose = |item: &Value| [&item["UserId2"], &item["EmailAddress"], &item["DisplayName"]].map(Value::clone);
    assert_eq!(
        whose(&answer["Items"][1]),
        [json!("USR-00000001"), json!("customer@example.com"), json!("Jane Doe")]
    );
    assert_eq!(whose(&answer["Items"][0]), [json!(null), json!(null), json!(null)]);
    assert_eq!(
        (&answer["Items"][0]["HasImage"], answer["Items"][0].get("ImageBase64")),
        (&json!(true), None)
    );
}

#[tokio::test]
async fn every_field_is_within_its_bounds() {
    let cases = [
        (r#"{"preRegistrationId":0}"#, "preRegistrationId", "range"),
        (r#"{"selfServiceUserId":-1}"#, "selfServiceUserId", "range"),
        (r#"{"pageNumber":0}"#, "pageNumber", "range"),
        (r#"{"pageSize":0}"#, "pageSize", "range"),
        (r#"{"pageSize":101}"#, "pageSize", "range"),
        (r#"{"pageSize":"20"}"#, "pageSize", "type"),
        (r#"{"selfServiceUserId":1.5}"#, "selfServiceUserId", "type"),
        (r#"{"sessionId":5}"#, "sessionId", "type"),
        (r#"{"sessionId":" "}"#, "sessionId", "length"),
        (r#"{"sessionId":"a\tb"}"#, "sessionId", "control_character"),
        (r#"{"pageSize":1,"pageSize":1}"#, "pageSize", "duplicate"),
    ];

    for (body, field, code) in cases {
        assert_eq!(problems(body).await, [problem(field, code)], "{body}");
    }
    assert_eq!(
        problems(r#"{"pageNumber":1,"pageSize":100,"selfServiceUserId":1}"#).await,
        []
    );
}

#[tokio::test]
async fn all_wrong_fields_are_told_at_once_through_both_doors() {
    let world = TestBus::new();
    let body = r#"{"preRegistrationId":0,"selfServiceUserId":"1","sessionId":" ","pageNumber":0,"pageSize":1000}"#;
    let query = RetrieveLivenessChecksQuery {
        pre_registration_id: Some(0),
        self_service_user_id: Some(0),
        session_id: Some(" ".into()),
        page_number: Some(0),
        page_size: Some(1000),
    };

    let sent = problems_in(world.send(query, &world.admin()).await);
    let mut dispatched = problems(body).await;

    dispatched.sort();
    let all = |user_code| {
        let codes = [
            ("pageNumber", "range"),
            ("pageSize", "range"),
            ("preRegistrationId", "range"),
            ("selfServiceUserId", user_code),
            ("sessionId", "length"),
        ];
        codes.map(|(field, code)| problem(field, code))
    };
    assert_eq!(sent, all("range"));
    assert_eq!(dispatched, all("type"));
}
