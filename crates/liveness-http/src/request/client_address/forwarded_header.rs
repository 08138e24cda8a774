//! The header in which proxies name the client, and the addresses in it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};

use crate::request::quoted::split_unquoted;

/// Headers with another meaning, which clients write themselves and proxies let through.
const OF_THE_CLIENT: [&str; 45] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "expect",
    "from",
    "host",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-app-version",
    "x-device-platform",
    "x-request-id",
];
/// Headers of browsers.
const OF_BROWSERS: [&str; 3] = ["sec-", "access-control-", "x-requested-"];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The one header in which trusted proxies name the client. A client may send any of the others itself, so they are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedHeader(HeaderName);

impl Default for ForwardedHeader {
    /// `X-Forwarded-For`.
    fn default() -> Self {
        Self(X_FORWARDED_FOR)
    }
}

impl FromStr for ForwardedHeader {
    type Err = String;

    /// Reads the name of a header: `forwarded` (RFC 7239), or any other one that holds an address, or a list of them.
    fn from_str(text: &str) -> Result<Self, String> {
        let name = HeaderName::from_str(text.trim()).map_err(|_| {
            "must be the name of one header, such as x-forwarded-for, forwarded or x-real-ip".to_owned()
        })?;
        if OF_THE_CLIENT.contains(&name.as_str()) || OF_BROWSERS.iter().any(|begin| name.as_str().starts_with(begin)) {
            return Err(format!(
                "{name} is written by every client, and names none; name the header that the proxy writes, such as \
                 x-forwarded-for, forwarded or x-real-ip"
            ));
        }
        Ok(Self(name))
    }
}

impl fmt::Display for ForwardedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl ForwardedHeader {
    /// The forwarded addresses from the first hop to the last. A value that is no address is `None`.
    pub(super) fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        // Bytes that are no text spoil the hop that they stand in, and not those that proxies have added to the line.
        let lines: Vec<_> = headers
            .get_all(&self.0)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let lines = lines.iter().map(AsRef::as_ref);
        if self.0 == FORWARDED {
            return lines.flat_map(forwarded_hops).collect();
        }
        lines.flat_map(|line: &str| line.split(',')).map(node_address).collect()
    }
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
    let mut nodes = parameters.filter(|(name, _)| name.trim_ascii().eq_ignore_ascii_case("for"));
    nodes.next().and_then(|(_, node)| node_address(node))
}

/// An address with or without a port, brackets and quotes (RFC 7239 section 6).
fn node_address(node: &str) -> Option<IpAddr> {
    let node = node.trim_ascii().trim_matches('"');
    let bare = node
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(node);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| node.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}
