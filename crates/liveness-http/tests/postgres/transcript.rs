//! What happened when.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Events in the order of their time, printed at the end.
pub(crate) struct Transcript {
    title: &'static str,
    begun: Instant,
    events: Mutex<Vec<(Duration, String)>>,
}

impl Transcript {
    /// Begins now.
    pub(crate) fn of(title: &'static str) -> Self {
        Self {
            title,
            begun: Instant::now(),
            events: Mutex::default(),
        }
    }

    /// Since it began.
    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// It happened now.
    pub(crate) fn event(&self, what: impl Into<String>) -> Duration {
        let now = self.now();
        self.at(now, what);
        now
    }

    /// It happened then.
    pub(crate) fn at(&self, then: Duration, what: impl Into<String>) {
        self.events.lock().unwrap().push((then, what.into()));
    }

    /// Prints what has happened so far.
    pub(crate) fn print(&self) {
        let mut events = self.events.lock().unwrap();
        events.sort();
        let lines: String = events
            .iter()
            .map(|(at, what)| format!("  {:5.2} s {what}\n", at.as_secs_f64()))
            .collect();
        println!("{}\n{lines}", self.title);
    }
}
