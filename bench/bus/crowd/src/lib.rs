//! The other messages where there are 700: see [`Crowd`].

use bus_bench::Crowd;

struct Here;

pub static CROWD: Crowd = Crowd::of::<Here>();
