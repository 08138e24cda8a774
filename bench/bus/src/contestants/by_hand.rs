//! No library: an async function called, and a `match` on the name with the same check of access, parse and validation.

use std::future::Future;
use std::hint::black_box;

use liveness_bus::{BusError, Context, Message};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::messages::{AddQuery, OneOf10, OneOf700, ReportCommand, add, customer, report, report_json, teller};
use crate::numbers::{for_each_of_10, for_each_of_700};
use crate::{Crowd, Measure, Scenario, now};

pub(crate) const NAME: &str = "by hand";

pub(crate) fn run(scenario: Scenario, crowd: &Crowd, measure: &mut impl Measure) {
    let (teller, customer, message) = (teller(), customer(), OneOf10::EXAMPLE);
    let mut reply = Vec::new();
    match scenario {
        Scenario::Send { middlewares: 0 } => {
            measure.operation(NAME, || now(add(black_box(message), black_box(&teller))));
        }
        Scenario::Send { middlewares: 1 } => {
            measure.operation(NAME, || now(noop(add(black_box(message), black_box(&teller)))));
        }
        Scenario::Send { .. } => {
            measure.operation(NAME, || {
                now(noop(noop(noop(add(black_box(message), black_box(&teller))))))
            });
        }
        Scenario::SendRefused => measure.operation(NAME, || {
            let context = black_box(&customer);
            OneOf10::ACCESS.check(context.principal())?;
            now(add(black_box(message), context))
        }),
        Scenario::SendOf700 => {}
        Scenario::Named { middlewares } => {
            measure.operation(NAME, || {
                reply.clear();
                let (name, body) = (black_box(OneOf10::NAME), black_box(OneOf10::JSON.as_bytes()));
                let work = async { of_10(name, body, black_box(&teller), &mut reply) };
                match middlewares {
                    0 => now(work),
                    1 => now(noop(work)),
                    _ => now(noop(noop(noop(work)))),
                }
            });
        }
        Scenario::NamedRefused => measure.operation(NAME, || {
            reply.clear();
            let (name, body) = (black_box(OneOf10::NAME), black_box(OneOf10::JSON.as_bytes()));
            of_10(name, body, black_box(&customer), &mut reply)
        }),
        Scenario::NamedOf700 => measure.operation(NAME, || {
            reply.clear();
            let (name, body) = (black_box(OneOf700::NAME), black_box(OneOf700::JSON.as_bytes()));
            of_700(crowd.by_hand, name, body, black_box(&teller), &mut reply)
        }),
        Scenario::Named300B | Scenario::Named200Kb => {
            let json = report_json(scenario);
            measure.operation(NAME, || {
                reply.clear();
                let (name, body) = (black_box(ReportCommand::NAME), black_box(json.as_bytes()));
                of_10(name, body, black_box(&teller), &mut reply)
            });
        }
    }
}

/// An async middleware that does nothing.
pub(crate) async fn noop<F: Future>(next: F) -> F::Output {
    next.await
}

fn of_10(name: &str, body: &[u8], context: &Context, reply: &mut Vec<u8>) -> Result<(), BusError> {
    macro_rules! arms {
        ($($number:literal)*) => {
            match name {
                $(<AddQuery<$number> as Message>::NAME => now(answer(body, context, reply, add::<$number>)),)*
                ReportCommand::NAME => now(answer(body, context, reply, report)),
                _ => Err(BusError::UnknownMessage),
            }
        };
    }
    for_each_of_10!(arms)
}

/// What it does of each message.
pub(crate) type Arm = fn(&[u8], &Context, &mut Vec<u8>) -> Result<(), BusError>;

fn of_700(others: &[Arm], name: &str, body: &[u8], context: &Context, reply: &mut Vec<u8>) -> Result<(), BusError> {
    macro_rules! arms {
        ($($before:literal)*; $sent:literal; $($behind:literal)*) => {
            match name {
                $(<AddQuery<$before> as Message>::NAME => others[$before - 100](body, context, reply),)*
                <AddQuery<$sent> as Message>::NAME => now(answer(body, context, reply, add::<$sent>)),
                // The one that is sent is none of the others.
                $(<AddQuery<$behind> as Message>::NAME => others[$behind - 101](body, context, reply),)*
                _ => Err(BusError::UnknownMessage),
            }
        };
    }
    for_each_of_700!(arms)
}

/// What is done of all messages but the one that is sent.
pub(crate) const fn others() -> [Arm; 699] {
    macro_rules! each {
        ($($before:literal)*; $sent:literal; $($behind:literal)*) => {
            [$(arm::<$before>,)* $(arm::<$behind>,)*]
        };
    }
    for_each_of_700!(each)
}

fn arm<const N: usize>(body: &[u8], context: &Context, reply: &mut Vec<u8>) -> Result<(), BusError> {
    now(answer(body, context, reply, add::<N>))
}

async fn answer<M>(
    body: &[u8],
    context: &Context,
    reply: &mut Vec<u8>,
    handle: impl AsyncFn(M, &Context) -> Result<M::Reply, BusError>,
) -> Result<(), BusError>
where
    M: Message + DeserializeOwned,
    M::Reply: Serialize,
{
    M::ACCESS.check(context.principal())?;
    let message: M = serde_json::from_slice(body).map_err(|error| BusError::Malformed(error.to_string().into()))?;
    message
        .validate()
        .map_err(|errors| BusError::Malformed(errors.to_string().into()))?;
    let answer = handle(message, context).await?;
    serde_json::to_writer(reply, &answer).map_err(|error| BusError::Internal(error.into()))
}
