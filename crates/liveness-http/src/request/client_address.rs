//! The address of the client behind trusted proxies: `docs/api.md#client-address`.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

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
    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address. It is the peer's, unless the peer is a trusted proxy. Then it is the rightmost forwarded
    /// address that is not itself trusted.
    ///
    /// A forwarded value that is no address ends the search at the proxy that sent it. Everything to its left may be made up
    /// by the client.
    pub(super) fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let mut client = peer?.ip().to_canonical();
        if !self.contains(client) {
            return Some(client);
        }
        for hop in hops(headers).into_iter().rev() {
            let Some(address) = hop else { break };
            client = address;
            if !self.contains(client) {
                break;
            }
        }
        Some(client)
    }
}

/// The forwarded addresses from the first hop to the last. A value that is no address is `None`.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = |name| headers.get_all(name).map(|value| value.to_str().unwrap_or("?"));
    if headers.contains_key(FORWARDED) {
        return lines(FORWARDED).flat_map(forwarded_hops).collect();
    }
    lines(X_FORWARDED_FOR)
        .flat_map(|line| line.split(','))
        .map(node_address)
        .collect()
}

/// The hops of one line of `Forwarded`.
///
/// A line with an open or escaped quote is not read: the client's quote could swallow what a proxy appended to the line.
fn forwarded_hops(line: &str) -> Vec<Option<IpAddr>> {
    if line.contains('\\') || line.matches('"').count() % 2 == 1 {
        return vec![None];
    }
    split_unquoted(line, ',').into_iter().map(forwarded_for).collect()
}

/// The address in the `for` parameter of one element of `Forwarded` (RFC 7239 section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let parameters = split_unquoted(element, ';')
        .into_iter()
        .filter_map(|pair| pair.split_once('='));
    let mut nodes = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    nodes.next().and_then(|(_, node)| node_address(node))
}

/// An address with or without a port, brackets and quotes (RFC 7239 section 6).
fn node_address(node: &str) -> Option<IpAddr> {
    let node = node.trim().trim_matches('"');
    let bare = node
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(node);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| node.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let mut is_quoted = false;
    let at_separator = |c: char| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    };
    text.split(at_separator).collect()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn client(trusted: &str, peer: &str, headers: &[(HeaderName, &'static str)]) -> String {
        let trusted: TrustedProxies = trusted.parse().unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_static(value));
        }
        trusted.client(peer.parse().ok(), &map).unwrap().to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        let forged = [(X_FORWARDED_FOR, "1.2.3.4"), (FORWARDED, "for=1.2.3.4")];
        assert_eq!(client("", "41.58.12.100:4000", &forged), "41.58.12.100");
        assert_eq!(client("10.0.0.0/8", "41.58.12.100:4000", &forged), "41.58.12.100");
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted_is_the_client() {
        let cases: [(&[(HeaderName, &'static str)], &str); 9] = [
            (&[], "10.0.0.1"),
            (&[(X_FORWARDED_FOR, "41.58.12.100")], "41.58.12.100"),
            (&[(X_FORWARDED_FOR, "1.1.1.1, 41.58.12.100, 10.0.0.2")], "41.58.12.100"),
            (
                &[
                    (X_FORWARDED_FOR, "1.1.1.1"),
                    (X_FORWARDED_FOR, "41.58.12.100:55,10.9.9.9"),
                ],
                "41.58.12.100",
            ),
            (&[(X_FORWARDED_FOR, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            (&[(X_FORWARDED_FOR, "1.1.1.1, unknown, 10.0.0.2")], "10.0.0.2"),
            (
                &[
                    (X_FORWARDED_FOR, "9.9.9.9"),
                    (FORWARDED, "for=1.1.1.1, for=41.58.12.100;proto=https"),
                ],
                "41.58.12.100",
            ),
            (&[(FORWARDED, "by=x; For=\"[2001:db8::1]:4711\"")], "2001:db8::1"),
            (&[(FORWARDED, "for=1.1.1.1, for=\"_a,b\", for=10.0.0.2")], "10.0.0.2"),
        ];
        for (headers, expected) in cases {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1:4000", headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_quote_left_open_hides_nobody_behind_an_address_of_their_choice() {
        for line in [
            "for=6.6.6.6;x=\", for=41.58.12.100",
            "for=6.6.6.6;x=\"\\\", for=41.58.12.100\"",
        ] {
            assert_eq!(
                client("10.0.0.0/8", "10.0.0.1:4000", &[(FORWARDED, line)]),
                "10.0.0.1",
                "{line}"
            );
        }
    }

    #[test]
    fn an_ipv4_peer_on_an_ipv6_socket_is_an_ipv4_peer() {
        assert_eq!(
            client(
                "10.0.0.1",
                "[::ffff:10.0.0.1]:80",
                &[(X_FORWARDED_FOR, "::ffff:1.2.3.4")]
            ),
            "1.2.3.4"
        );
    }

    #[test]
    fn bad_networks_are_named() {
        assert_eq!(
            "10.0.0.0/8, proxy".parse::<TrustedProxies>(),
            Err("\"proxy\" is neither a network such as 10.0.0.0/8 nor an address".to_owned())
        );
    }
}
