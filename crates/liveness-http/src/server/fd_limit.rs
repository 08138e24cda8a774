//! How many connections the system lets the process have open. Each is a file to it, and the usual limit of 1,024 is a
//! soft one: raising it is asked for by whoever means it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files for all else: the database, its journal, standard output.
const OTHERS: usize = 256;

/// Raises the limit on open files as far as it goes without being root, and gives back how many connections may be open:
/// as many as wanted, or what the limit leaves.
pub(crate) fn connections(wanted: usize) -> usize {
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
    let possible = possible.saturating_sub(OTHERS).max(OTHERS);
    if possible < wanted {
        log::warn!(
            "{possible} connections at most, for that is what the limit on open files leaves (LIVENESS_MAX_CONNECTIONS={wanted})"
        );
    }
    wanted.min(possible)
}
