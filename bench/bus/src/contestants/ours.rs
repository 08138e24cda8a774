//! Our bus, as it is built when nothing is said: no audit sink and no observer, and no logger is installed.

use std::hint::black_box;

use liveness_bus::{Bus, BusError, Call, Context, Frame, Handler, Message, Middleware, Module, Next, async_trait};

use crate::messages::{
    AddQuery, OneOf10, OneOf700, Registry, ReportCommand, Reported, add, customer, report, report_json, teller,
};
use crate::{Crowd, Measure, Scenario, now};

pub(crate) const NAME: &str = "liveness-bus";

struct Teller;

impl<const N: usize> Handler<AddQuery<N>> for Teller {
    async fn handle(&self, message: AddQuery<N>, call: &Call<'_>) -> Result<u64, BusError> {
        add(message, call).await
    }
}

impl Handler<ReportCommand> for Teller {
    async fn handle(&self, message: ReportCommand, call: &Call<'_>) -> Result<Reported, BusError> {
        report(message, call).await
    }
}

struct Noop;

#[async_trait]
impl Middleware for Noop {
    async fn handle(&self, frame: &mut Frame<'_>, call: &Call<'_>, next: Next<'_>) -> Result<(), BusError> {
        next.run(frame, call).await
    }
}

impl Registry for Module {
    #[inline(never)]
    fn register<const N: usize>(self) -> Self {
        self.handle::<AddQuery<N>>(Teller)
    }
}

fn bus(module: Module, middlewares: usize) -> Bus {
    let builder = Bus::builder().module(module);
    let builder = (0..middlewares).fold(builder, |builder, _| builder.around(Noop));
    builder.build().expect("there is no mistake in it")
}

pub(crate) fn run(scenario: Scenario, crowd: &Crowd, measure: &mut impl Measure) {
    let of_10 = |middlewares| {
        let module = Module::new("tellers").with_10();
        bus(module.handle::<ReportCommand>(Teller), middlewares)
    };
    let of_700 = || bus(Module::new("tellers").with_700(crowd.ours), 0);
    match scenario {
        Scenario::Send { middlewares } => send(measure, &of_10(middlewares), OneOf10::EXAMPLE, &teller()),
        Scenario::SendRefused => send(measure, &of_10(0), OneOf10::EXAMPLE, &customer()),
        Scenario::SendOf700 => send(measure, &of_700(), OneOf700::EXAMPLE, &teller()),
        Scenario::Named { middlewares } => {
            dispatch(measure, &of_10(middlewares), OneOf10::NAME, OneOf10::JSON, &teller());
        }
        Scenario::NamedRefused => dispatch(measure, &of_10(0), OneOf10::NAME, OneOf10::JSON, &customer()),
        Scenario::NamedOf700 => dispatch(measure, &of_700(), OneOf700::NAME, OneOf700::JSON, &teller()),
        Scenario::Named300B | Scenario::Named200Kb => {
            dispatch(
                measure,
                &of_10(0),
                ReportCommand::NAME,
                &report_json(scenario),
                &teller(),
            );
        }
    }
}

fn send<M: Message + Copy>(measure: &mut impl Measure, bus: &Bus, message: M, context: &Context) {
    measure.operation(
        NAME,
        || now(black_box(bus).send(black_box(message), black_box(context))),
    );
}

fn dispatch(measure: &mut impl Measure, bus: &Bus, name: &str, body: &str, context: &Context) {
    let mut reply = Vec::new();
    measure.operation(NAME, || {
        reply.clear();
        let (name, body) = (black_box(name), black_box(body.as_bytes()));
        now(black_box(bus).dispatch(name, body, black_box(context), &mut reply))
    });
}
