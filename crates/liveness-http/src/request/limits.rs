//! Limits that keep one caller, or many, from using the host up: `docs/api.md#limits`.

pub(crate) mod admission;
pub(crate) mod rate_limit;

mod fair_share;
