//! Webhooks: events are sent to a receiver by Standard Webhooks 1.0, `docs/api.md#webhooks`.
//!
//! One node at a time delivers, as a durable job. It sends to the receiver that `settings.rs` describes, and to no address that
//! `addresses.rs` does not permit.

mod addresses;
mod answer;
mod delivery;
mod error;
mod receiver;
mod resolver;
mod retry_after;
mod schedule;
mod sender;
mod settings;
mod signing;
mod subscription;

pub use self::addresses::WebhookNetworks;
pub use self::error::WebhookError;
pub use self::settings::WebhookConfig;
pub use self::signing::WebhookSecretError;

pub(crate) use self::delivery::SendWebhooks;
pub(crate) use self::settings::{CREDENTIAL, ConfiguredWebhooks};
pub(crate) use self::subscription::{SUBSCRIPTION, subscription};
