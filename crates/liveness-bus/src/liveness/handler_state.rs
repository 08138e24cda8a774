//! What the handlers of the six messages share: the store, the users and the settings.

use std::sync::Arc;

use liveness_core::store::Store;
use liveness_core::{CompletionRule, UserDirectory};

/// What the handlers work with. Cloning it is cheap.
#[derive(Clone)]
pub struct Liveness {
    pub(super) store: Store,
    pub(super) users: Arc<dyn UserDirectory>,
    pub(super) settings: Settings,
}

impl std::fmt::Debug for Liveness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Liveness")
            .field("store", &self.store)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Liveness {
    /// Handlers on a store, with users from a directory.
    pub fn new(store: Store, users: Arc<dyn UserDirectory>, settings: Settings) -> Self {
        Self { store, users, settings }
    }
}

/// What an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Most bytes of an image, decoded.
    pub max_image_bytes: usize,
    /// The rule of CheckLivenessStatusQuery.
    pub status_rule: CompletionRule,
}

impl Default for Settings {
    /// 5 MiB, any successful record.
    fn default() -> Self {
        Self {
            max_image_bytes: 5 * 1024 * 1024,
            status_rule: CompletionRule::AnySuccessful,
        }
    }
}
