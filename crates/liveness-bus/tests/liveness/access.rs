//! Who may send which message: every message of the registry, with every kind of sender.

use liveness_bus::testing::TestBus;
use liveness_bus::{BusError, Context, Principal};

use crate::report::{
    ERASE_FACE, ERASE_USER, GET, GET_RECEIPT, GET_RECORD, LIFT_HOLD, PLACE_HOLD, RETRIEVE, RETRIEVE_ENTRIES,
    RETRIEVE_MINE, REVIEW, START, STATUS, SUBMIT, UNLOCK, UPDATE, body_with,
};

/// Anonymous, a customer, a customer without a user, an admin, both, an auditor, an officer, a principal without a known
/// role.
fn senders(world: &TestBus) -> [Context; 8] {
    let customer = TestBus::customer_principal(1);
    let somebody = Principal::new("somebody");
    [
        Principal::anonymous(),
        customer.clone(),
        somebody.clone().with_role("customer"),
        somebody.clone().with_role("admin"),
        customer.with_role("admin"),
        somebody.clone().with_role("auditor"),
        somebody.clone().with_role("officer"),
        somebody.with_role("teller"),
    ]
    .map(|principal| world.context(principal).build())
}

#[tokio::test]
async fn anonymous_is_refused_by_every_message_before_the_body_is_read() {
    let world = TestBus::new();
    let messages = world.bus().messages();

    for meta in &messages {
        let mut out = Vec::new();
        let refused = world
            .bus()
            .dispatch(meta.name(), b"\xFF no JSON", &world.anonymous(), &mut out)
            .await;
        assert!(
            matches!(refused, Err(BusError::Unauthenticated)),
            "{}: {refused:?}",
            meta.name()
        );
        assert_eq!(out, b"");
    }

    assert_eq!(messages.len(), 16);
    assert_eq!(world.audit_entries().await, []);
}

#[tokio::test]
async fn messages_by_senders() {
    let world = TestBus::new();
    world.add_customer(1).await;
    let expected = [
        // anonymous, customer, customer without a user, admin, both, auditor, officer, another role
        (STATUS, ["63", "00", "57", "57", "00", "57", "57", "57"]),
        (ERASE_FACE, ["63", "57", "57", "57", "57", "57", "25", "57"]),
        (ERASE_USER, ["63", "57", "57", "57", "57", "57", "00", "57"]),
        (GET_RECORD, ["63", "57", "57", "25", "25", "57", "57", "57"]),
        (GET_RECEIPT, ["63", "25", "57", "57", "25", "57", "57", "57"]),
        (GET, ["63", "57", "57", "00", "00", "57", "57", "57"]),
        (LIFT_HOLD, ["63", "57", "57", "57", "57", "57", "25", "57"]),
        (PLACE_HOLD, ["63", "57", "57", "57", "57", "57", "00", "57"]),
        (RETRIEVE_ENTRIES, ["63", "57", "57", "57", "57", "00", "57", "57"]),
        (RETRIEVE, ["63", "57", "57", "00", "00", "57", "57", "57"]),
        (RETRIEVE_MINE, ["63", "00", "57", "57", "00", "57", "57", "57"]),
        (REVIEW, ["63", "57", "57", "25", "25", "57", "57", "57"]),
        (START, ["63", "00", "57", "57", "00", "57", "57", "57"]),
        (SUBMIT, ["63", "00", "57", "57", "00", "57", "57", "57"]),
        // Whoever is both asks to unlock themselves here.
        (UNLOCK, ["63", "57", "57", "00", "57", "57", "57", "57"]),
        (UPDATE, ["63", "00", "57", "57", "00", "57", "57", "57"]),
    ];
    assert_eq!(
        world
            .bus()
            .messages()
            .iter()
            .map(|meta| meta.name())
            .collect::<Vec<_>>(),
        expected.map(|(name, _)| name)
    );

    for (name, codes) in expected {
        // A body that is valid for every message.
        let body = body_with(serde_json::json!({
            "id": 1, "userId": 1, "sessionId": null, "reason": "why", "decision": "approve", "decisionsSeen": 0,
        }))
        .to_string();
        let body = if [SUBMIT, UPDATE].contains(&name) {
            body_with(serde_json::json!({})).to_string()
        } else {
            body
        };
        for (sender, code) in senders(&world).iter().zip(codes) {
            let outcome = world.dispatch(name, &body, sender).await;
            let found = outcome.as_ref().map_or_else(BusError::code, |_| "00");
            assert_eq!(found, code, "{name} from {:?}: {outcome:?}", sender.principal());
        }
    }
}

#[tokio::test]
async fn who_may_not_send_it_has_no_body_read() {
    let world = TestBus::new();
    let cases = [
        (SUBMIT, world.admin()),
        (START, world.admin()),
        (STATUS, world.admin()),
        (GET, world.customer(1)),
        (GET_RECORD, world.customer(1)),
        (RETRIEVE, world.customer(1)),
        (RETRIEVE_MINE, world.admin()),
        (GET_RECEIPT, world.admin()),
        (RETRIEVE_ENTRIES, world.admin()),
        (REVIEW, world.customer(1)),
        (ERASE_FACE, world.admin()),
        (ERASE_USER, world.customer(1)),
        (PLACE_HOLD, world.auditor()),
        (LIFT_HOLD, world.admin()),
        (UNLOCK, world.officer()),
    ];

    for (name, sender) in cases {
        let refused = world.dispatch(name, "no JSON", &sender).await;
        assert!(matches!(refused, Err(BusError::Forbidden(_))), "{name}: {refused:?}");
    }
}

#[test]
fn the_access_matrix_is_that_of_the_contract() {
    let world = TestBus::new();

    let expected = "\
| message | kind | who | audit |
| --- | --- | --- | --- |
| CheckLivenessStatusQuery | Query | customer with a user | LogOnly |
| EraseFaceCommand | Command | officer | WithRecord |
| EraseUserCommand | Command | officer | WithRecord |
| GetLivenessCheckQuery | Query | admin | BeforeReply |
| GetReceiptQuery | Query | customer with a user | BeforeReply |
| GetUserLivenessCheckQuery | Query | admin | BeforeReply |
| LiftLegalHoldCommand | Command | officer | WithRecord |
| PlaceLegalHoldCommand | Command | officer | WithRecord |
| RetrieveAuditEntriesQuery | Query | auditor | BeforeReply |
| RetrieveLivenessChecksQuery | Query | admin | BeforeReply |
| RetrieveMyLivenessChecksQuery | Query | customer with a user | BeforeReply |
| ReviewLivenessCheckCommand | Command | admin | WithRecord |
| StartLivenessSessionCommand | Command | customer with a user | WithRecord |
| SubmitLivenessCheckCommand | Command | customer with a user | WithRecord |
| UnlockUserCommand | Command | admin | WithRecord |
| UpdateLivenessCheckCommand | Command | customer with a user | WithRecord |
";

    assert_eq!(world.bus().access_matrix(), expected);
}
