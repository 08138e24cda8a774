//! medi-rs: composed by macros when it is compiled. It has no registry, and nothing that comes with a message.

use std::convert::Infallible;
use std::hint::black_box;

use medi_rs::{DecoratorNext, MediCommand, medi_handler, medi_module, mediator};

use crate::{Measure, Scenario, now};

pub(crate) const NAME: &str = "medi-rs 3.2.0";

#[derive(MediCommand)]
#[medi_command(return_type = u64)]
struct Add {
    a: u32,
    b: u32,
}

#[medi_handler]
async fn add(message: Add) -> Result<u64, Infallible> {
    Ok(u64::from(message.a) + u64::from(message.b))
}

async fn noop<Command, Next>(command: Command, next: Next) -> Result<Next::Response, Next::Error>
where
    Command: Send,
    Next: DecoratorNext<Command>,
{
    next.call(command).await
}

medi_module! {
    manifest calculator;
    commands { Add => add; }
}

mediator! {
    struct Bare {
        event_queue_capacity: 1;
        event_workers: 1;
        modules: [calculator];
    }
}

mediator! {
    struct Wrapped {
        event_queue_capacity: 1;
        event_workers: 1;
        modules: [calculator];
        decorators: [noop];
    }
}

mediator! {
    struct WrappedThrice {
        event_queue_capacity: 1;
        event_workers: 1;
        modules: [calculator];
        decorators: [noop, noop, noop];
    }
}

pub(crate) fn run(scenario: Scenario, measure: &mut impl Measure) {
    let message = || black_box(Add { a: 40, b: 2 });
    match scenario {
        Scenario::Send { middlewares: 0 } => {
            let mediator = Bare::builder().build();
            measure.operation(NAME, || now(black_box(&mediator).send(message())));
        }
        Scenario::Send { middlewares: 1 } => {
            let mediator = Wrapped::builder().build();
            measure.operation(NAME, || now(black_box(&mediator).send(message())));
        }
        Scenario::Send { .. } => {
            let mediator = WrappedThrice::builder().build();
            measure.operation(NAME, || now(black_box(&mediator).send(message())));
        }
        _ => {}
    }
}
