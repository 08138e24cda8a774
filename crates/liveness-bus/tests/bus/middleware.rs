//! Middleware: the order in which it runs, what it sees, and what it cannot do.

use liveness_bus::{BusError, Call, Frame, Middleware, Next, async_trait};

use crate::messages::{Handling, LoggedCommand, Shared, TellerQuery, bus_with, code, dispatch, nobody, teller};

const GOOD: &str = r#"{"text":"hello"}"#;

/// Notes when a message passes it, on the way in and on the way out.
struct Tracing(&'static str, Shared<String>);

#[async_trait]
impl Middleware for Tracing {
    async fn handle(&self, frame: &mut Frame<'_>, call: &Call<'_>, next: Next<'_>) -> Result<(), BusError> {
        let text = frame
            .message::<TellerQuery>()
            .map_or("-", |query| &query.text)
            .to_owned();
        self.1.push(format!("{} in {text}", self.0));
        let outcome = next.run(frame, call).await;
        let reply = frame.reply::<TellerQuery>().map_or("-", String::as_str);
        self.1.push(format!("{} out {} {reply}", self.0, code(&outcome)));
        outcome
    }
}

async fn trace(body: &str, context: &liveness_bus::Context) -> Vec<String> {
    let trace = Shared::default();
    let (bus, _) = bus_with(Handling::Echo, |builder| {
        builder
            .inside(Tracing("c", trace.clone()))
            .around(Tracing("a", trace.clone()))
            .inside(Tracing("d", trace.clone()))
            .around(Tracing("b", trace.clone()))
    });
    // The notes contain the outcome.
    let _outcome = dispatch(&bus, "TellerQuery", body, context).await;
    trace.all()
}

#[tokio::test]
async fn around_is_outside_of_inside_and_the_first_added_is_outermost() {
    let seen = trace(GOOD, &teller()).await;

    let expected = [
        "a in -",
        "b in -",
        "c in hello",
        "d in hello",
        "d out 00 hello",
        "c out 00 hello",
        "b out 00 hello",
        "a out 00 hello",
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn around_sees_refusals_and_inside_only_what_is_allowed_and_valid() {
    let refused = trace(GOOD, &nobody()).await;
    let invalid = trace(r#"{"text":""}"#, &teller()).await;

    assert_eq!(refused, ["a in -", "b in -", "b out 63 -", "a out 63 -"]);
    assert_eq!(invalid, ["a in -", "b in -", "b out 30 -", "a out 30 -"]);
}

/// Sets the reply itself, if it can.
struct Answering {
    goes_on: bool,
    set: Shared<bool>,
}

#[async_trait]
impl Middleware for Answering {
    async fn handle(&self, frame: &mut Frame<'_>, call: &Call<'_>, next: Next<'_>) -> Result<(), BusError> {
        self.set
            .push(frame.set_reply::<TellerQuery>("from the middleware".into()));
        if self.goes_on {
            next.run(frame, call).await
        } else {
            Ok(())
        }
    }
}

#[tokio::test]
async fn behind_the_gate_a_middleware_may_answer_in_the_handlers_place() {
    let set = Shared::default();
    let (bus, entries) = bus_with(Handling::Panic, |builder| {
        builder.inside(Answering {
            goes_on: false,
            set: set.clone(),
        })
    });

    let reply = dispatch(&bus, "TellerQuery", GOOD, &teller()).await.unwrap();

    assert_eq!(reply, r#""from the middleware""#);
    assert_eq!(set.all(), [true]);
    assert_eq!(entries.outcomes(), [("TellerQuery".to_owned(), "00".to_owned())]);
}

#[tokio::test]
async fn the_handlers_reply_takes_the_place_of_one_set_before() {
    let (bus, _) = bus_with(Handling::Echo, |builder| {
        builder.inside(Answering {
            goes_on: true,
            set: Shared::default(),
        })
    });

    let reply = dispatch(&bus, "TellerQuery", GOOD, &teller()).await.unwrap();

    assert_eq!(reply, r#""hello""#);
}

#[tokio::test]
async fn before_the_gate_no_reply_can_be_set_and_ok_without_one_fails_closed() {
    let set = Shared::default();
    let (bus, entries) = bus_with(Handling::Echo, |builder| {
        builder.around(Answering {
            goes_on: false,
            set: set.clone(),
        })
    });

    let of_teller = dispatch(&bus, "TellerQuery", GOOD, &teller()).await;
    let audited = entries.outcomes();
    let of_nobody = dispatch(&bus, "TellerQuery", GOOD, &nobody()).await;

    assert!(matches!(of_teller, Err(BusError::Internal(_))), "{of_teller:?}");
    assert!(matches!(of_nobody, Err(BusError::Internal(_))), "{of_nobody:?}");
    assert_eq!(set.all(), [false, false]);
    assert_eq!(audited, [("TellerQuery".to_owned(), "96".to_owned())]);
}

/// Turns every refusal into a success.
struct Forgiving;

#[async_trait]
impl Middleware for Forgiving {
    async fn handle(&self, frame: &mut Frame<'_>, call: &Call<'_>, next: Next<'_>) -> Result<(), BusError> {
        let _refusal = next.run(frame, call).await;
        frame.set_reply::<TellerQuery>("forgiven".into());
        Ok(())
    }
}

#[tokio::test]
async fn a_refusal_that_is_swallowed_fails_closed() {
    let (bus, _) = bus_with(Handling::Echo, |builder| builder.around(Forgiving));

    let refused = dispatch(&bus, "TellerQuery", GOOD, &nobody()).await;

    assert!(matches!(refused, Err(BusError::Internal(_))), "{refused:?}");
}

#[tokio::test]
async fn a_reply_cannot_be_set_for_another_message() {
    let set = Shared::default();
    let (bus, _) = bus_with(Handling::Echo, |builder| {
        builder.inside(Answering {
            goes_on: true,
            set: set.clone(),
        })
    });

    let reply = bus
        .send(
            LoggedCommand {
                text: "hello".into(),
                item_count: None,
            },
            &teller(),
        )
        .await;

    assert_eq!(reply.unwrap(), "hello");
    assert_eq!(set.all(), [false]);
}

/// Asks for the reply of another message than the one that is handled.
struct Peeking(Shared<bool>);

#[async_trait]
impl Middleware for Peeking {
    async fn handle(&self, frame: &mut Frame<'_>, call: &Call<'_>, next: Next<'_>) -> Result<(), BusError> {
        let outcome = next.run(frame, call).await;
        self.0.push(frame.reply::<LoggedCommand>().is_some());
        outcome
    }
}

#[tokio::test]
async fn a_reply_is_seen_as_that_of_its_own_message_only() {
    let seen = Shared::default();
    let (bus, _) = bus_with(Handling::Echo, |builder| builder.around(Peeking(seen.clone())));

    dispatch(&bus, "LoggedCommand", GOOD, &teller()).await.unwrap();
    dispatch(&bus, "TellerQuery", GOOD, &teller()).await.unwrap();

    assert_eq!(seen.all(), [true, false]);
}
