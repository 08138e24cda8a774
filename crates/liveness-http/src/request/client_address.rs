//! The address of the client behind trusted proxies: `docs/api.md#client-address`.

mod forwarded_header;

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

pub use self::forwarded_header::ForwardedHeader;

/// The networks of proxies whose forwarded addresses are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = String;

    /// Reads networks and addresses with commas between them: `10.0.0.0/8, ::1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let networks = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                let network = part
                    .parse::<IpNet>()
                    .or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
                network.map_err(|_| format!("{part:?} is neither a network such as 10.0.0.0/8 nor an address"))
            });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address. It is the peer's, unless the peer is a trusted proxy. Then it is the rightmost forwarded
    /// address that is not itself trusted.
    ///
    /// A forwarded value that is no address ends the search at the proxy that sent it. Everything to its left may be made up
    /// by the client.
    pub(super) fn client(
        &self,
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
        forwarded: &ForwardedHeader,
    ) -> Option<IpAddr> {
        let mut client = peer?.ip().to_canonical();
        if !self.contains(client) {
            return Some(client);
        }
        for hop in forwarded.hops(headers).into_iter().rev() {
            let Some(address) = hop else { break };
            client = address;
            if !self.contains(client) {
                break;
            }
        }
        Some(client)
    }
}

#[cfg(fuzzing)]
impl TrustedProxies {
    /// The client's address, for `fuzz/`.
    #[doc(hidden)]
    pub fn client_address(&self, peer: SocketAddr, headers: &HeaderMap, forwarded: &ForwardedHeader) -> Option<IpAddr> {
        self.client(Some(peer), headers, forwarded)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    /// The client's address, as the header named `forwarded` gives it.
    fn client(trusted: &str, peer: &str, forwarded: &str, headers: &[(&'static str, &'static str)]) -> String {
        let trusted: TrustedProxies = trusted.parse().unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let client = trusted.client(peer.parse().ok(), &map, &forwarded.parse().unwrap());
        client.unwrap().to_string()
    }

    #[test]
    fn a_header_that_every_client_writes_names_no_client() {
        for name in [
            "authorization",
            "Host",
            "cookie",
            "User-Agent",
            "origin",
            "referer",
            "content-type",
            "accept-language",
            "x-request-id",
            "Idempotency-Key",
            "prefer",
            "x-device-platform",
            "sec-fetch-site",
            "via",
        ] {
            let told = name.parse::<ForwardedHeader>().unwrap_err();
            assert!(
                told.starts_with(&name.to_ascii_lowercase()) && told.contains("x-forwarded-for"),
                "{told}"
            );
        }
        for name in [
            "x-forwarded-for",
            "Forwarded",
            "x-real-ip",
            "CF-Connecting-IP",
            "true-client-ip",
            "fastly-client-ip",
            "x-client-ip",
            "x-azure-clientip",
            "x-envoy-external-address",
        ] {
            assert!(name.parse::<ForwardedHeader>().is_ok(), "{name}");
        }
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        let forged = [("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=1.2.3.4")];
        for header in ["x-forwarded-for", "forwarded"] {
            for trusted in ["", "10.0.0.0/8"] {
                assert_eq!(client(trusted, "41.58.12.100:4000", header, &forged), "41.58.12.100");
            }
        }
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted_is_the_client() {
        let cases: [(&[&'static str], &str); 6] = [
            (&[], "10.0.0.1"),
            (&["41.58.12.100"], "41.58.12.100"),
            (&["1.1.1.1, 41.58.12.100, 10.0.0.2"], "41.58.12.100"),
            (&["1.1.1.1", "41.58.12.100:55,10.9.9.9"], "41.58.12.100"),
            (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (&["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ];
        for (values, expected) in cases {
            for header in ["x-forwarded-for", "x-real-ip", "cf-connecting-ip"] {
                let headers: Vec<_> = values.iter().map(|value| (header, *value)).collect();
                assert_eq!(
                    client("10.0.0.0/8", "10.0.0.1:4000", header, &headers),
                    expected,
                    "{headers:?}"
                );
            }
        }
        let forwarded = [
            ("for=1.1.1.1, for=41.58.12.100;proto=https", "41.58.12.100"),
            ("by=x; For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=1.1.1.1, for=\"_a,b\", for=10.0.0.2", "10.0.0.2"),
        ];
        for (line, expected) in forwarded {
            assert_eq!(
                client("10.0.0.0/8", "10.0.0.1:4000", "Forwarded", &[("forwarded", line)]),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn no_other_header_is_read() {
        let sent = [
            ("x-forwarded-for", "1.1.1.1"),
            ("forwarded", "for=2.2.2.2"),
            ("x-real-ip", "3.3.3.3"),
        ];
        let client = |header: &str| client("10.0.0.1", "10.0.0.1:4000", header, &sent);
        assert_eq!(client("x-forwarded-for"), "1.1.1.1");
        assert_eq!(client("FORWARDED"), "2.2.2.2");
        assert_eq!(client("X-Real-IP"), "3.3.3.3");
        assert_eq!(client("cf-connecting-ip"), "10.0.0.1");
    }

    #[test]
    fn a_quote_left_open_hides_nobody_behind_an_address_of_their_choice() {
        for line in [
            "for=6.6.6.6;x=\", for=41.58.12.100",
            "for=6.6.6.6;x=\"\\\", for=41.58.12.100\"",
        ] {
            let told = client("10.0.0.0/8", "10.0.0.1:4000", "forwarded", &[("forwarded", line)]);
            assert_eq!(told, "10.0.0.1", "{line}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_hide_nobody() {
        let trusted: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        let cases: [(&str, &[u8], &str); 6] = [
            ("x-forwarded-for", b"\xFF, 41.58.12.100", "41.58.12.100"),
            (
                "x-forwarded-for",
                b"1.1.1.1\x80, 41.58.12.100, 10.0.0.2",
                "41.58.12.100",
            ),
            ("x-forwarded-for", b"1.1.1.1, 41.58.12.100\xFF", "10.0.0.1"),
            // White space of Unicode is none of HTTP.
            ("x-forwarded-for", "1.1.1.1, 41.58.12.100\u{a0}".as_bytes(), "10.0.0.1"),
            ("forwarded", b"for=1.1.1.1;x=\"\xE4\", for=41.58.12.100", "41.58.12.100"),
            ("forwarded", b"\xFF, for=41.58.12.100", "41.58.12.100"),
        ];
        for (header, value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.append(HeaderName::from_static(header), HeaderValue::from_bytes(value).unwrap());
            let told = trusted.client("10.0.0.1:4000".parse().ok(), &headers, &header.parse().unwrap());
            assert_eq!(
                told.unwrap().to_string(),
                expected,
                "{header}: {}",
                value.escape_ascii()
            );
        }
    }

    #[test]
    fn an_ipv4_peer_on_an_ipv6_socket_is_an_ipv4_peer() {
        let headers = [("x-forwarded-for", "::ffff:1.2.3.4")];
        let told = client("10.0.0.1", "[::ffff:10.0.0.1]:80", "x-forwarded-for", &headers);
        assert_eq!(told, "1.2.3.4");
    }

    #[test]
    fn a_header_has_one_name() {
        for bad in ["", "x-forwarded-for, forwarded", "x real ip", "forwarded:"] {
            assert!(bad.parse::<ForwardedHeader>().is_err(), "{bad}");
        }
    }

    #[test]
    fn bad_networks_are_named() {
        assert_eq!(
            "10.0.0.0/8, proxy".parse::<TrustedProxies>(),
            Err("\"proxy\" is neither a network such as 10.0.0.0/8 nor an address".to_owned())
        );
    }
}
