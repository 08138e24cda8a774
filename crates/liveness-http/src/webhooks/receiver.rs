//! Who receives webhooks: the settings in a form that is right, once they were read.

use std::net::ToSocketAddrs as _;
use std::sync::{Arc, PoisonError, RwLock};

use liveness_core::Timestamp;
use ureq::http::Uri;

use super::addresses::{AddressRule, WebhookNetworks, literal};
use super::error::WebhookError;
use super::resolver::RefusedAddress;
use super::signing::SigningKeys;

/// The receiver of all events, and what they are signed with. Cloning it is cheap: all clones sign with the same keys.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    url: Uri,
    rule: AddressRule,
    proxy: Option<ureq::Proxy>,
    keys: Arc<RwLock<SigningKeys>>,
}

impl Receiver {
    /// # Errors
    ///
    /// When the URL names an address itself that webhooks may not be sent to.
    pub(super) fn new(
        url: Uri,
        networks: &WebhookNetworks,
        proxy: Option<ureq::Proxy>,
        keys: SigningKeys,
    ) -> Result<Self, WebhookError> {
        let host = url.host().unwrap_or_default();
        let rule = AddressRule::of(host, networks);
        if literal(host).is_some_and(|address| !rule.permits(address)) {
            return Err(WebhookError::Address);
        }
        // Nobody else reaches what is on this machine.
        let proxy = proxy.filter(|_| !matches!(rule, AddressRule::Loopback));
        Ok(Self {
            url,
            rule,
            proxy,
            keys: Arc::new(RwLock::new(keys)),
        })
    }

    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    pub(super) fn rule(&self) -> AddressRule {
        self.rule.clone()
    }

    pub(super) fn proxy(&self) -> Option<ureq::Proxy> {
        self.proxy.clone()
    }

    /// Scheme, host and port: the rest of the URL may hold a secret.
    pub(crate) fn origin(&self) -> String {
        let [scheme, authority] = [
            self.url.scheme_str(),
            self.url.authority().map(ureq::http::uri::Authority::as_str),
        ]
        .map(Option::unwrap_or_default);
        format!("{scheme}://{authority}")
    }

    /// Whether a proxy dials.
    pub(crate) fn is_proxied(&self) -> bool {
        self.proxy.is_some()
    }

    /// Asks for the addresses of the receiver, of which one must be permitted. Blocks.
    ///
    /// # Errors
    ///
    /// One line that says why nothing can be sent there.
    pub(crate) fn probe(&self) -> Result<(), String> {
        let default_port = if self.url.scheme_str() == Some("http") { 80 } else { 443 };
        let host = self.url.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = (host, self.url.port_u16().unwrap_or(default_port)).to_socket_addrs();
        let mut found = found.map_err(|error| format!("its name has no address: {error}"))?;
        let is_permitted = found.any(|address| self.rule.permits(address.ip()));
        is_permitted.then_some(()).ok_or_else(|| RefusedAddress.to_string())
    }

    /// Signs with other keys from now on.
    pub(super) fn replace_keys(&self, keys: SigningKeys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        keys.sign(id, at, body)
    }
}
