//! Limits that keep one caller, or many, from using the host up: `docs/api.md#limits`.

pub(super) mod admission;
pub(super) mod permit;
pub(super) mod rate_limit;
pub(super) mod waiting_room;

mod fair_share;
