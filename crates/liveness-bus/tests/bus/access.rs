//! Who may send a message. This is checked before the body is decoded.

use liveness_bus::{Access, BusError, Message, Principal};

use crate::messages::{
    CustomerQuery, Handling, KnownQuery, PublicQuery, TellerCommand, TellerQuery, bus, code, context_of,
    customer_principal, dispatch, nobody, teller,
};

const GOOD: &str = r#"{"text":"hello"}"#;

/// Anonymous, without a role, with the role, with the role and a user.
fn senders(role: &str) -> [Principal; 4] {
    let somebody = Principal::new("somebody");
    let with_user = customer_principal().with_role(role);
    [
        Principal::anonymous(),
        somebody.clone(),
        somebody.with_role(role),
        with_user,
    ]
}

#[tokio::test]
async fn four_kinds_of_access_by_four_kinds_of_sender() {
    let (bus, _) = bus(Handling::Echo);
    let cases = [
        ("PublicQuery", "any", ["00", "00", "00", "00"]),
        ("KnownQuery", "any", ["63", "00", "00", "00"]),
        ("TellerQuery", "teller", ["63", "57", "00", "00"]),
        ("CustomerQuery", "customer", ["63", "57", "57", "00"]),
    ];

    for (name, role, codes) in cases {
        for (sender, expected) in senders(role).into_iter().zip(codes) {
            let outcome = dispatch(&bus, name, GOOD, &context_of(sender.clone()).build()).await;
            assert_eq!(code(&outcome), expected, "{name} from {sender:?}");
        }
    }
}

#[tokio::test]
async fn the_door_in_the_process_asks_the_same() {
    let (bus, _) = bus(Handling::Echo);
    let text = || "hello".to_owned();
    let (nobody, teller) = (nobody(), teller());

    let refused = [
        bus.send(
            KnownQuery {
                text: text(),
                ..KnownQuery::default()
            },
            &nobody,
        )
        .await,
        bus.send(
            TellerCommand {
                text: text(),
                ..TellerCommand::default()
            },
            &nobody,
        )
        .await,
        bus.send(
            CustomerQuery {
                text: text(),
                ..CustomerQuery::default()
            },
            &teller,
        )
        .await,
    ];
    let allowed = [
        bus.send(
            PublicQuery {
                text: text(),
                ..PublicQuery::default()
            },
            &nobody,
        )
        .await,
        bus.send(
            TellerQuery {
                text: text(),
                ..TellerQuery::default()
            },
            &teller,
        )
        .await,
    ];

    assert_eq!(refused.each_ref().map(code), ["63", "63", "57"]);
    assert_eq!(allowed.each_ref().map(code), ["00", "00"]);
}

#[tokio::test]
async fn whose_message_is_refused_has_no_body_read() {
    let (bus, _) = bus(Handling::Echo);

    for name in ["KnownQuery", "TellerQuery", "CustomerQuery", "TellerCommand"] {
        let outcome = dispatch(&bus, name, "\u{0} no JSON", &nobody()).await;
        assert!(matches!(outcome, Err(BusError::Unauthenticated)), "{name}: {outcome:?}");
    }
    let without_role = context_of(Principal::new("somebody")).build();
    for name in ["TellerQuery", "CustomerQuery", "TellerCommand"] {
        let outcome = dispatch(&bus, name, "\u{0} no JSON", &without_role).await;
        assert!(matches!(outcome, Err(BusError::Forbidden(_))), "{name}: {outcome:?}");
    }
}

#[tokio::test]
async fn roles_are_compared_without_case() {
    let (bus, _) = bus(Handling::Echo);
    let teller = context_of(Principal::new("t-1").with_role("TELLER")).build();

    let outcome = dispatch(&bus, "TellerQuery", GOOD, &teller).await;

    assert_eq!(code(&outcome), "00");
}

#[test]
fn a_host_may_ask_for_the_role_before_it_looks_the_user_up() {
    let (bus, _) = bus(Handling::Echo);
    let customer = Principal::new("7").with_role("customer");

    let allowed = bus.check_role("CustomerQuery", &customer);
    let refused = ["CustomerQuery", "TellerQuery"].map(|name| bus.check_role(name, &Principal::new("x")));

    assert!(allowed.unwrap().access().needs_user());
    assert_eq!(refused.each_ref().map(code), ["57", "57"]);
    assert_eq!(code(&bus.check_role("CustomerQuery", &Principal::anonymous())), "63");
    assert_eq!(code(&bus.check_role("NoSuchQuery", &customer)), "12");
}

#[test]
fn the_registry_tells_what_its_messages_declare() {
    let (bus, _) = bus(Handling::Echo);

    let names: Vec<_> = bus.messages().iter().map(|meta| meta.name()).collect();

    let sorted = [
        "CustomerQuery",
        "KnownQuery",
        "LoggedCommand",
        "PublicQuery",
        "TellerCommand",
        "TellerQuery",
    ];
    assert_eq!(names, sorted);
    assert_eq!(bus.meta(TellerQuery::NAME).unwrap().access(), Access::Role("teller"));
    assert_eq!(bus.meta("NoSuchQuery"), None);
}
