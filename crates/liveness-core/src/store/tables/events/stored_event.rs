//! Events and subscriptions as an operator sees them.

use crate::Timestamp;
use crate::events::Event;

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    /// It waits to be delivered, or is being delivered.
    Waiting,
    /// It was given up, and waits for an operator.
    SetAside,
}

impl EventState {
    /// The state in a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::SetAside => "set aside",
        }
    }
}

/// An event that a subscription has not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number, which no other event ever has. Each subscription has a number of its own for the same event.
    pub number: i64,
    /// The name of the subscription. It need not be one that this program knows.
    pub subscription: String,
    /// What becomes of it.
    pub state: EventState,
    /// When it is tried next, or was to be.
    pub next_at: Timestamp,
    /// Why it failed the last time, if it did.
    pub last_error: Option<String>,
    /// The event.
    pub event: Event,
}

/// What there is of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCounts {
    /// The name of the subscription.
    pub subscription: String,
    /// From when on it gets events.
    pub since: Timestamp,
    /// How many events wait, up to 10,000.
    pub waiting: u64,
    /// How many were set aside, up to 10,000.
    pub set_aside: u64,
    /// How many seconds ago the oldest event happened that waits, by the clock of the node that recorded it. 0 if none waits.
    pub oldest_seconds: u64,
    /// Until when none is delivered, if the subscription is held.
    pub held_until: Option<Timestamp>,
    /// Whether it was disabled: none of its events is delivered.
    pub is_disabled: bool,
    /// Why it is, or was last, held or disabled.
    pub why: Option<String>,
}
