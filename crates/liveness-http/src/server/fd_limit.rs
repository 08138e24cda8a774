//! The limit on open file descriptors. Each connection needs one.
//!
//! The usual limit of 1,024 is a soft one: a process may raise it itself, up to the hard limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// File descriptors for everything else: the database, its journal, standard output.
const RESERVED: usize = 256;

/// Raises the limit as far as it goes without being root. Returns how many connections may be open: the wanted number, or
/// as many as the limit allows.
pub(super) fn allowed_connections(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() {
        maximum
    } else {
        current
    };
    let possible = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let possible = possible.saturating_sub(RESERVED).max(RESERVED);
    if possible < wanted {
        log::warn!("the limit on open files allows {possible} connections only (LIVENESS_MAX_CONNECTIONS={wanted})");
    }
    wanted.min(possible)
}
