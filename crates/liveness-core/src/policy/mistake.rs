//! What is wrong with a policy file: every mistake, with its line and what would be right.

use std::fmt;

/// A mistake in a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyMistake {
    line: usize,
    message: String,
}

impl PolicyMistake {
    /// The line of the file, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What is wrong, and what would be right. It is one line.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for PolicyMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// All mistakes in a policy file, in the order of its lines. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyMistakes(Vec<PolicyMistake>);

impl PolicyMistakes {
    /// The mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &PolicyMistake> {
        self.0.iter()
    }
}

impl fmt::Display for PolicyMistakes {
    /// One line for each mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, mistake) in self.0.iter().enumerate() {
            let line_break = if place == 0 { "" } else { "\n" };
            write!(f, "{line_break}{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyMistakes {}

/// Collects mistakes while a file is read.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    text: &'a str,
    found: Vec<PolicyMistake>,
    /// Lines that are no TOML.
    broken: Vec<usize>,
}

impl<'a> Collector<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            text,
            found: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Adds a mistake at a byte of the file.
    pub(super) fn add(&mut self, offset: usize, message: impl Into<String>) {
        let line = self.line_of(offset);
        let message = message.into();
        self.found.push(PolicyMistake { line, message });
    }

    /// Adds a mistake in a line that is no TOML, so that nothing else is said of the line.
    pub(super) fn add_broken(&mut self, offset: usize, message: impl Into<String>) {
        self.broken.push(self.line_of(offset));
        self.add(offset, message);
    }

    /// Whether the line of this byte is no TOML.
    pub(super) fn is_broken(&self, offset: usize) -> bool {
        self.broken.contains(&self.line_of(offset))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    fn line_of(&self, offset: usize) -> usize {
        let before = self.text.bytes().take(offset);
        before.filter(|byte| *byte == b'\n').count() + 1
    }

    /// # Errors
    ///
    /// The mistakes, if there are any.
    pub(super) fn finish(mut self) -> Result<(), PolicyMistakes> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|mistake| mistake.line);
        Err(PolicyMistakes(self.found))
    }
}
