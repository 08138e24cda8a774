//! `build` reports all mistakes in how a bus is built, at once.

use liveness_bus::{Access, Audit, Bus, BusError, Call, Handler, Kind, Message, Meta, Mistake, Module};
use serde::Deserialize;
use validator::Validate;

use crate::messages::{Handling, KnownQuery, LoggedCommand, TellerCommand, TellerQuery, nobody};

macro_rules! named {
    ($type:ident, $name:literal) => {
        #[derive(Deserialize, Validate)]
        struct $type {}

        impl Message for $type {
            const NAME: &'static str = $name;
            const KIND: Kind = Kind::Query;
            const ACCESS: Access = Access::Public;
            const AUDIT: Audit = Audit::LogOnly;
            type Reply = ();
        }

        impl Handler<$type> for Nothing {
            async fn handle(&self, _: $type, _: &Call<'_>) -> Result<(), BusError> {
                Ok(())
            }
        }
    };
}

struct Nothing;

named!(Namesake, "KnownQuery");
named!(Spaced, "has space");
named!(Nameless, "");
named!(Slashed, "a/b");

#[test]
fn every_mistake_is_told_at_once() {
    let first = Module::new("first")
        .handle::<KnownQuery>(Handling::Echo)
        .handle::<KnownQuery>(Handling::Echo)
        .handle::<TellerCommand>(Handling::Echo);
    let second = Module::new("second")
        .declare(&[Meta::of::<KnownQuery>(), Meta::of::<LoggedCommand>()])
        .handle::<Namesake>(Nothing)
        .handle::<Spaced>(Nothing);

    let errors = Bus::builder().module(first).module(second).build().unwrap_err();

    let expected = [
        Mistake::DuplicateHandler("KnownQuery"),
        Mistake::NoAuditSink("TellerCommand"),
        Mistake::DuplicateName("KnownQuery"),
        Mistake::BadName("has space"),
        Mistake::NoHandler {
            module: "second",
            message: "LoggedCommand",
        },
    ];
    assert_eq!(errors.mistakes(), expected);
    let text = errors.to_string();
    assert!(
        expected.iter().all(|mistake| text.contains(&mistake.to_string())),
        "{text}"
    );
}

#[test]
fn a_name_has_to_fit_into_a_path() {
    let module = Module::new("names")
        .handle::<Nameless>(Nothing)
        .handle::<Slashed>(Nothing);

    let errors = Bus::builder().module(module).build().unwrap_err();

    assert_eq!(errors.mistakes(), [Mistake::BadName(""), Mistake::BadName("a/b")]);
}

#[test]
fn every_audited_message_needs_a_sink() {
    let module = Module::new("audited")
        .handle::<TellerQuery>(Handling::Echo)
        .handle::<TellerCommand>(Handling::Echo)
        .handle::<LoggedCommand>(Handling::Echo);

    let errors = Bus::builder().module(module).build().unwrap_err();

    assert_eq!(
        errors.mistakes(),
        [
            Mistake::NoAuditSink("TellerQuery"),
            Mistake::NoAuditSink("TellerCommand")
        ]
    );
}

#[test]
fn what_is_declared_and_handled_is_no_mistake() {
    let module = Module::new("whole")
        .declare(&[Meta::of::<KnownQuery>()])
        .handle::<KnownQuery>(Handling::Echo);

    let bus = Bus::builder().module(module).build().unwrap();

    assert_eq!(bus.messages(), [Meta::of::<KnownQuery>()]);
}

#[tokio::test]
async fn a_message_without_a_handler_is_unknown_through_both_doors() {
    let bus = Bus::builder().build().unwrap();

    let sent = bus.send(KnownQuery::default(), &nobody()).await;
    let dispatched = bus.dispatch("KnownQuery", b"{}", &nobody(), &mut Vec::new()).await;

    assert!(matches!(sent, Err(BusError::UnknownMessage)), "{sent:?}");
    assert!(matches!(dispatched, Err(BusError::UnknownMessage)), "{dispatched:?}");
}

#[test]
fn names_are_told_apart_by_case() {
    let module = Module::new("one").handle::<KnownQuery>(Handling::Echo);

    let bus = Bus::builder().module(module).build().unwrap();

    assert_eq!((bus.meta("KnownQuery").is_some(), bus.meta("knownquery")), (true, None));
}
