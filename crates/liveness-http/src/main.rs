//! The binary: reads the command line, starts the log, and runs the subcommand.

use liveness_http::{cli, log_format};

fn main() {
    let invocation = cli::read();
    let (format, levels) = invocation.log();
    log_format::start(format, levels);
    invocation.run();
}
