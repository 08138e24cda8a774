//! Which addresses webhooks may be sent to: those of the public internet, and those of networks that an operator has named.
//!
//! The others are special-purpose addresses (RFC 6890), and IPv6 addresses that lead to an IPv4 address: 6to4, Teredo, NAT64.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::http_client;

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// The networks of IPv4 that are not public.
const NOT_PUBLIC_V4: [Ipv4Net; 15] = [
    // This machine, private networks, carriers' networks (CGNAT), loopback, link-local.
    v4(0, 0, 0, 8),
    v4(10, 0, 0, 8),
    v4(100, 64, 0, 10),
    v4(127, 0, 0, 8),
    v4(169, 254, 0, 16),
    v4(172, 16, 0, 12),
    v4(192, 168, 0, 16),
    // Protocols, documentation, 6to4 relays, benchmarks.
    v4(192, 0, 0, 24),
    v4(192, 0, 2, 24),
    v4(192, 88, 99, 24),
    v4(198, 18, 0, 15),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    // Multicast, reserved and broadcast.
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
];

/// All of IPv6 that is public is in here. Outside are loopback, unique local, link-local, multicast, IPv4-mapped addresses and NAT64.
const GLOBAL_UNICAST_V6: Ipv6Net = v6(0x2000, 0, 3);

/// The networks in it that are not public.
const NOT_PUBLIC_V6: [Ipv6Net; 4] = [
    // Protocols, among them Teredo, which leads to an IPv4 address.
    v6(0x2001, 0, 23),
    // 6to4, which leads to one as well.
    v6(0x2002, 0, 16),
    // Documentation.
    v6(0x2001, 0x0db8, 32),
    v6(0x3fff, 0, 20),
];

/// Whether an address is of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_UNICAST_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address))
        }
    }
}

/// Networks that webhooks may be sent to besides the public internet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookNetworks(Vec<IpNet>);

impl FromStr for WebhookNetworks {
    type Err = String;

    /// Reads networks and addresses with commas between them: `10.0.0.0/8, fd00::1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(|part| {
            let network = part
                .parse::<IpNet>()
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| format!("{part:?} is neither a network such as 10.0.0.0/8 nor an address"))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

/// Which addresses the host of a URL may have.
#[derive(Debug, Clone)]
pub(super) enum AddressRule {
    /// Those of this machine: the URL names it.
    Loopback,
    /// Those of the public internet and of these networks.
    PublicOr(WebhookNetworks),
}

impl AddressRule {
    /// The rule for a URL's host.
    pub(super) fn of(host: &str, networks: &WebhookNetworks) -> Self {
        if http_client::is_loopback(host) {
            Self::Loopback
        } else {
            Self::PublicOr(networks.clone())
        }
    }

    pub(super) fn permits(&self, address: IpAddr) -> bool {
        match self {
            Self::Loopback => address.is_loopback(),
            Self::PublicOr(networks) => {
                is_public(address) || networks.0.iter().any(|network| network.contains(&address))
            }
        }
    }
}

/// The address that stands in a URL in place of a name, if one does.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(rule: &AddressRule, address: &str) -> bool {
        rule.permits(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_permitted_and_no_others() {
        let rule = AddressRule::of("hooks.example", &WebhookNetworks::default());
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2a00:1450::1",
            "3fff:1000::1",
        ];
        for address in public {
            assert!(permits(&rule, address), "{address}");
        }
        let others = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            // The same as 127.0.0.1 and 10.0.0.1, in the forms that embed IPv4.
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::10.0.0.1",
            "2002:7f00:1::1",
            "2001::7f00:1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:10::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in others {
            assert!(!permits(&rule, address), "{address}");
        }
    }

    #[test]
    fn networks_that_are_named_are_permitted_too() {
        let networks: WebhookNetworks = "10.1.0.0/16, fd00::/8 ,192.168.7.7".parse().unwrap();
        let rule = AddressRule::of("hooks.example", &networks);
        for (address, is_permitted) in [
            ("10.1.2.3", true),
            ("10.2.0.1", false),
            ("fd00::1", true),
            ("192.168.7.7", true),
            ("192.168.7.8", false),
            ("127.0.0.1", false),
            ("::ffff:10.1.2.3", false),
            ("1.1.1.1", true),
        ] {
            assert_eq!(permits(&rule, address), is_permitted, "{address}");
        }
    }

    #[test]
    fn a_url_that_names_this_machine_leads_nowhere_else() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "[::1]", "127.9.9.9"] {
            let rule = AddressRule::of(host, &WebhookNetworks::default());
            assert!(permits(&rule, "127.0.0.1") && permits(&rule, "::1"), "{host}");
            assert!(!permits(&rule, "1.1.1.1") && !permits(&rule, "10.0.0.1"), "{host}");
        }
    }

    #[test]
    fn what_is_no_network_is_told() {
        for text in ["10.0.0.0/33", "example.com", "10.0.0", "::/129", "fe80::1%eth0"] {
            let told = text.parse::<WebhookNetworks>().unwrap_err();
            assert!(
                told.ends_with("is neither a network such as 10.0.0.0/8 nor an address"),
                "{told}"
            );
        }
        assert_eq!("".parse(), Ok(WebhookNetworks::default()));
    }
}
