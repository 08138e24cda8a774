//! Who gets events: a name, and the types that it is for.

use super::is_name;
use crate::Violation;

/// The longest name, in bytes. A job of the subscription has the name in its kind.
const LONGEST_NAME: usize = 48;

/// A subscription to events: a name that stays the same over restarts and on all nodes, and which types it gets.
///
/// ```
/// use liveness_core::events::{EventSubscription, USER_PASSED};
///
/// let onboarding = EventSubscription::new("onboarding", [USER_PASSED])?;
/// assert!(onboarding.wants(USER_PASSED) && !onboarding.wants("bank.card.frozen"));
/// assert!(EventSubscription::to_all("audit-copy")?.wants("bank.card.frozen"));
/// # Ok::<(), liveness_core::Violation>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSubscription {
    name: String,
    /// With a space between. Empty: all.
    types: String,
}

impl EventSubscription {
    /// A subscription to events of these types.
    ///
    /// # Errors
    ///
    /// A [`Violation`] if the name is not 1 to 48 of `a-z`, `0-9`, `.`, `_` and `-`, there is no type, or one of the types cannot
    /// be that of an event.
    pub fn new<'t>(name: &str, types: impl IntoIterator<Item = &'t str>) -> Result<Self, Violation> {
        let types: Vec<_> = types.into_iter().collect();
        if types.is_empty() || !types.iter().all(|event_type| is_name(event_type, 64)) {
            let rule = "the types of a subscription must be types of events, and at least one";
            return Err(Violation::new("format", rule));
        }
        Ok(Self {
            types: types.join(" "),
            ..Self::to_all(name)?
        })
    }

    /// A subscription to all events.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn to_all(name: &str) -> Result<Self, Violation> {
        if !is_name(name, LONGEST_NAME) {
            let rule = "the name of a subscription must be 1 to 48 of a-z, 0-9, '.', '_' and '-'";
            return Err(Violation::new("format", rule));
        }
        Ok(Self {
            name: name.to_owned(),
            types: String::new(),
        })
    }

    /// A subscription as the database has it.
    #[cfg(feature = "store")]
    pub(crate) fn stored(name: String, types: String) -> Self {
        Self { name, types }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The types, with a space between. Empty: all.
    #[cfg(feature = "store")]
    pub(crate) fn types(&self) -> &str {
        &self.types
    }

    /// Whether it gets events of this type.
    pub fn wants(&self, event_type: &str) -> bool {
        self.types.is_empty() || self.types.split(' ').any(|wanted| wanted == event_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_has_a_short_name_and_types() {
        for bad in ["", "Upper", "a b", "x".repeat(49).as_str()] {
            assert!(EventSubscription::to_all(bad).is_err(), "{bad}");
        }
        assert!(EventSubscription::to_all(&"x".repeat(48)).is_ok());
        assert!(EventSubscription::new("a", []).is_err());
        assert!(EventSubscription::new("a", ["one two"]).is_err());
        let two = EventSubscription::new("a", ["one", "two"]).unwrap();
        assert_eq!(
            ["one", "two", "on", ""].map(|event_type| two.wants(event_type)),
            [true, true, false, false]
        );
    }
}
