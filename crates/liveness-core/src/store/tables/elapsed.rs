//! Measures how long ago an event of a user was, also when a clock jumps in between.
//!
//! The database has the time of an event by the clock of the node that wrote it. This process remembers the events that keep a
//! user waiting, each with the time at which it was by a clock that never jumps. So a jump neither ends a wait nor extends it.
//! Of an event that this process has not met, as after a restart or of another node, it believes the clocks once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Clock, SteadyClock, Timestamp};

/// The most events that are remembered, some 4 MB. Beyond it, those of a day ago are forgotten, and then all.
const MOST: usize = 50_000;
/// Milliseconds of 24 hours. No event keeps a user waiting for longer.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// What kind of event it is. Of each kind, a user has one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The last failure.
    Failure,
    /// The first record of a day.
    Day,
}

/// An event of a user, as the database has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) user: i64,
    pub(crate) kind: Kind,
    /// When it was, by the clock of a node, in milliseconds since the epoch.
    pub(crate) at: i64,
    /// Tells it from others at the same time.
    pub(crate) number: i32,
}

/// Says how long ago events were. Clones remember the same events.
#[derive(Debug, Clone)]
pub(crate) struct Elapsed {
    steady: Arc<dyn Clock>,
    remembered: Arc<Mutex<HashMap<(Kind, i64), Remembered>>>,
}

#[derive(Debug)]
struct Remembered {
    event: Event,
    /// When it was, by the steady clock.
    steady_at: i64,
}

impl Default for Elapsed {
    fn default() -> Self {
        Self::by(Arc::new(SteadyClock))
    }
}

impl Elapsed {
    /// By a clock that never jumps.
    pub(crate) fn by(steady: Arc<dyn Clock>) -> Self {
        Self {
            steady,
            remembered: Arc::default(),
        }
    }

    /// How many milliseconds ago an event was. `now` is the time by the clock of the node. Never negative.
    pub(crate) fn since(&self, event: Event, now: Timestamp) -> i64 {
        let remembered = self.remembered();
        let steady_at = remembered
            .get(&(event.kind, event.user))
            .filter(|remembered| remembered.event == event)
            .map(|remembered| remembered.steady_at);
        let elapsed = match steady_at {
            Some(steady_at) => self.steady.now().unix_millis() - steady_at,
            None => now.unix_millis() - event.at,
        };
        elapsed.max(0)
    }

    /// Remembers an event, unless it is remembered. From now on, the jumps of clocks do not matter for it.
    pub(crate) fn remember(&self, event: Event, now: Timestamp) {
        let elapsed = self.since(event, now);
        self.put(event, elapsed);
    }

    /// Remembers an event that is now. `is_waited_for` says that it keeps a user waiting. One that does not only replaces an
    /// earlier event.
    pub(crate) fn restart(&self, event: Event, is_waited_for: bool) {
        let replaces = self.remembered().contains_key(&(event.kind, event.user));
        if is_waited_for || replaces {
            self.put(event, 0);
        }
    }

    fn put(&self, event: Event, elapsed: i64) {
        let steady = self.steady.now().unix_millis();
        let mut remembered = self.remembered();
        if remembered.len() >= MOST {
            remembered.retain(|_, remembered| steady - remembered.steady_at < DAY);
        }
        if remembered.len() >= MOST {
            remembered.clear();
        }
        let steady_at = steady - elapsed;
        remembered.insert((event.kind, event.user), Remembered { event, steady_at });
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<(Kind, i64), Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FixedClock;

    const NOW: i64 = 1_774_188_005_000;
    const HOUR: i64 = 60 * 60 * 1000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    fn failure(number: i32) -> Event {
        Event {
            user: 1,
            kind: Kind::Failure,
            at: NOW,
            number,
        }
    }

    fn steady() -> (Arc<FixedClock>, Elapsed) {
        let clock = Arc::new(FixedClock::at(at(7)));
        (clock.clone(), Elapsed::by(clock))
    }

    #[test]
    fn a_jump_changes_nothing_of_what_is_remembered() {
        let (clock, elapsed) = steady();
        elapsed.restart(failure(5), true);
        clock.advance(10_000);
        for jump in [-5 * HOUR, 0, 5 * HOUR] {
            assert_eq!(elapsed.since(failure(5), at(NOW + jump)), 10_000);
        }
    }

    #[test]
    fn of_what_was_never_met_the_clocks_are_believed_once() {
        let (clock, elapsed) = steady();
        assert_eq!(elapsed.since(failure(5), at(NOW + 20_000)), 20_000);
        assert_eq!(elapsed.since(failure(5), at(NOW - HOUR)), 0);
        elapsed.remember(failure(5), at(NOW - HOUR));
        clock.advance(30_000);
        elapsed.remember(failure(5), at(NOW - HOUR));
        assert_eq!(elapsed.since(failure(5), at(NOW - HOUR)), 30_000);
    }

    #[test]
    fn another_event_is_not_the_one_that_is_remembered() {
        let (clock, elapsed) = steady();
        elapsed.restart(failure(5), true);
        clock.advance(HOUR);
        assert_eq!(elapsed.since(failure(6), at(NOW)), 0);
        elapsed.restart(failure(6), false);
        clock.advance(1000);
        assert_eq!(elapsed.since(failure(6), at(NOW + 5 * HOUR)), 1000);
    }

    #[test]
    fn memory_is_bounded() {
        let (_, elapsed) = steady();
        for user in 0..=MOST as i64 {
            elapsed.restart(Event { user, ..failure(5) }, true);
        }
        assert_eq!(elapsed.remembered().len(), 1);
    }
}
