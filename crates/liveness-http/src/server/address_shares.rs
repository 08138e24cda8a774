//! A share of the connections for each address, so that one address cannot take them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::request::TrustedProxies;

/// One address may have one in this many of all connections.
const SHARES: usize = 4;
/// But at least so many: a browser has several.
const MIN_SHARE: usize = 16;

/// The open connections of each address. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(super) struct AddressShares(Arc<Shares>);

#[derive(Debug)]
struct Shares {
    each: usize,
    /// They have no bound: the connections of many clients come from them.
    proxies: TrustedProxies,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that is within its address's share, until this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionPlace {
    shares: AddressShares,
    address: IpAddr,
}

impl AddressShares {
    pub(super) fn new(connections: usize, proxies: TrustedProxies) -> Self {
        Self(Arc::new(Shares {
            each: (connections / SHARES).max(MIN_SHARE),
            proxies,
            open: Mutex::default(),
        }))
    }

    /// A place for one more connection of the address. `Ok(None)` is one that needs none.
    ///
    /// # Errors
    ///
    /// [`ShareTaken`], when the address has all that it may have.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Option<ConnectionPlace>, ShareTaken> {
        let address = address.to_canonical();
        if self.0.proxies.contains(address) {
            return Ok(None);
        }
        let address = subscriber(address);
        let mut open = self.open();
        let count = open.entry(address).or_default();
        if *count >= self.0.each {
            return Err(ShareTaken);
        }
        *count += 1;
        Ok(Some(ConnectionPlace {
            shares: self.clone(),
            address,
        }))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Nothing panics while the lock is held.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address has all the connections that it may have.
#[derive(Debug, thiserror::Error)]
#[error("the address has its share of the connections")]
pub(super) struct ShareTaken;

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut open = self.shares.open();
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// The address, or for IPv6 its network of 64 bits: that is what one subscriber has.
fn subscriber(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(connections: usize) -> AddressShares {
        AddressShares::new(connections, "10.0.0.0/8, ::1".parse().unwrap())
    }

    #[test]
    fn an_address_has_a_quarter_until_it_gives_back_and_others_have_theirs() {
        let shares = shares(80);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut held: Vec<_> = (0..20).map(|_| shares.admit(address("192.0.2.1")).unwrap()).collect();
        for same in ["192.0.2.1", "::ffff:192.0.2.1"] {
            assert!(shares.admit(address(same)).is_err(), "{same}");
        }
        assert!(shares.admit(address("192.0.2.2")).is_ok());
        held.pop();
        assert!(shares.admit(address("192.0.2.1")).is_ok());
        drop(held);
        assert!(shares.open().is_empty());
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_address() {
        let shares = shares(0);
        let held: Vec<_> = (0..16_u32)
            .map(|number| shares.admit(format!("2001:db8::{number:x}").parse().unwrap()).unwrap())
            .collect();
        assert!(shares.admit("2001:db8::ffff:1".parse().unwrap()).is_err());
        assert!(shares.admit("2001:db8:0:1::1".parse().unwrap()).is_ok());
        drop(held);
    }

    #[test]
    fn a_trusted_proxy_has_as_many_as_there_are() {
        let shares = shares(0);
        for proxy in ["10.1.2.3", "::ffff:10.1.2.3", "::1"] {
            let places: Vec<_> = (0..100).map(|_| shares.admit(proxy.parse().unwrap())).collect();
            assert!(places.iter().all(|place| matches!(place, Ok(None))), "{proxy}");
        }
    }
}
