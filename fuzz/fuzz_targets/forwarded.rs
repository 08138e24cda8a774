//! The client's address behind trusted proxies. The input is the name of the header in the first line, and what a client
//! puts into the header in the lines after it.

#![no_main]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use liveness_http::{ForwardedHeader, TrustedProxies};

/// The network of the proxies.
static PROXIES: LazyLock<TrustedProxies> = LazyLock::new(|| "10.0.0.0/8, fd00::/8".parse().unwrap());
const PROXY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 4000);
/// Where the client's connection to the first proxy comes from.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
const STRANGER: SocketAddr = SocketAddr::new(CLIENT, 4000);

fn client(peer: SocketAddr, header: &str, lines: &[Vec<u8>]) -> Option<IpAddr> {
    let name = HeaderName::from_bytes(header.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(name.clone(), HeaderValue::from_bytes(line).ok()?);
    }
    PROXIES.client_address(peer, &headers, &header.parse::<ForwardedHeader>().unwrap())
}

/// Whether the header has the address as a text somewhere.
fn is_in(address: IpAddr, lines: &[Vec<u8>]) -> bool {
    let is_it = |text: &str| {
        let parsed = text
            .parse()
            .or_else(|_| text.parse::<SocketAddr>().map(|node| node.ip()));
        parsed.is_ok_and(|parsed: IpAddr| parsed.to_canonical() == address)
    };
    lines.iter().map(|line| String::from_utf8_lossy(line)).any(|line| {
        let mut parts = line.split([',', ';', '=', '"', ' ', '\t']);
        parts.any(|part| is_it(part) || is_it(part.trim_matches(['[', ']'])))
    })
}

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
    let is_forwarded = lines.next().is_some_and(|name| name == b"forwarded");
    let header = if is_forwarded { "forwarded" } else { "x-forwarded-for" };
    let sent: Vec<_> = lines.collect();
    let Some(found) = client(PROXY, header, &sent) else {
        return;
    };
    assert!(found == PROXY.ip() || is_in(found, &sent), "{found}");
    assert_eq!(client(STRANGER, header, &sent), Some(CLIENT));

    // What the proxies say of the client counts, whatever the client has sent before it.
    let hop = if is_forwarded { "for=" } else { "" };
    let hops = [
        format!("{hop}{CLIENT}"),
        format!("{hop}{CLIENT}, {hop}10.0.0.2"),
        format!("{hop}\"{CLIENT}:1234\" , {hop}\"[fd00::1]\""),
    ];
    let proxies = &hops[input.len() % hops.len()];
    let mut in_a_line_of_its_own = sent.clone();
    in_a_line_of_its_own.push(proxies.clone().into_bytes());
    assert_eq!(client(PROXY, header, &in_a_line_of_its_own), Some(CLIENT));

    let mut in_the_same_line = sent.clone();
    let Some(last) = in_the_same_line.last_mut().filter(|line| !line.is_empty()) else {
        return;
    };
    // An open quote may swallow what is added. Then nobody is believed.
    let is_unclear = is_forwarded && last.iter().any(|byte| matches!(byte, b'"' | b'\\'));
    last.extend([b", ", proxies.as_bytes()].concat());
    let found = client(PROXY, header, &in_the_same_line);
    assert!(
        found == Some(CLIENT) || is_unclear && found == Some(PROXY.ip()),
        "{found:?}"
    );
});
