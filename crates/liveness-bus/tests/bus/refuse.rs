//! If a host cannot read a body, it ends the message with [`liveness_bus::Bus::refuse`].

use liveness_bus::{BusError, Context, Principal};

use crate::messages::{Handling, bus, code, context_of, dispatch, nobody, teller};

fn without_role() -> Context {
    context_of(Principal::new("x")).build()
}

#[tokio::test]
async fn it_gives_the_error_back_and_leaves_one_entry() {
    let cases = [
        (BusError::TooSlow, "30"),
        (BusError::TooLarge("too large".into()), "13"),
        (BusError::UnsupportedContent("not JSON"), "30"),
    ];

    for (error, code) in cases {
        let (bus, entries) = bus(Handling::Panic);
        let given = error.to_string();
        let answer = bus.refuse("TellerCommand", error, &teller()).await;
        assert_eq!((answer.to_string(), answer.code()), (given, code));
        assert_eq!(entries.outcomes(), [("TellerCommand".to_owned(), code.to_owned())]);
    }
}

#[tokio::test]
async fn a_weightier_refusal_takes_its_place() {
    let (bus, entries) = bus(Handling::Panic);

    let of_nobody = bus.refuse("TellerQuery", BusError::TooSlow, &nobody()).await;
    let without_role = bus.refuse("TellerQuery", BusError::TooSlow, &without_role()).await;
    let unknown = bus.refuse("NoSuchQuery", BusError::TooSlow, &teller()).await;

    assert_eq!(
        [of_nobody.code(), without_role.code(), unknown.code()],
        ["63", "57", "12"]
    );
    assert_eq!(entries.outcomes(), [("TellerQuery".to_owned(), "57".to_owned())]);
}

#[tokio::test]
async fn what_is_logged_only_leaves_no_entry() {
    let (bus, entries) = bus(Handling::Panic);

    let answer = bus.refuse("LoggedCommand", BusError::TooSlow, &teller()).await;

    assert!(matches!(answer, BusError::TooSlow), "{answer:?}");
    assert_eq!(entries.all(), []);
}

#[tokio::test]
async fn a_user_who_could_not_be_looked_up_is_not_one_who_does_not_exist() {
    let (bus, _) = bus(Handling::Panic);
    let customer = context_of(Principal::new("7").with_role("customer")).build();

    let unknown = dispatch(&bus, "CustomerQuery", "{}", &customer).await;
    let out_of_reach = bus
        .refuse("CustomerQuery", BusError::Unavailable("down".into()), &customer)
        .await;

    assert_eq!((code(&unknown), out_of_reach.code()), ("57", "91"));
}
