//! What a message costs on our bus, and on other people's: the scenarios, and who takes part in which.
//!
//! Nothing is measured here. `benches/time.rs` measures how long each takes, `benches/table.rs` what it allocates.

mod contestants;
mod crowd;
mod messages;
mod numbers;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub use crowd::Crowd;

/// What is done. Unless it says otherwise there are 10 messages in the registry, no middleware, and a small message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    Send { middlewares: usize },
    SendRefused,
    SendOf700,
    Named { middlewares: usize },
    NamedRefused,
    NamedOf700,
    Named300B,
    Named200Kb,
}

impl Scenario {
    pub const ALL: [Self; 12] = [
        Self::Send { middlewares: 0 },
        Self::Send { middlewares: 1 },
        Self::Send { middlewares: 3 },
        Self::SendRefused,
        Self::SendOf700,
        Self::Named { middlewares: 0 },
        Self::Named { middlewares: 1 },
        Self::Named { middlewares: 3 },
        Self::NamedRefused,
        Self::NamedOf700,
        Self::Named300B,
        Self::Named200Kb,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Send { middlewares: 0 } => "send",
            Self::Send { middlewares: 1 } => "send, 1 middleware",
            Self::Send { .. } => "send, 3 middlewares",
            Self::SendRefused => "send, refused",
            Self::SendOf700 => "send, of 700 messages",
            Self::Named { middlewares: 0 } => "by name",
            Self::Named { middlewares: 1 } => "by name, 1 middleware",
            Self::Named { .. } => "by name, 3 middlewares",
            Self::NamedRefused => "by name, refused",
            Self::NamedOf700 => "by name, of 700 messages",
            Self::Named300B => "by name, 300 bytes",
            Self::Named200Kb => "by name, 200 KB",
        }
    }

    /// Gives the measure what each contestant does here; one that has no notion of it does nothing.
    pub fn run(self, crowd: &Crowd, measure: &mut impl Measure) {
        contestants::by_hand::run(self, crowd, measure);
        contestants::tower::run(self, measure);
        contestants::medi_rs::run(self, measure);
        contestants::mediator_rs::run(self, crowd, measure);
        contestants::hexeract::run(self, crowd, measure);
        contestants::jsonrpsee::run(self, crowd, measure);
        contestants::ours::run(self, crowd, measure);
    }
}

/// The columns, in the order in which they are shown.
pub const CONTESTANTS: [&str; 8] = [
    contestants::by_hand::NAME,
    contestants::tower::STATIC,
    contestants::tower::BOXED,
    contestants::medi_rs::NAME,
    contestants::mediator_rs::NAME,
    contestants::hexeract::NAME,
    contestants::jsonrpsee::NAME,
    contestants::ours::NAME,
];

/// What is done with an operation.
pub trait Measure {
    fn operation<T>(&mut self, contestant: &'static str, operation: impl FnMut() -> T);
}

/// The outcome of a future that does not wait: the same way for all.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing in here waits"),
    }
}
