//! mediator-rs: an open registry, with a context of the caller's type.

use std::any::Any;
use std::hint::black_box;
use std::sync::Arc;

use async_trait::async_trait;
use liveness_bus::{BusError, Context};
use mediator_rs::{Extensions, Handler, Mediator, PipelineBehavior, PipelineNext, Request};

use crate::messages::{ACCESS, AddQuery, OneOf10, OneOf700, Registry, add, customer, teller};
use crate::{Crowd, Measure, Scenario, now};

pub(crate) const NAME: &str = "mediator-rs 0.1.5";

impl<const N: usize> Request for AddQuery<N> {
    type Output = u64;
}

struct Calculator;

#[async_trait]
impl<const N: usize> Handler<AddQuery<N>, BusError, Context> for Calculator {
    async fn handle(&self, message: AddQuery<N>, context: &Context) -> Result<u64, BusError> {
        add(message, context).await
    }
}

type Output = Result<Box<dyn Any + Send + Sync>, BusError>;

struct Noop;

#[async_trait]
impl PipelineBehavior<Context, BusError> for Noop {
    async fn handle(&self, _: &Extensions, _: &Context, next: PipelineNext<'_, BusError>) -> Output {
        next.run().await
    }
}

struct Check;

#[async_trait]
impl PipelineBehavior<Context, BusError> for Check {
    async fn handle(&self, _: &Extensions, context: &Context, next: PipelineNext<'_, BusError>) -> Output {
        ACCESS.check(context.principal())?;
        next.run().await
    }
}

impl Registry for Mediator<Context, BusError> {
    #[inline(never)]
    fn register<const N: usize>(mut self) -> Self {
        Mediator::register::<AddQuery<N>, _>(&mut self, Calculator);
        self
    }
}

pub(crate) fn run(scenario: Scenario, crowd: &Crowd, measure: &mut impl Measure) {
    let (teller, customer) = (teller(), customer());
    let mut mediator = Mediator::new();
    match scenario {
        Scenario::Send { middlewares } => {
            for _ in 0..middlewares {
                mediator.add_behavior(Arc::new(Noop));
            }
            let mediator = mediator.with_10();
            measure.operation(NAME, || {
                now(black_box(&mediator).dispatch(black_box(OneOf10::EXAMPLE), black_box(&teller)))
            });
        }
        Scenario::SendRefused => {
            mediator.add_behavior(Arc::new(Check));
            let mediator = mediator.with_10();
            measure.operation(NAME, || {
                now(black_box(&mediator).dispatch(black_box(OneOf10::EXAMPLE), black_box(&customer)))
            });
        }
        Scenario::SendOf700 => {
            let mediator = mediator.with_700(crowd.mediator_rs);
            measure.operation(NAME, || {
                now(black_box(&mediator).dispatch(black_box(OneOf700::EXAMPLE), black_box(&teller)))
            });
        }
        _ => {}
    }
}
