//! How a subcommand ends when it does not end well: one line on standard error, and an exit code.

use std::error::Error as _;
use std::io::{self, Write as _};

use liveness_core::store::{OpenError, StoreError};

use crate::host::start_error::StartError;

/// The name of the program.
pub(super) const NAME: &str = "liveness-http";

/// Why a subcommand did not end well.
#[derive(Debug)]
pub(super) enum Failure {
    /// It failed.
    Failed(String),
    /// Something is wrong, and has been told already.
    AlreadyReported,
    /// Some of it was done.
    InPart(String),
    /// Somebody has interrupted it.
    Interrupted(String),
    /// Whoever read its output has read enough.
    ReaderGone,
}

impl Failure {
    /// It failed, for this reason.
    pub(super) fn of(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// A file could not be used.
    pub(super) fn file(verb: &str, name: &str, error: &io::Error) -> Self {
        Self::Failed(format!("cannot {verb} {name}: {error}"))
    }

    /// The same failure, and how far it had come.
    pub(super) fn after(self, done: &str) -> Self {
        match self {
            Self::Failed(message) => Self::Failed(format!("{message} ({done})")),
            other => other,
        }
    }
}

/// Of standard output: whatever else is read or written goes by [`Failure::file`].
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::file("write", "the output", &error),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        StartError::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let cause = error.source().map(ToString::to_string);
        Self::Failed(cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")))
    }
}

/// Tells what went wrong, and gives back the code to exit with.
pub(super) fn exit_code(outcome: Result<(), Failure>) -> i32 {
    let (message, code) = match outcome {
        Ok(()) | Err(Failure::ReaderGone) => return 0,
        Err(Failure::AlreadyReported) => return 1,
        Err(Failure::Failed(message)) => (message, 1),
        Err(Failure::InPart(message)) => (message, 3),
        Err(Failure::Interrupted(message)) => (message, 130),
    };
    tell(&message);
    code
}

/// One line on standard error.
pub(super) fn tell(message: &str) {
    let words: Vec<_> = message.split_whitespace().collect();
    let _ = writeln!(io::stderr(), "{NAME}: {}", words.join(" "));
}

/// Ends the process because of a command line that cannot be understood: in one line, where clap has a page.
pub(super) fn usage(error: &clap::Error) -> ! {
    let page = error.render().to_string();
    let said = page.lines().take_while(|line| !line.starts_with("Usage:"));
    let said = said.filter(|line| !line.starts_with("For more information"));
    let said = said.map(str::trim).filter(|line| !line.is_empty());
    let said = said.collect::<Vec<_>>().join("; ").replace(":; ", ": ");
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    tell(&format!("{said} (see `{NAME} --help`)"));
    std::process::exit(2)
}
