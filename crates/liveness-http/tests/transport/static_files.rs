//! The files of the pages, compressed for those who take that.

use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::engine::Engine;
use crate::server::Server;
use crate::wire::Wire;

const FILES: [&str; 7] = [
    "/admin",
    "/admin/main.js",
    "/admin/style.css",
    "/docs",
    "/docs/swagger-ui.css",
    "/docs/swagger-ui-bundle.js",
    "/privacy/style.css",
];

/// The encoding of a file for a client that sends these headers, what it varies by, and its bytes.
fn got(server: &Server, path: &str, headers: &str) -> (Option<String>, String, Vec<u8>) {
    let mut wire = Wire::to(server);
    wire.send(format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n"
    ));
    let (status, headers) = wire.head();
    assert_eq!(status, 200, "{path}");
    let body = wire.rest();
    assert_eq!(headers["content-length"], body.len().to_string(), "{path}");
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    (text("content-encoding"), text("vary").unwrap_or_default(), body)
}

#[test]
fn a_file_is_compressed_for_who_takes_that_and_the_same_for_who_does_not() {
    let server = Server::start(Engine::Sqlite);
    for path in FILES {
        let (encoding, vary, plain) = got(&server, path, "");
        assert_eq!((encoding, vary.as_str()), (None, "accept-encoding"), "{path}");
        let (encoding, vary, gzip) = got(&server, path, "Accept-Encoding: gzip, deflate, br\r\n");
        assert_eq!(
            (encoding.as_deref(), vary.as_str()),
            (Some("gzip"), "accept-encoding"),
            "{path}"
        );
        assert!(gzip.len() < plain.len(), "{path}");
        let mut unpacked = Vec::new();
        GzDecoder::new(&*gzip).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == plain, "{path}");
    }
}

#[test]
fn a_client_has_its_choice() {
    let server = Server::start(Engine::Sqlite);
    for (accepted, expected) in [
        ("gzip", Some("gzip")),
        ("GZIP", Some("gzip")),
        ("br;q=1, gzip;q=0.5", Some("gzip")),
        ("*", None),
        ("br", None),
        ("", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("identity;q=1, gzip;q=0.1", None),
        ("*;q=0", None),
        ("nonsense;;q=x", None),
    ] {
        let (encoding, ..) = got(&server, "/admin/main.js", &format!("Accept-Encoding: {accepted}\r\n"));
        assert_eq!(encoding.as_deref(), expected, "{accepted}");
    }
}
