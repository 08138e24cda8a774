//! Whether a subcommand prints for people or for programs, and what a terminal may be shown.

use clap::ValueEnum;

/// The form of the output.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The text without what a terminal would take for a command.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
