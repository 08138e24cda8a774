//! Who takes part: a file each.

pub(crate) mod by_hand;
pub(crate) mod hexeract;
pub(crate) mod jsonrpsee;
pub(crate) mod medi_rs;
pub(crate) mod mediator_rs;
pub(crate) mod ours;
pub(crate) mod tower;
