//! The binary: reads the command line, starts the log, and runs the subcommand.

use std::alloc::System;

use liveness_http::{cli, log_format};
use zeroizing_alloc::ZeroAlloc;

/// Wipes what is freed: faces, tokens and keys pass through buffers of libraries that wipe nothing.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() {
    let invocation = cli::read();
    let (format, levels) = invocation.log();
    log_format::start(format, levels);
    invocation.run();
}
