//! The binary: reads the command line, starts the log, does what it was told.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use liveness_http::config::{Command, CommandLine};
use liveness_http::serve::serve;

/// Without actix's own word on malformed requests: anybody could fill the log with errors.
const LOG: &str = "info,actix_http=off,actix_server=warn";

fn main() -> ExitCode {
    let Command::Serve(config) = CommandLine::parse().command;
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOG)).init();

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
