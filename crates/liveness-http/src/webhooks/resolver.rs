//! Finds the addresses of a receiver, and gives only those that webhooks may be sent to. The client dials nothing else: so a name
//! that has another address a moment later leads nowhere else.

use std::fmt;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::addresses::AddressRule;

/// The name of the receiver has addresses, and none that webhooks may be sent to.
#[derive(Debug)]
pub(super) struct RefusedAddress;

impl fmt::Display for RefusedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "its name has no public address: if it is meant to be in a network of yours, name that in LIVENESS_WEBHOOK_NETWORKS",
        )
    }
}

impl std::error::Error for RefusedAddress {}

/// Another resolver, of whose addresses it gives those that a rule permits.
#[derive(Debug)]
pub(super) struct CheckedResolver<R> {
    inner: R,
    rule: AddressRule,
}

impl<R: Resolver> CheckedResolver<R> {
    pub(super) fn new(inner: R, rule: AddressRule) -> Self {
        Self { inner, rule }
    }
}

impl<R: Resolver> Resolver for CheckedResolver<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut permitted = self.empty();
        for address in found.iter().filter(|address| self.rule.permits(address.ip())) {
            permitted.push(*address);
        }
        if permitted.is_empty() {
            return Err(Error::Other(Box::new(RefusedAddress)));
        }
        Ok(permitted)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Mutex;
    use std::time::Duration;

    use ureq::unversioned::resolver::DefaultResolver;
    use ureq::unversioned::transport::DefaultConnector;

    use super::*;
    use crate::webhooks::addresses::WebhookNetworks;

    /// A name server whose answer changes with each question.
    #[derive(Debug)]
    struct Changing(Mutex<Vec<Vec<SocketAddr>>>);

    impl Resolver for Changing {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
            let mut answer = self.empty();
            for address in self.0.lock().unwrap().pop().unwrap() {
                answer.push(address);
            }
            Ok(answer)
        }
    }

    /// Posts to a URL through a resolver, and tells why that failed.
    fn failure(url: &str, resolver: impl Resolver) -> Error {
        let config = Config::builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .proxy(None)
            .build();
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
        agent.post(url).send("x").unwrap_err()
    }

    fn is_refused(error: &Error) -> bool {
        matches!(error, Error::Other(why) if why.is::<RefusedAddress>())
    }

    fn rule(networks: &str) -> AddressRule {
        AddressRule::of("hooks.example", &networks.parse::<WebhookNetworks>().unwrap())
    }

    #[test]
    fn an_address_that_changes_after_it_was_checked_is_not_dialled() {
        let inside = TcpListener::bind("127.0.0.1:0").unwrap();
        inside.set_nonblocking(true).unwrap();
        let port = inside.local_addr().unwrap().port();
        let here = SocketAddr::from(([127, 0, 0, 1], port));
        // The last answer is the first: a public address and one of this machine, then this machine alone.
        let answers = vec![vec![here], vec![here, SocketAddr::from(([192, 0, 2, 1], port))]];
        let resolver = CheckedResolver::new(Changing(Mutex::new(answers)), rule("192.0.2.1"));
        let config = Config::builder()
            .timeout_global(Some(Duration::from_millis(300)))
            .proxy(None)
            .build();
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);

        let url = format!("http://hooks.example:{port}/");
        let first = agent.post(&url).send("x").unwrap_err();
        let second = agent.post(&url).send("x").unwrap_err();

        assert!(!is_refused(&first) && is_refused(&second), "{first} {second}");
        assert!(inside.accept().is_err(), "somebody dialled it");
    }

    #[test]
    fn numbers_that_stand_for_an_address_are_refused_like_it() {
        // The resolver of the system takes each for 127.0.0.1.
        for url in [
            "http://2130706433:9/",
            "http://0x7f.1:9/",
            "http://127.1:9/",
            "http://017700000001:9/",
            "http://127.0.0.1:9/",
            "http://[::1]:9/",
            "http://[::ffff:127.0.0.1]:9/",
            "http://localhost:9/",
            "http://0.0.0.0:9/",
        ] {
            let resolver = CheckedResolver::new(DefaultResolver::default(), rule(""));
            let error = failure(url, resolver);
            assert!(is_refused(&error), "{url}: {error}");
        }
    }
}
