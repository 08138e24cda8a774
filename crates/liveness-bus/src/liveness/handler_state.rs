//! What the handlers of the messages share: the store, the users, the settings and the signer of receipts.

use std::sync::Arc;

use liveness_core::policy::Policy;
use liveness_core::store::Store;
use liveness_core::trail::TrailSigner;
use liveness_core::{CompletionRule, UserDirectory};

/// The handlers of the messages, and what they share. It is cheap to clone.
#[derive(Clone)]
pub struct Liveness {
    pub(super) store: Store,
    pub(super) users: Arc<dyn UserDirectory>,
    pub(super) settings: Settings,
    pub(super) signer: Option<Arc<dyn TrailSigner>>,
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
    /// Handlers that record in `store` and look up users in `users`.
    pub fn new(store: Store, users: Arc<dyn UserDirectory>, settings: Settings) -> Self {
        Self {
            store,
            users,
            settings,
            signer: None,
        }
    }

    /// Has receipts signed by the signer of the log of the audit trail, such as a
    /// [`TrailKey`](liveness_core::trail::TrailKey). Without it, GetReceiptQuery finds none.
    ///
    /// Somebody has to [keep the trail](liveness_core::store::Trail::keep) with this signer, here or in another process.
    #[must_use]
    pub fn with_trail_signer(mut self, signer: Arc<dyn TrailSigner>) -> Self {
        self.signer = Some(signer);
        self
    }
}

/// What an operator can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The largest number of bytes of an image, after decoding Base64.
    pub max_image_bytes: usize,
    /// The rule by which CheckLivenessStatusQuery decides.
    pub status_rule: CompletionRule,
    /// Whether a query that shows a face must say for what purpose.
    pub requires_purpose: bool,
    /// The most looks at faces of one principal in 24 hours. `None` is as many as they like.
    pub faces_a_day: Option<u32>,
}

impl Settings {
    /// The default, with what a policy says of these messages.
    ///
    /// ```
    /// use liveness_bus::liveness::Settings;
    /// use liveness_core::policy::Policy;
    ///
    /// let policy = Policy::parse("base = \"record\"\n[looks]\npurpose = true\n")?;
    /// assert!(Settings::under(&policy).requires_purpose);
    /// # Ok::<(), liveness_core::policy::PolicyMistakes>(())
    /// ```
    pub fn under(policy: &Policy) -> Self {
        Self {
            requires_purpose: policy.looks().purpose,
            faces_a_day: policy.looks().faces_a_day,
            ..Self::default()
        }
    }
}

impl Default for Settings {
    /// 5 MiB, any successful record, no purpose required, and as many looks at faces as one likes: the policy `record`.
    fn default() -> Self {
        Self {
            max_image_bytes: 5 * 1024 * 1024,
            status_rule: CompletionRule::AnySuccessful,
            requires_purpose: false,
            faces_a_day: None,
        }
    }
}
