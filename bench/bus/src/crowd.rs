//! The 699 other messages where there are 700: types, handlers and registrations of their own for each contestant.

use hexeract_mediator::MediatorBuilder;
use jsonrpsee_core::server::RpcModule;
use liveness_bus::{BusError, Context, Module};
use mediator_rs::Mediator;

use crate::contestants::by_hand::{self, Arm};
use crate::messages::Registry as _;

/// Registers them. They are never sent, and compiling so many with optimisation takes more than five minutes: so it is
/// made in `crowd/`, a package that is compiled without. What is sent and measured is not from there.
pub struct Crowd {
    pub(crate) by_hand: &'static [Arm],
    pub(crate) mediator_rs: fn(Mediator<Context, BusError>) -> Mediator<Context, BusError>,
    pub(crate) hexeract: fn(MediatorBuilder) -> MediatorBuilder,
    pub(crate) jsonrpsee: fn(RpcModule<Context>) -> RpcModule<Context>,
    pub(crate) ours: fn(Module) -> Module,
}

impl Crowd {
    /// `HERE` is a type of the package in which it is made: that is where all of it is compiled.
    pub const fn of<HERE>() -> Self {
        Self {
            by_hand: const { &by_hand::others() },
            mediator_rs: Mediator::with_others,
            hexeract: MediatorBuilder::with_others,
            jsonrpsee: RpcModule::with_others,
            ours: Module::with_others,
        }
    }
}
