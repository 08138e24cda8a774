//! Observers see every message after it has ended, with the same outcome as its sender.

use std::time::{Duration, Instant};

use liveness_bus::{Bus, BusError, Meta, Observer};

use crate::messages::{BrokenSink, Handling, Shared, bus_with, dispatch, module, nobody, teller};

/// The message, its code and its time.
#[derive(Clone, Default)]
struct Seen(Shared<(&'static str, &'static str, Duration)>);

impl Observer for Seen {
    fn observed(&self, meta: &Meta, code: &'static str, took: Duration) {
        self.0.push((meta.name(), code, took));
    }
}

impl Seen {
    fn outcomes(&self) -> Vec<(&'static str, &'static str)> {
        self.0.all().into_iter().map(|(name, code, _)| (name, code)).collect()
    }
}

#[tokio::test]
async fn every_message_is_observed_once_whatever_becomes_of_it() {
    let (first, second) = (Seen::default(), Seen::default());
    let (bus, _) = bus_with(Handling::Echo, |builder| {
        builder.observer(first.clone()).observer(second.clone())
    });
    let begun = Instant::now();
    dispatch(&bus, "TellerQuery", r#"{"text":"x"}"#, &teller())
        .await
        .unwrap();
    dispatch(&bus, "TellerQuery", r#"{"text":""}"#, &teller())
        .await
        .unwrap_err();
    dispatch(&bus, "TellerCommand", "no json", &nobody()).await.unwrap_err();
    bus.refuse("TellerCommand", BusError::TooSlow, &teller()).await;
    dispatch(&bus, "NoSuchQuery", "{}", &teller()).await.unwrap_err();

    let expected = [
        ("TellerQuery", "00"),
        ("TellerQuery", "30"),
        ("TellerCommand", "63"),
        ("TellerCommand", "30"),
    ];
    assert_eq!(first.outcomes(), expected);
    assert_eq!(second.outcomes(), expected);
    let took: Duration = first.0.all().into_iter().map(|(_, _, took)| took).sum();
    assert!(took > Duration::ZERO && took <= begun.elapsed());
}

#[tokio::test]
async fn a_panic_is_observed_as_the_fault_that_it_is() {
    let seen = Seen::default();
    let (bus, _) = bus_with(Handling::Panic, |builder| builder.observer(seen.clone()));
    dispatch(&bus, "PublicQuery", r#"{"text":"x"}"#, &nobody())
        .await
        .unwrap_err();
    assert_eq!(seen.outcomes(), [("PublicQuery", "96")]);
}

#[tokio::test]
async fn what_could_not_be_audited_is_observed_as_its_sender_is_told() {
    let seen = Seen::default();
    let builder = Bus::builder().module(module(Handling::Echo)).audit_sink(BrokenSink);
    let bus = builder.observer(seen.clone()).build().unwrap();
    dispatch(&bus, "TellerQuery", r#"{"text":"x"}"#, &teller())
        .await
        .unwrap_err();
    assert_eq!(seen.outcomes(), [("TellerQuery", "91")]);
}
