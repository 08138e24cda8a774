//! The setting of the policy: a word, or a file.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::string::FromUtf8Error;

use clap::Args;
use liveness_core::policy::{Base, Policy, PolicyMistake, PolicyMistakes};

use crate::text_file;

/// The setting of the policy.
#[derive(Debug, Clone, Args)]
pub struct PolicyConfig {
    /// What is required of a report, who may look at faces, and how long they are kept: record, enforce, or a TOML file that
    /// begins with `base = "record"` or `base = "enforce"` and says what differs.
    #[arg(
        long,
        env = "LIVENESS_POLICY",
        value_name = "record|enforce|FILE",
        default_value = "record"
    )]
    pub policy: PolicySource,
}

/// Where the policy is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// A word.
    Word(Base),
    /// A file.
    File(PathBuf),
}

impl FromStr for PolicySource {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Base::of_word(text).map_or_else(|| Self::File(text.into()), Self::Word))
    }
}

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("LIVENESS_POLICY: cannot read {0}: {1}; it must be record, enforce, or a policy file")]
    Unread(String, #[source] io::Error),
    /// There are mistakes in the file.
    #[error("LIVENESS_POLICY: {}", .0.join("; "))]
    Mistakes(Vec<String>),
}

impl PolicyError {
    /// What is wrong, line by line: `policy.toml:12: looks.purpose: must be true or false`.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Unread(..) => vec![self.to_string()],
            Self::Mistakes(mistakes) => mistakes.clone(),
        }
    }

    /// The file is in another encoding, which an editor has chosen for a letter that is no ASCII.
    fn no_text(file: &Path, error: &FromUtf8Error) -> Self {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = good.filter(|byte| **byte == b'\n').count() + 1;
        Self::Mistakes(vec![format!(
            "{}:{line}: this line is not UTF-8: save the file in UTF-8",
            file.display()
        )])
    }

    fn in_file(file: &Path, mistakes: &PolicyMistakes) -> Self {
        let line = |mistake: &PolicyMistake| format!("{}:{}: {}", file.display(), mistake.line(), mistake.message());
        Self::Mistakes(mistakes.iter().map(line).collect())
    }
}

impl PolicyConfig {
    /// The policy in force.
    ///
    /// # Errors
    ///
    /// [`PolicyError`], with every mistake.
    pub(crate) fn load(&self) -> Result<Policy, PolicyError> {
        match &self.policy {
            PolicySource::Word(base) => Ok(Policy::of(*base)),
            PolicySource::File(file) => {
                let text =
                    text_file::read(file).map_err(|error| PolicyError::Unread(file.display().to_string(), error))?;
                let text = String::from_utf8(text).map_err(|error| PolicyError::no_text(file, &error))?;
                Policy::parse(&text).map_err(|mistakes| PolicyError::in_file(file, &mistakes))
            }
        }
    }
}
