//! The binary: reads the command line, starts the log, does what it was told.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use liveness_http::config::{Command, CommandLine};
use liveness_http::log_format;
use liveness_http::serve::serve;

fn main() -> ExitCode {
    let CommandLine { command, log_format } = CommandLine::parse();
    let Command::Serve(config) = command;
    log_format::start(log_format);

    let outcome = actix_web::rt::System::new().block_on(serve(*config));
    match outcome {
        // Not by returning: that would wait for threads that wait for the database.
        Ok(()) => std::process::exit(0),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "liveness-http: {error}");
            ExitCode::FAILURE
        }
    }
}
