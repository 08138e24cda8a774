//! Wakes the tasks that wait for a change of a key. It does not know what the keys are, or what changes.
//!
//! A sleeper costs a place in a map: no thread, no connection and no timer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Those who wait, by what they wait for.
#[derive(Debug, Default)]
pub(crate) struct WakeUps(Mutex<HashMap<i64, Awaited>>);

/// A key that somebody waits for.
#[derive(Debug)]
struct Awaited {
    sleepers: usize,
    wakes: watch::Sender<()>,
}

impl WakeUps {
    /// Somebody who hears of each change of the key from now on.
    pub(crate) fn sleep(self: &Arc<Self>, key: i64) -> Sleeper {
        let mut awaited = self.lock();
        let of_key = awaited.entry(key).or_insert_with(|| Awaited {
            sleepers: 0,
            wakes: watch::Sender::new(()),
        });
        of_key.sleepers += 1;
        Sleeper {
            key,
            wakes: of_key.wakes.subscribe(),
            wake_ups: Arc::clone(self),
        }
    }

    /// Wakes those who wait for these keys.
    pub(crate) fn wake(&self, keys: impl IntoIterator<Item = i64>) {
        let awaited = self.lock();
        if awaited.is_empty() {
            return;
        }
        for of_key in keys.into_iter().filter_map(|key| awaited.get(&key)) {
            of_key.wakes.send_replace(());
        }
    }

    /// Wakes everybody.
    pub(crate) fn wake_all(&self) {
        for of_key in self.lock().values() {
            of_key.wakes.send_replace(());
        }
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Awaited>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for a key, until this is dropped.
#[derive(Debug)]
pub(crate) struct Sleeper {
    key: i64,
    wakes: watch::Receiver<()>,
    wake_ups: Arc<WakeUps>,
}

impl Sleeper {
    /// Returns once the key was woken since the last call, or since the sleeper was made.
    pub(crate) async fn woken(&mut self) {
        // The sender is kept as long as there is a sleeper.
        let _ = self.wakes.changed().await;
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let mut awaited = self.wake_ups.lock();
        if let Some(of_key) = awaited.get_mut(&self.key) {
            of_key.sleepers -= 1;
            if of_key.sleepers == 0 {
                awaited.remove(&self.key);
            }
        }
        // After a crowd has gone, its memory is given back.
        if awaited.capacity() > 64 && awaited.len() < awaited.capacity() / 8 {
            awaited.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_awake(sleeper: &mut Sleeper) -> bool {
        let mut woken = pin!(sleeper.woken());
        woken.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn those_who_wait_for_a_key_are_woken_and_no_others() {
        let wake_ups = Arc::<WakeUps>::default();
        let (mut one, mut same, mut other) = (wake_ups.sleep(1), wake_ups.sleep(1), wake_ups.sleep(2));

        wake_ups.wake([1, 1, 3]);

        assert_eq!([&mut one, &mut same, &mut other].map(is_awake), [true, true, false]);
        assert_eq!([&mut one, &mut same].map(is_awake), [false, false]);
        wake_ups.wake_all();
        assert_eq!([&mut one, &mut same, &mut other].map(is_awake), [true, true, true]);
    }

    #[test]
    fn a_wake_between_two_looks_is_not_lost() {
        let wake_ups = Arc::<WakeUps>::default();
        let mut sleeper = wake_ups.sleep(1);
        assert!(!is_awake(&mut sleeper));

        wake_ups.wake([1]);

        assert!(is_awake(&mut sleeper));
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_gone() {
        let wake_ups = Arc::<WakeUps>::default();
        let crowd: Vec<_> = (0..5000)
            .flat_map(|key| [wake_ups.sleep(key), wake_ups.sleep(key)])
            .collect();
        assert!(!wake_ups.is_empty());

        drop(crowd);

        assert!(wake_ups.is_empty());
        assert!(wake_ups.lock().capacity() <= 64);
    }
}
