//! How far something has come, shown to who sits at a terminal, and to nobody else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::tell;

/// A bar on standard error; it stays hidden where that is no terminal.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of so many of something, or of nobody knows how many.
    pub(super) fn of(total: Option<u64>, template: &str, template_without_total: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = if total.is_some() {
            template
        } else {
            template_without_total
        };
        // The templates are ours, and a wrong one shows the usual bar.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many are done.
    pub(super) fn at(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Says something above the bar.
    pub(super) fn tell(&self, message: &str) {
        self.0.suspend(|| tell(message));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
