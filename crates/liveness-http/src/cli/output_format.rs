//! Whether a subcommand prints for people or for programs.

use clap::ValueEnum;

/// The form of the output.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}
