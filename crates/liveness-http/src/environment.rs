//! Variables of the environment. One that is empty, or nothing but white space, is one that is not set.
//!
//! Compose files and environment files set variables to nothing when a value is missing. This is the only place that
//! decides what that means, for settings of the command line, for `RUST_LOG`, and for systemd's `CREDENTIALS_DIRECTORY`.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::Command;
use clap::builder::Resettable;

/// The value of a variable that is set and is text.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = env::var_os(name).filter(|value| !is_empty(value));
    value.and_then(|value| value.into_string().ok())
}

/// The file of a credential that systemd hands over to the service (`LoadCredential=`), if it does.
pub(crate) fn credential(name: &str) -> Option<PathBuf> {
    let path = Path::new(&variable("CREDENTIALS_DIRECTORY")?).join(name);
    path.exists().then_some(path)
}

/// The command line as if no variable were set that is empty. It applies to every argument of every subcommand.
pub(crate) fn without_empty_variables(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        // clap reads the variables when the arguments are made. `None` is an argument without a variable.
        match argument.get_env().map(env::var_os) {
            Some(Some(value)) if is_empty(&value) => argument.env(Resettable::Reset),
            _ => argument,
        }
    });
    command.mut_subcommands(without_empty_variables)
}

fn is_empty(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_empty_and_anything_else_is_not() {
        for value in ["", " ", "\t", "\r\n", "\u{a0}"] {
            assert!(is_empty(OsStr::new(value)), "{value:?}");
        }
        for value in ["0", " x ", "\"\"", "''"] {
            assert!(!is_empty(OsStr::new(value)), "{value:?}");
        }
    }
}
