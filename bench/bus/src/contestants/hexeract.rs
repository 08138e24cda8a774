//! hexeract: an open registry. What comes with a message are ids; the sender is not among them.

use std::hint::black_box;

use hexeract_core::{
    BoxOutput, Command, CommandHandler, HandlerContext, HexeractError, MessageEnvelope, Middleware, Next,
};
use hexeract_mediator::MediatorBuilder;

use crate::messages::{AddQuery, OneOf10, OneOf700, Registry};
use crate::{Crowd, Measure, Scenario, now};

pub(crate) const NAME: &str = "hexeract 0.6.0";

impl<const N: usize> Command for AddQuery<N> {
    type Output = u64;
}

struct Calculator;

impl<const N: usize> CommandHandler<AddQuery<N>> for Calculator {
    type Error = HexeractError;

    async fn handle(&self, message: AddQuery<N>, _: &HandlerContext) -> Result<u64, HexeractError> {
        Ok(message.sum())
    }
}

struct Noop;

impl Middleware for Noop {
    async fn execute(
        &self,
        envelope: &MessageEnvelope,
        context: &HandlerContext,
        next: Next,
    ) -> Result<BoxOutput, HexeractError> {
        next.run(envelope, context).await
    }
}

impl Registry for MediatorBuilder {
    #[inline(never)]
    fn register<const N: usize>(self) -> Self {
        self.register_command_handler::<AddQuery<N>, _>(Calculator)
    }
}

pub(crate) fn run(scenario: Scenario, crowd: &Crowd, measure: &mut impl Measure) {
    let build = |builder: MediatorBuilder| builder.build().expect("each message has one handler");
    let empty = MediatorBuilder::new();
    match scenario {
        Scenario::Send { middlewares } => {
            let builder = (0..middlewares).fold(empty, |builder, _| builder.with_middleware(Noop));
            let mediator = build(builder.with_10());
            measure.operation(NAME, || now(black_box(&mediator).send(black_box(OneOf10::EXAMPLE))));
        }
        Scenario::SendOf700 => {
            let mediator = build(empty.with_700(crowd.hexeract));
            measure.operation(NAME, || now(black_box(&mediator).send(black_box(OneOf700::EXAMPLE))));
        }
        _ => {}
    }
}
