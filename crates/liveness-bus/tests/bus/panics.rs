//! A panic becomes an internal error, which is returned and audited like any other.

use liveness_bus::{
    Access, Audit, Bus, BusError, Call, Frame, Handler, Kind, Message, Middleware, Module, Next, async_trait,
};
use serde::Deserialize;
use validator::{Validate, ValidationErrors};

use crate::messages::{Entries, Handling, bus, bus_with, dispatch, teller};

const GOOD: &str = r#"{"text":"hello"}"#;

fn internal(message: &str) -> [(String, String); 1] {
    [(message.to_owned(), "96".to_owned())]
}

#[tokio::test]
async fn a_panic_in_a_handler_is_internal_and_audited() {
    for name in ["TellerQuery", "TellerCommand"] {
        let (bus, entries) = bus(Handling::Panic);

        let outcome = dispatch(&bus, name, GOOD, &teller()).await;

        assert!(matches!(outcome, Err(BusError::Internal(_))), "{outcome:?}");
        assert_eq!(entries.outcomes(), internal(name));
    }
}

struct Panicking;

#[async_trait]
impl Middleware for Panicking {
    async fn handle(&self, _: &mut Frame<'_>, _: &Call<'_>, _: Next<'_>) -> Result<(), BusError> {
        panic!("the middleware panics")
    }
}

#[tokio::test]
async fn a_panic_in_a_middleware_is_internal_and_audited() {
    let buses = [
        bus_with(Handling::Echo, |builder| builder.around(Panicking)),
        bus_with(Handling::Echo, |builder| builder.inside(Panicking)),
    ];

    for (bus, entries) in buses {
        let outcome = dispatch(&bus, "TellerQuery", GOOD, &teller()).await;
        assert!(matches!(outcome, Err(BusError::Internal(_))), "{outcome:?}");
        assert_eq!(entries.outcomes(), internal("TellerQuery"));
    }
}

#[derive(Deserialize)]
struct BrokenRules {}

impl Validate for BrokenRules {
    fn validate(&self) -> Result<(), ValidationErrors> {
        panic!("a rule panics")
    }
}

impl Message for BrokenRules {
    const NAME: &'static str = "BrokenRules";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = Access::Role("teller");
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = ();
}

struct Nothing;

impl Handler<BrokenRules> for Nothing {
    async fn handle(&self, _: BrokenRules, _: &Call<'_>) -> Result<(), BusError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_in_a_rule_is_internal_and_audited() {
    let entries = Entries::default();
    let module = Module::new("broken").handle::<BrokenRules>(Nothing);
    let bus = Bus::builder()
        .module(module)
        .audit_sink(entries.clone())
        .build()
        .unwrap();

    let sent = bus.send(BrokenRules {}, &teller()).await;
    let dispatched = dispatch(&bus, "BrokenRules", "{}", &teller()).await;

    assert!(matches!(sent, Err(BusError::Internal(_))), "{sent:?}");
    assert!(matches!(dispatched, Err(BusError::Internal(_))), "{dispatched:?}");
    assert_eq!(
        entries.outcomes(),
        [internal("BrokenRules"), internal("BrokenRules")].concat()
    );
}

#[tokio::test]
async fn the_bus_goes_on_after_a_panic() {
    let (bus, _) = bus(Handling::Panic);
    dispatch(&bus, "TellerQuery", GOOD, &teller()).await.unwrap_err();

    let again = dispatch(&bus, "TellerQuery", r#"{"text":""}"#, &teller()).await;

    assert!(matches!(again, Err(BusError::Invalid(_))), "{again:?}");
}
