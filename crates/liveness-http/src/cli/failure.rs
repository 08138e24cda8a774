//! How a subcommand fails: with a line on standard error, and an exit code.

use std::error::Error as _;
use std::io::{self, Write as _};
use std::path::Path;

use liveness_core::store::{OpenError, StoreError};

use crate::face_keys::FaceKeysError;
use crate::face_place::FacePlaceError;
use crate::host::start_error::StartError;
use crate::policy_source::PolicyError;
use crate::trail_key::TrailKeyError;

/// The name of the program.
pub(super) const NAME: &str = "liveness-http";

/// Why a subcommand failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It failed.
    Failed(String),
    /// It failed, for several reasons. Each is a line.
    FailedFor(Vec<String>),
    /// It found something wrong, and has printed that already.
    AlreadyReported,
    /// The command line is wrong.
    Usage(String),
    /// Only a part of the work was done.
    Partial(String),
    /// A signal interrupted it.
    Interrupted(String),
    /// The reader closed our standard output, as `head` does. This is no error.
    OutputClosed,
}

impl Failure {
    /// A failure with this message.
    pub(super) fn of(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// A file that cannot be used. `verb` says for what, such as `read`.
    pub(super) fn file(verb: &str, name: &str, error: &io::Error) -> Self {
        Self::Failed(format!("cannot {verb} {name}: {error}"))
    }

    /// A file that cannot be made. It names the folder where that is the cause.
    pub(super) fn new_file(path: &Path, error: &io::Error) -> Self {
        let told = Self::file("make", &path.display().to_string(), error);
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new(".")).display();
        match error.kind() {
            io::ErrorKind::NotFound => told.after(&format!("the folder {folder} is not there")),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                told.after(&format!("the folder {folder} cannot be written to"))
            }
            _ => told,
        }
    }

    /// Adds how much was done before the failure.
    pub(super) fn after(self, done: &str) -> Self {
        match self {
            Self::Failed(message) => Self::Failed(format!("{message} ({done})")),
            other => other,
        }
    }
}

/// For standard output only. Use [`Failure::file`] for everything else.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::file("write", "the output", &error),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Policy(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::FailedFor(error.lines())
    }
}

impl From<TrailKeyError> for Failure {
    fn from(error: TrailKeyError) -> Self {
        StartError::from(error).into()
    }
}

impl From<FaceKeysError> for Failure {
    fn from(error: FaceKeysError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<FacePlaceError> for Failure {
    fn from(error: FacePlaceError) -> Self {
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

/// Prints what went wrong, and returns the exit code.
pub(super) fn report(outcome: Result<(), Failure>) -> i32 {
    let (messages, code) = match outcome {
        Ok(()) | Err(Failure::OutputClosed) => return 0,
        Err(Failure::AlreadyReported) => return 1,
        Err(Failure::Failed(message)) => (vec![message], 1),
        Err(Failure::FailedFor(messages)) => (messages, 1),
        Err(Failure::Usage(message)) => (vec![message], 2),
        Err(Failure::Partial(message)) => (vec![message], 3),
        Err(Failure::Interrupted(message)) => (vec![message], 130),
    };
    for message in messages {
        print_error(&message);
    }
    code
}

/// Prints one line on standard error.
pub(super) fn print_error(message: &str) {
    let words: Vec<_> = message.split_whitespace().collect();
    let _ = writeln!(io::stderr(), "{NAME}: {}", words.join(" "));
}

/// Ends the process because the command line is wrong. clap's page of text becomes one line.
pub(super) fn exit_with_usage(error: &clap::Error) -> ! {
    let page = error.render().to_string();
    let said = page.lines().take_while(|line| !line.starts_with("Usage:"));
    let said = said.filter(|line| !line.starts_with("For more information"));
    let said = said.map(str::trim).filter(|line| !line.is_empty());
    let said = said.collect::<Vec<_>>().join("; ").replace(":; ", ": ");
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    print_error(&format!("{} (see `{NAME} --help`)", without_pin(said)));
    std::process::exit(2)
}

/// A PIN in the URI of a token, which does not belong there, is not shown with it.
fn without_pin(said: &str) -> String {
    let Some((before, pin)) = said.split_once("pin-value=") else {
        return said.to_owned();
    };
    let end = pin.find(['&', ';', '\'', ' ']).unwrap_or(pin.len());
    format!("{before}pin-value=…{}", &pin[end..])
}
