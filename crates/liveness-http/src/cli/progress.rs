//! A progress bar. It is shown on a terminal only.

use std::io::{self, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::print_error;

/// A bar on standard error. It stays hidden when that is no terminal.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar for a known or an unknown total, each with its own template.
    pub(super) fn new(total: Option<u64>, template: &str, template_without_total: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = if total.is_some() {
            template
        } else {
            template_without_total
        };
        // A wrong template would show the usual bar.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Sets how many there are, once that is known.
    pub(super) fn set_total(&self, total: u64) {
        self.0.set_length(total);
    }

    /// Shows how many are done.
    pub(super) fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Prints a line of the result above the bar.
    pub(super) fn print(&self, line: &str) -> io::Result<()> {
        self.0.suspend(|| writeln!(io::stdout(), "{line}"))
    }

    /// Prints an error above the bar.
    pub(super) fn print_error(&self, message: &str) {
        self.0.suspend(|| print_error(message));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
