//! A query is abandoned at its deadline. A command is not begun after it. These tests do not wait.

use std::time::{Duration, Instant};

use liveness_bus::{BusError, Context, Principal};

use crate::messages::{Handling, bus, context_of, dispatch, teller};

const GOOD: &str = r#"{"text":"hello"}"#;

fn too_late() -> Context {
    context_of(Principal::new("t-1").with_role("teller"))
        .deadline(Instant::now())
        .build()
}

#[tokio::test]
async fn a_query_that_is_not_done_at_its_deadline_is_abandoned() {
    let (bus, entries) = bus(Handling::Never);

    let outcome = dispatch(&bus, "TellerQuery", GOOD, &too_late()).await;

    assert!(matches!(outcome, Err(BusError::Unavailable(_))), "{outcome:?}");
    assert_eq!(entries.all(), []);
}

#[tokio::test]
async fn a_command_past_its_deadline_is_not_begun() {
    let (bus, _) = bus(Handling::Panic);

    for name in ["TellerCommand", "LoggedCommand"] {
        let outcome = dispatch(&bus, name, GOOD, &too_late()).await;
        assert!(matches!(outcome, Err(BusError::Unavailable(_))), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_has_begun_is_finished_whatever_the_deadline() {
    let (bus, _) = bus(Handling::Never);
    let in_an_hour = Instant::now() + Duration::from_secs(3600);
    let context = context_of(Principal::new("t-1").with_role("teller"))
        .deadline(in_an_hour)
        .build();

    let command = dispatch(&bus, "TellerCommand", GOOD, &context);
    let query = dispatch(&bus, "TellerQuery", GOOD, &context);

    // Both have the same deadline. tokio's clock jumps to it, because nothing else is running. Only the query ends.
    tokio::select! {
        biased;
        outcome = command => panic!("{outcome:?}"),
        outcome = query => assert!(matches!(outcome, Err(BusError::Unavailable(_))), "{outcome:?}"),
    }
}

#[tokio::test]
async fn a_refusal_outranks_the_deadline() {
    let (bus, _) = bus(Handling::Never);

    let outcome = dispatch(&bus, "TellerCommand", r#"{"text":""}"#, &too_late()).await;

    assert!(matches!(outcome, Err(BusError::Invalid(_))), "{outcome:?}");
}

#[tokio::test]
async fn without_a_deadline_nothing_is_abandoned() {
    let (bus, _) = bus(Handling::Echo);

    for name in ["TellerQuery", "TellerCommand"] {
        assert_eq!(dispatch(&bus, name, GOOD, &teller()).await.unwrap(), r#""hello""#);
    }
}
