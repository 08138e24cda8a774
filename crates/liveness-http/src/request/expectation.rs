//! `Expect: 100-continue` (RFC 9110 section 10.1.1): the client sends its head, and waits until its body is wanted.
//!
//! actix-http writes `100 Continue` before anybody has looked at the token. The stream takes that one out of what is written,
//! and writes its own once the body is about to be read. By then everything in the head has been found good.

use std::cell::Cell;

/// How far such a request has come. The handlers of a connection and its stream share it.
#[derive(Debug, Default)]
pub(crate) struct Expectation {
    stage: Cell<Stage>,
    /// How many `100 Continue` of actix-http are still in what it has to write.
    announcements: Cell<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// The client does not wait.
    #[default]
    None,
    /// The client waits before it sends the body.
    Waiting,
    /// The body is wanted, and the client is to be told.
    Invited,
}

impl Expectation {
    /// A request begins whose client waits. actix-http announces too early that it may go on.
    pub(crate) fn begin(&self) {
        self.stage.set(Stage::Waiting);
        self.announcements.set(self.announcements.get() + 1);
    }

    /// The request is answered. Its body is wanted no longer.
    pub(crate) fn end(&self) {
        self.stage.set(Stage::None);
    }

    /// Whether the client waits.
    pub(crate) fn is_waiting(&self) -> bool {
        self.stage.get() == Stage::Waiting
    }

    /// The body is wanted.
    pub(crate) fn invite(&self) {
        if self.is_waiting() {
            self.stage.set(Stage::Invited);
        }
    }

    /// Whether an early announcement is still to be taken out.
    pub(crate) fn is_announced(&self) -> bool {
        self.announcements.get() > 0
    }

    /// An early announcement has been taken out.
    pub(crate) fn announcement_removed(&self) {
        self.announcements.set(self.announcements.get().saturating_sub(1));
    }

    /// Whether the client is to be told now that its body is wanted. It is told once, after the answers before.
    pub(crate) fn take_invitation(&self) -> bool {
        let is_due = self.stage.get() == Stage::Invited && !self.is_announced();
        if is_due {
            self.stage.set(Stage::None);
        }
        is_due
    }
}
