//! The command line: the list of subcommands, and what they have in common.
//!
//! Each subcommand is a file in the folder `cli/`. It prints its result to standard output, and everything else to standard
//! error. An error is one line.

mod access;
mod backup;
mod checks;
mod closing;
mod completions;
mod doctor;
mod events;
mod faces;
mod failure;
mod interrupt;
mod jobs;
mod man;
mod migrate;
mod openapi;
mod output_format;
mod policy;
mod progress;
mod reason;
mod sealed_store;
mod serve;
mod token;
mod trail;
mod users;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use self::users::users_of_csv;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::failure::{Failure, NAME};
use crate::config::ServeConfig;
use crate::environment::without_empty_variables;
use crate::face_keys::close_tokens;
use crate::log_format::LogFormat;

/// Ends every help text, and so every manual page.
const EXIT_CODES: &str = "\
A variable that is empty, or nothing but white space, is one that is not set.

Exit codes:
  0    done
  1    failed, or `doctor` found problems; one line on standard error says why
  2    the command line, or the form of a setting, is wrong
  3    done in part: lines of an import were refused, and each was named
  130  interrupted";

/// Records liveness checks, tells the app whether a user has passed, and shows an administrator the evidence.
#[derive(Parser)]
#[command(name = NAME, version, propagate_version = true, after_help = EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    #[command(after_help = serve::EXAMPLES)]
    Serve(Box<ServeConfig>),

    /// Bring the database's schema up to date, and print what was done.
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(migrate::Migrate),

    /// Make a token from the configured secret, for tests or for your own jobs.
    #[command(after_help = token::EXAMPLES)]
    Token(Box<token::Token>),

    /// Users of the standalone host.
    #[command(subcommand)]
    Users(users::Users),

    /// Records of liveness checks.
    #[command(subcommand)]
    Checks(checks::Checks),

    /// Keys of the faces, and the faces that lie in clear.
    #[command(subcommand)]
    Faces(faces::Faces),

    /// Durable jobs: list them, and have those run again that were given up.
    #[command(subcommand)]
    Jobs(jobs::Jobs),

    /// Events for webhooks: list them, and have those sent again that were set aside.
    #[command(subcommand)]
    Events(events::Events),

    /// Copy the SQLite database into a new file, while it is in use, and check the copy.
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Backup),

    /// The audit trail: verify it, write it as files, show its key.
    #[command(subcommand)]
    Trail(trail::Trail),

    /// Show who may send which message, and how it is audited.
    #[command(after_help = access::EXAMPLES)]
    Access(access::Access),

    /// Print the policy in force, each line explained.
    #[command(after_help = policy::EXAMPLES)]
    Policy(policy::PolicyCommand),

    /// Print the API as an OpenAPI 3.1 document, as it is served at /openapi.json.
    #[command(after_help = openapi::EXAMPLES)]
    Openapi(openapi::OpenApi),

    /// Check settings, keys, database, clock and files: what is wrong, and how to fix it.
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(Box<doctor::Doctor>),

    /// Print the completion script for a shell.
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Completions),

    /// Print the manual page, or write all of them to a folder.
    #[command(after_help = man::EXAMPLES)]
    Man(man::ManPages),
}

/// The subcommand to run, with its arguments.
#[expect(missing_debug_implementations, reason = "it holds settings, and secrets among them")]
pub struct Invocation(Command);

/// Reads the command line. If it is wrong or asks for help, this ends the process.
pub fn read() -> Invocation {
    match parse() {
        Ok(line) => Invocation(line.command),
        Err(error) if error.use_stderr() && error.kind() != MISSING_SUBCOMMAND => failure::exit_with_usage(&error),
        // The help shows all variables, those that are empty too.
        Err(help) => CommandLine::try_parse().err().unwrap_or(help).exit(),
    }
}

fn parse() -> Result<CommandLine, clap::Error> {
    let mut command = without_empty_variables(CommandLine::command());
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    CommandLine::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Without a subcommand, the help is printed.
const MISSING_SUBCOMMAND: clap::error::ErrorKind = clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

impl Invocation {
    /// The format of the log, and the levels to log where `RUST_LOG` is not set.
    pub fn log(&self) -> (LogFormat, &'static str) {
        match &self.0 {
            Command::Serve(config) => (config.log_format, serve::LOG_LEVELS),
            // The other subcommands print their messages themselves.
            _ => (LogFormat::Text, "error"),
        }
    }

    /// Runs the subcommand, and ends the process.
    pub fn run(self) -> ! {
        // `serve` listens by itself.
        if !matches!(self.0, Command::Serve(_))
            && let Err(error) = interrupt::end_first_process()
        {
            log::error!("as the first process of a container, this cannot be ended by SIGTERM: {error}");
        }
        let system = actix_web::rt::System::new();
        let outcome = system.block_on(self.0.run());
        // A handle is leaked, so that no thread ever drops the last one. Dropping the last one wakes the system, and fails
        // when the system has ended.
        std::mem::forget(actix_web::rt::System::current());
        // Returning would wait for threads, which may wait for the database or for the reader of our output.
        let code = failure::report(outcome);
        close_tokens();
        std::process::exit(code)
    }
}

impl Command {
    async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(config) => Ok(crate::server::serve(*config).await?),
            Self::Migrate(migrate) => migrate.run(),
            Self::Token(token) => token.run().await,
            Self::Users(users) => users.run().await,
            Self::Checks(checks) => checks.run().await,
            Self::Faces(faces) => faces.run().await,
            Self::Jobs(jobs) => jobs.run().await,
            Self::Events(events) => events.run().await,
            Self::Backup(backup) => backup.run().await,
            Self::Trail(trail) => trail.run().await,
            Self::Access(access) => access.run(),
            Self::Policy(policy) => policy.run().await,
            Self::Openapi(openapi) => openapi.run(),
            Self::Doctor(doctor) => doctor.run(),
            Self::Completions(completions) => completions.run(CommandLine::command()),
            Self::Man(man) => man.run(CommandLine::command()),
        }
    }
}
