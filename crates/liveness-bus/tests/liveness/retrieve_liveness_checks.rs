//! The list of records: `docs/api.md#retrievelivenesschecksquery`.

use liveness_bus::liveness::{LivenessCheckPage, RetrieveLivenessChecksQuery};
use liveness_bus::testing::TestBus;
use liveness_core::{Claims, UserReference};
use serde_json::{Value, json};

use crate::report::{Problem, RETRIEVE, REVIEW, UPDATE, body_with, problem, problems_in};

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
        let body = body_with(json!({"sessionId": session, "imageBase64": "/9j/wAALCAABAAEBAREA"})).to_string();
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

/// The ids of the records that a filter leaves, newest first. `TotalCount` is their number.
#[expect(clippy::unwrap_used, reason = "the query is valid")]
async fn found(world: &TestBus, filter: &Value) -> Vec<i64> {
    let answer = world
        .dispatch(RETRIEVE, &filter.to_string(), &world.admin())
        .await
        .unwrap();
    let items = answer["Items"].as_array().unwrap();
    assert_eq!(answer["TotalCount"], json!(items.len()), "{filter}");
    items.iter().map(|item| item["Id"].as_i64().unwrap()).collect()
}

/// Five records of user 1, an hour apart from 15:00 on. The second and the fourth failed. The last two have no face.
#[expect(clippy::unwrap_used, reason = "the store is in memory")]
async fn an_afternoon() -> TestBus {
    let world = TestBus::new();
    let records = [(true, true), (false, true), (true, true), (false, false), (true, false)];
    for (is_successful, has_image) in records {
        let hour = 60 * 60 * 1000;
        world.clock().advance(hour);
        let image = has_image.then_some("/9j/wAALCAABAAEBAREA");
        let body = body_with(json!({"isSuccessful": is_successful, "imageBase64": image})).to_string();
        world.dispatch(UPDATE, &body, &world.customer(1)).await.unwrap();
    }
    world
}

#[tokio::test]
async fn the_list_can_be_narrowed_to_a_time_an_outcome_and_a_face() {
    let world = an_afternoon().await;
    let first = world.dispatch(RETRIEVE, "{}", &world.admin()).await.unwrap()["Items"][4]["CreatedAt"].clone();
    assert_eq!(first, "2026-03-22T15:00:05Z");
    let cases = [
        (json!({"from": "2026-03-22T16:00:05Z"}), vec![5, 4, 3, 2]),
        (json!({"from": "2026-03-22T16:00:05.001Z"}), vec![5, 4, 3]),
        (json!({"to": "2026-03-22T16:00:05Z"}), vec![1]),
        (
            json!({"from": "2026-03-22T17:00:05+01:00", "to": "2026-03-22 18:30"}),
            vec![4, 3, 2],
        ),
        (
            json!({"from": "2026-03-22T16:00:05Z", "to": "2026-03-22T16:00:05Z"}),
            vec![],
        ),
        (json!({"isSuccessful": false}), vec![4, 2]),
        (json!({"isSuccessful": true}), vec![5, 3, 1]),
        (json!({"hasImage": true}), vec![3, 2, 1]),
        (json!({"hasImage": false}), vec![5, 4]),
        (json!({"isSuccessful": false, "hasImage": true}), vec![2]),
        (
            json!({"isSuccessful": false, "hasImage": true, "from": "2026-03-22T17:00:00Z", "to": "2026-03-23T00:00:00Z"}),
            vec![],
        ),
        (
            json!({"selfServiceUserId": 1, "isSuccessful": false, "to": "2026-03-22T17:00:00Z"}),
            vec![2],
        ),
        (json!({"selfServiceUserId": 2, "isSuccessful": false}), vec![]),
        (
            json!({"sessionId": "sdk-1", "hasImage": false, "from": "2026-03-22T19:00:00Z"}),
            vec![5],
        ),
        (
            json!({"from": null, "to": null, "isSuccessful": null, "hasImage": null}),
            vec![5, 4, 3, 2, 1],
        ),
        (json!({"from": "", "to": "", "sessionId": ""}), vec![5, 4, 3, 2, 1]),
        (json!({"from": "2026-03-22T19:00:00Z", "to": ""}), vec![5]),
    ];

    for (filter, expected) in cases {
        assert_eq!(found(&world, &filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn pages_of_a_narrowed_list_follow_each_other() {
    let world = an_afternoon().await;
    let page = |number| RetrieveLivenessChecksQuery {
        is_successful: Some(true),
        from: Some("2026-03-22T15:00:00Z".into()),
        page_number: Some(number),
        page_size: Some(2),
        ..Default::default()
    };

    let (first, last) = (retrieve(&world, page(1)).await, retrieve(&world, page(2)).await);

    assert_eq!(
        (ids(&first), first.total_count, first.has_next_page),
        (vec![5, 3], 3, true)
    );
    assert_eq!((ids(&last), last.total_pages, last.has_next_page), (vec![1], 2, false));
}

#[tokio::test]
async fn a_list_that_would_end_before_it_begins_is_an_error_of_its_end() {
    let wrong = r#"{"from":"2026-03-22T14:00:00Z","to":"2026-03-22T14:00:00+01:00"}"#;
    let both = r#"{"from":"2026-03-22","to":"2026-03-22T14:00:00"}"#;
    let with_another = r#"{"from":"2026-03-22T14:00:00Z","to":"2026-03-22T13:59:59.999Z","pageSize":0}"#;

    assert_eq!(problems(wrong).await, [problem("to", "range")]);
    assert_eq!(problems(both).await, [problem("from", "format")]);
    assert_eq!(
        problems(with_another).await,
        [problem("pageSize", "range"), problem("to", "range")]
    );
    let query = RetrieveLivenessChecksQuery {
        from: Some("2026-03-22T14:00:00Z".into()),
        to: Some("2026-03-22T13:00:00Z".into()),
        ..Default::default()
    };
    let world = TestBus::new();
    assert_eq!(
        problems_in(world.send(query, &world.admin()).await),
        [problem("to", "range")]
    );
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
        .put(vec![claims.to_user(1)], "2026-03-22T14:00:00Z".parse().unwrap())
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
        (r#"{"from":"yesterday"}"#, "from", "format"),
        (r#"{"to":" "}"#, "to", "format"),
        (r#"{"to":1742680800000}"#, "to", "type"),
        (r#"{"isSuccessful":"false"}"#, "isSuccessful", "type"),
        (r#"{"hasImage":""}"#, "hasImage", "type"),
        (r#"{"hasImage":1}"#, "hasImage", "type"),
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
        ..Default::default()
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

#[tokio::test]
async fn lists_are_filtered_by_verdict_and_decision() {
    let world = five_records().await;
    let all = world.dispatch(RETRIEVE, "{}", &world.admin()).await.unwrap();
    let all = all["Items"].as_array().unwrap().clone();
    for (item, what) in all.iter().zip(["approve", "reject", "ask_again"]) {
        let decision = json!({"id": item["Id"], "decision": what, "reason": "why", "decisionsSeen": 0});
        world
            .dispatch(REVIEW, &decision.to_string(), &world.admin())
            .await
            .unwrap();
    }
    let judged = |verdict: &str| all.iter().filter(|item| item["Verdict"] == verdict).count() as i64;
    let counts = ["accepted", "review", "rejected"].map(judged);
    assert_eq!(counts.iter().sum::<i64>(), 5, "{all:?}");
    let cases = [
        (json!({"verdict": "accepted"}), counts[0]),
        (json!({"Verdict": "review"}), counts[1]),
        (json!({"verdict": "rejected"}), counts[2]),
        (json!({"decision": "approve"}), 1),
        (json!({"decision": "reject"}), 1),
        (json!({"DECISION": "ask_again"}), 1),
        (json!({"decision": "none"}), 2),
        (json!({"decision": "", "verdict": "", "order": ""}), 5),
        (json!({"decision": null, "verdict": null, "order": null}), 5),
        (
            json!({"decision": "approve", "selfServiceUserId": all[0]["SelfServiceUserId"]}),
            1,
        ),
    ];
    for (filter, expected) in cases {
        let page = world
            .dispatch(RETRIEVE, &filter.to_string(), &world.admin())
            .await
            .unwrap();
        let items = page["Items"].as_array().unwrap();
        let shown = (page["TotalCount"].as_i64().unwrap(), items.len());
        assert_eq!(shown, (expected, expected as usize), "{filter}");
        for (field, value) in [("Verdict", &filter["verdict"]), ("Decision", &filter["decision"])] {
            let is_asked = value.as_str().is_some_and(|value| !["", "none"].contains(&value));
            assert!(!is_asked || items.iter().all(|item| item[field] == *value), "{filter}");
        }
    }
}

#[tokio::test]
async fn the_oldest_come_first_where_that_is_asked_for() {
    let world = five_records().await;
    let ids = async |order: &str| {
        let asked = json!({"order": order, "pageSize": 2}).to_string();
        let page = world.dispatch(RETRIEVE, &asked, &world.admin()).await.unwrap();
        let items = page["Items"].as_array().unwrap();
        let ids: Vec<_> = items.iter().map(|item| item["Id"].as_i64().unwrap()).collect();
        (ids, page["TotalCount"].as_i64().unwrap())
    };
    assert_eq!(ids("oldest").await, (vec![1, 2], 5));
    assert_eq!(ids("newest").await, (vec![5, 4], 5));
    let entry = world.audit_entries().await.into_iter().rev().nth(1).unwrap();
    let expected = [("order".to_owned(), "oldest".to_owned())].into();
    assert_eq!(entry.subject.shown.filter, expected);
    for word in ["Oldest", "asc", "none"] {
        let found = problems(&json!({ "order": word }).to_string()).await;
        assert_eq!(found, [problem("order", "format")], "{word}");
    }
}

#[tokio::test]
async fn another_verdict_or_decision_is_an_error() {
    for word in ["Accepted", "pass", "none", " review", "null"] {
        let found = problems(&json!({ "verdict": word }).to_string()).await;
        assert_eq!(found, [problem("verdict", "format")], "{word}");
    }
    for word in ["approved", "askAgain", "None", "any"] {
        let found = problems(&json!({ "decision": word }).to_string()).await;
        assert_eq!(found, [problem("decision", "format")], "{word}");
    }
    for other in [json!(1), json!(true), json!(["review"]), json!({})] {
        let found = problems(&json!({ "verdict": other, "decision": other }).to_string()).await;
        let expected = ["decision", "verdict"].map(|field| problem(field, "type"));
        assert_eq!(found, expected, "{other}");
    }
}
