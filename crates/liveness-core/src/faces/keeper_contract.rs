//! What every keeper promises, as tests that each keeper runs.

use super::data_key::DataKey;
use super::error::KeeperError;
use super::keeper::{Destroyed, KeyKeeper};

/// Tests a keeper with one key, and another one on the same keys, as another process has it.
pub(super) fn holds(keeper: &dyn KeyKeeper, other: &dyn KeyKeeper) {
    a_wrapped_key_is_bound_to_what_was_said_and_to_its_key(keeper);
    a_destroyed_key_unwraps_nothing_and_the_current_one_cannot_be_destroyed(keeper, other);
    the_tenth_key_comes_after_the_ninth(keeper);
    keeper.health().unwrap();
}

fn a_wrapped_key_is_bound_to_what_was_said_and_to_its_key(keeper: &dyn KeyKeeper) {
    let key = DataKey::random().unwrap();
    let (id, wrapped) = keeper.wrap(&key, b"face 1").unwrap();
    assert_eq!(keeper.current().unwrap(), id);
    let is_in = |secret: &[u8]| wrapped.windows(secret.len()).any(|part| part == secret);
    assert!(!key.expose().windows(8).any(is_in));
    assert_eq!(keeper.unwrap(&id, &wrapped, b"face 1").unwrap().expose(), key.expose());
    // No nonce is used twice.
    assert_ne!(keeper.wrap(&key, b"face 1").unwrap().1, wrapped);
    let both = keeper.wrap_all(&[(&key, b"face 1"), (&key, b"face 2")]).unwrap();
    for ((id, wrapped), bound_to) in both.iter().zip([b"face 1", b"face 2"]) {
        assert_eq!(keeper.unwrap(id, wrapped, bound_to).unwrap().expose(), key.expose());
    }
    let refused = |wrapped: &[u8], bound_to: &[u8]| keeper.unwrap(&id, wrapped, bound_to).unwrap_err();
    assert_eq!(refused(&wrapped, b"face 2"), KeeperError::Changed);
    assert_eq!(refused(&[&wrapped[..], b"!"].concat(), b"face 1"), KeeperError::Changed);
    for place in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[place] ^= 1;
        assert_eq!(refused(&changed, b"face 1"), KeeperError::Changed, "{place}");
        assert_eq!(refused(&wrapped[..place], b"face 1"), KeeperError::Changed, "{place}");
    }
}

fn a_destroyed_key_unwraps_nothing_and_the_current_one_cannot_be_destroyed(
    keeper: &dyn KeyKeeper,
    other: &dyn KeyKeeper,
) {
    let key = DataKey::random().unwrap();
    let (old, wrapped) = keeper.wrap(&key, b"").unwrap();
    assert!(keeper.destroy(&old).unwrap_err().to_string().contains("rotate first"));
    let new = keeper.rotate().unwrap();
    assert_eq!(keeper.current().unwrap(), new);
    assert_ne!(old, new);
    // Both unwrap, also for the other, who has used the key before.
    keeper.unwrap(&old, &wrapped, b"").unwrap();
    other.unwrap(&old, &wrapped, b"").unwrap();
    assert_eq!(keeper.destroy(&old).unwrap(), Destroyed::Now);
    assert_eq!(keeper.destroy(&old).unwrap(), Destroyed::Before);
    let gone = KeeperError::NoSuchKey(old.clone());
    assert_eq!(other.unwrap(&old, &wrapped, b"").unwrap_err(), gone);
    assert_eq!(other.wrap(&key, b"").unwrap().0, new);
    // What one key has wrapped, another does not unwrap.
    assert_eq!(keeper.unwrap(&new, &wrapped, b"").unwrap_err(), KeeperError::Changed);
}

fn the_tenth_key_comes_after_the_ninth(keeper: &dyn KeyKeeper) {
    let number = keeper.current().unwrap().number();
    for _ in 0..10 {
        keeper.rotate().unwrap();
    }
    assert_eq!(keeper.current().unwrap().number(), number + 10);
}
