//! Keeps the memory of the process to itself: it holds faces, tokens and keys.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// From now on nobody but root can read the memory and the environment of this process (`/proc/PID/mem`, a debugger), and it
/// leaves no core dump when it crashes.
pub(super) fn keep_private() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let is_private = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = is_private.and_then(|()| setrlimit(Resource::Core, none)) {
        log::warn!("a core dump of this process would hold faces and keys: {error}");
    }
}
