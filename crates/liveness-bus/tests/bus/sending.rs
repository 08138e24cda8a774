//! A bus can be shared between tasks, and its futures can move between threads. These tests pass if they compile.

use liveness_bus::{Bus, BusBuilder, Context, Module, Principal};

use crate::messages::{Handling, PublicQuery, bus, nobody};

fn is_send_and_sync<T: Send + Sync>() {}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn bus_and_context_are_send_and_sync() {
    is_send_and_sync::<Bus>();
    is_send_and_sync::<Context>();
    is_send_and_sync::<Principal>();
    is_send(Module::new("empty"));
    is_send(BusBuilder::default());
}

#[tokio::test]
async fn the_futures_of_both_doors_are_send() {
    let (bus, _) = bus(Handling::Echo);
    let (context, mut out) = (nobody(), Vec::new());
    let query = PublicQuery {
        text: "hello".into(),
        item_count: None,
    };

    let sent = is_send(bus.send(query, &context)).await.unwrap();
    is_send(bus.dispatch("PublicQuery", br#"{"text":"hello"}"#, &context, &mut out))
        .await
        .unwrap();

    assert_eq!(format!("{sent:?}").as_bytes(), out);
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_of_a_bus_work_at_once() {
    let (bus, _) = bus(Handling::Echo);
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let bus = bus.clone();
            let query = PublicQuery {
                text: number.to_string(),
                item_count: None,
            };
            tokio::spawn(async move { bus.send(query, &nobody()).await })
        })
        .collect();

    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap().unwrap(), number.to_string());
    }
}
