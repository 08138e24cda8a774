//! HTTPS by the host itself, with certificates made for one test.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, SupportedProtocolVersion};
use serde_json::json;
use tempfile::TempDir;

use crate::engine::Engine;
use crate::server::{FACE, Server, admin, customer};
use crate::tls_identity::Identity;
use crate::wire::{DETAILS, STATUS, UPDATE, Wire, bearer, head, wait_until};

/// The files that a server reads its certificate from.
struct Files(TempDir);

impl Files {
    fn of(identity: &Identity) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write(identity);
        files
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    fn write(&self, identity: &Identity) {
        std::fs::write(self.certificate(), &identity.certificate_pem).unwrap();
        std::fs::write(self.key(), &identity.key_pem).unwrap();
    }

    fn server(&self) -> Server {
        self.server_with(&[])
    }

    fn server_with(&self, settings: &[(&str, &str)]) -> Server {
        let (certificate, key) = (self.certificate(), self.key());
        let tls = [
            ("LIVENESS_TLS_CERT_FILE", certificate.to_str().unwrap()),
            ("LIVENESS_TLS_KEY_FILE", key.to_str().unwrap()),
            ("LIVENESS_SHUTDOWN_GRACE", "8s"),
        ];
        Server::with(Engine::Sqlite, &[&tls, settings].concat())
    }
}

fn start() -> (Server, Identity, Files) {
    let identity = Identity::of("127.0.0.1");
    let files = Files::of(&identity);
    (files.server(), identity, files)
}

type TlsWire = StreamOwned<ClientConnection, TcpStream>;

/// A connection that trusts these certificates, with its handshake done.
fn try_connect(
    server: &Server,
    trusted: &[&Identity],
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsWire> {
    let mut roots = RootCertStore::empty();
    for identity in trusted {
        roots.add(identity.certificate.clone()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut wire = StreamOwned::new(connection, server.connect());
    wire.flush()?;
    while wire.conn.is_handshaking() {
        wire.conn.complete_io(&mut wire.sock)?;
    }
    Ok(wire)
}

fn connect(server: &Server, trusted: &Identity) -> TlsWire {
    try_connect(server, &[trusted], &[&TLS13, &TLS12]).unwrap()
}

/// Sends bytes, and gives back all that comes until the connection is closed.
fn exchange(mut wire: TlsWire, bytes: &str) -> String {
    wire.write_all(bytes.as_bytes()).unwrap();
    rest(wire)
}

fn rest(mut wire: TlsWire) -> String {
    let mut text = Vec::new();
    match wire.read_to_end(&mut text) {
        // Who is cut off is not told good-bye.
        Err(error) if ![ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset].contains(&error.kind()) => {
            panic!("it is not closed: {error}")
        }
        _ => String::from_utf8(text).unwrap(),
    }
}

fn status_request() -> String {
    let authorization = bearer(&customer(1));
    let headers = [("Authorization", authorization.as_str()), ("Connection", "close")];
    head(STATUS, &headers)
}

/// The certificate that a new connection is shown.
fn shown(server: &Server, trusted: &[&Identity]) -> CertificateDer<'static> {
    let wire = try_connect(server, trusted, &[&TLS13]).unwrap();
    wire.conn.peer_certificates().unwrap()[0].clone().into_owned()
}

#[test]
fn messages_pass_over_tls_1_2_and_1_3_as_http_1_1() {
    let (server, identity, _files) = start();
    assert!(
        server.log().contains("listening on https://127.0.0.1:"),
        "{}",
        server.log()
    );
    for (version, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let wire = try_connect(&server, &[&identity], &[version]).unwrap();
        assert_eq!(wire.conn.protocol_version(), Some(expected));
        assert_eq!(wire.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer = exchange(wire, &status_request());
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains(r#""statusCode":"00""#), "{answer}");
    }
    let stranger = Identity::of("127.0.0.1");
    assert!(
        try_connect(&server, &[&stranger], &[&TLS13]).is_err(),
        "it can be trusted by nobody"
    );
}

#[test]
fn a_new_certificate_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let (server, old, files) = start();
    let new = Identity::of("127.0.0.1");
    let both = [&old, &new];
    let mut before = connect(&server, &old);

    // The certificate first: for a while it does not fit the key.
    std::fs::write(files.certificate(), &new.certificate_pem).unwrap();
    let warned = || {
        server
            .log()
            .contains("TLS: the certificate from before is kept: LIVENESS_TLS_KEY_FILE")
    };
    wait_until("no warning", warned);
    assert_eq!(shown(&server, &both), old.certificate);

    let stale = |value: u8| {
        let wire = try_connect(&server, &both, &[&TLS13]).unwrap();
        let metrics = exchange(wire, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let series = format!("liveness_stale_files{{setting=\"LIVENESS_TLS_CERT_FILE\"}} {value}\n");
        metrics.contains(&series)
    };
    assert!(stale(1));

    std::fs::write(files.key(), &new.key_pem).unwrap();
    wait_until("not the new one", || shown(&server, &both) == new.certificate);
    wait_until("it is still stale", || stale(0));

    std::fs::write(files.key(), "no key").unwrap();
    wait_until("no warning", || {
        server.log().contains("it must hold a private key in PEM")
    });
    assert_eq!(shown(&server, &both), new.certificate);

    files.write(&old);
    wait_until("not the old one", || shown(&server, &both) == old.certificate);
    // It began under the first certificate; by now it has been closed for its silence, or still serves.
    let _ = before.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = rest(before);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 200 OK\r\n"),
        "{answer}"
    );
}

#[test]
fn every_answer_over_tls_keeps_a_browser_with_it_and_none_without() {
    let trusted = Identity::of("127.0.0.1");
    let files = Files::of(&trusted);
    let secure = files.server_with(&[("LIVENESS_CORS_ORIGINS", "https://portal.example")]);
    let plain = Server::with(Engine::Sqlite, &[("LIVENESS_CORS_ORIGINS", "https://portal.example")]);
    let preflight = "OPTIONS /health/live HTTP/1.1\r\nHost: x\r\nOrigin: https://portal.example\r\n\
                     Access-Control-Request-Method: GET\r\nConnection: close\r\n\r\n";
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    for (status, sent) in [
        ("200", get("/health/live")),
        ("200", get("/admin")),
        ("200", get("/metrics")),
        ("308", get("/docs/")),
        ("204", preflight.to_owned()),
        ("200", status_request()),
        ("401", status_request().replace("Bearer ", "Bearer x")),
        ("404", get("/nowhere")),
        ("405", get("/api/BPMSelfService/commands/CheckLivenessStatusQuery")),
        ("400", "nonsense\r\n\r\n".to_owned()),
        ("408", "GET /health/live HT".to_owned()),
    ] {
        let answer = exchange(connect(&secure, &trusted), &sent);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{sent}: {answer}");
        let told = answer
            .matches("strict-transport-security: max-age=31536000\r\n")
            .count();
        assert_eq!(told, 1, "{sent}: {answer}");

        let mut wire = Wire::to(&plain);
        wire.send(&sent);
        let answer = String::from_utf8(wire.rest()).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{sent}: {answer}");
        assert!(!answer.contains("strict-transport"), "{sent}: {answer}");
    }
}

#[test]
fn who_stalls_in_the_handshake_is_cut_off_and_holds_up_nobody() {
    let (mut server, identity, _files) = start();
    // The head of a handshake message of 512 bytes, and the first of them.
    let hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    let mut wires: Vec<_> = (0..60).map(|_| Wire::to(&server)).collect();
    for (number, wire) in wires.iter_mut().enumerate() {
        wire.send(&hello[..number % hello.len()]);
    }
    let answer = exchange(connect(&server, &identity), &status_request());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

    thread::scope(|scope| {
        scope.spawn(|| {
            let mut wire = Wire::to(&server);
            let sent = hello.chunks(1).chain([&[0_u8][..]; 60]).take_while(|byte| {
                thread::sleep(Duration::from_millis(500));
                wire.try_send(byte).is_ok()
            });
            assert!(sent.count() < 60, "it goes on byte by byte");
        });
        for mut wire in wires {
            assert_eq!(wire.rest(), b"");
        }
    });

    let mut late = Wire::to(&server);
    late.send(hello);
    server.signal("TERM");
    assert!(server.wait().success());
}

#[test]
fn who_speaks_without_tls_is_sent_away() {
    let (server, identity, _files) = start();
    for sent in [
        "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\r\n\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let mut wire = Wire::to(&server);
        wire.send(sent);
        let answer = wire.rest();
        // An alert at most.
        assert!(answer.len() < 16, "{answer:?}");
    }
    let mut gone = Wire::to(&server);
    gone.finish();
    assert_eq!(gone.rest(), b"");

    let answer = exchange(connect(&server, &identity), &status_request());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn the_deadlines_are_those_of_plain_http() {
    let (server, identity, _files) = start();
    let authorization = bearer(&customer(1));
    let body = head(
        UPDATE,
        &[
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Content-Length", "60"),
        ],
    );
    let refused = body.replace("Bearer ", "Bearer x");
    let cases = [
        ("a head that ends in the middle", "GET /health/live HT", "408", "30"),
        ("a body that does not come", &body, "408", "30"),
        ("a body nobody waits for", &refused, "401", "63"),
        ("no head", "nonsense\r\n\r\n", "400", "30"),
    ];
    thread::scope(|scope| {
        for (case, sent, status, code) in cases {
            let (server, identity) = (&server, &identity);
            scope.spawn(move || {
                let answer = exchange(connect(server, identity), sent);
                assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{case}: {answer}");
                assert!(
                    answer.contains(&format!(r#""statusCode":"{code}""#)),
                    "{case}: {answer}"
                );
            });
        }
        scope.spawn(|| assert_eq!(rest(connect(&server, &identity)), ""));
        scope.spawn(|| who_does_not_read_an_answer_is_cut_off(&server, &identity));
    });
}

fn who_does_not_read_an_answer_is_cut_off(server: &Server, identity: &Identity) {
    let image = BASE64_STANDARD.encode([FACE, &vec![0; 5_000_000]].concat());
    let report = json!({
        "sessionId": "s", "isSuccessful": true, "imageBase64": image, "metadata": { "verificationResult": true },
    });
    let request = |message: &str, token: &str, body: &str| {
        let (authorization, length) = (bearer(token), body.len().to_string());
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Content-Length", &length),
            ("Connection", "close"),
        ];
        head(message, &headers) + body
    };
    let recorded = exchange(
        connect(server, identity),
        &request(UPDATE, &customer(1), &report.to_string()),
    );
    assert!(recorded.starts_with("HTTP/1.1 200 OK\r\n"), "{recorded}");

    let details = request(DETAILS, &admin(), r#"{"userId":1}"#);
    let whole = exchange(connect(server, identity), &details);
    assert!(whole.contains(&image), "the face does not come back whole");
    let mut wire = connect(server, identity);
    wire.write_all(details.as_bytes()).unwrap();
    wire.flush().unwrap();
    // What is sent to a closed connection is refused.
    wait_until("it is still waited for", || {
        wire.conn.writer().write_all(b"\r\n").unwrap();
        wire.conn.write_tls(&mut wire.sock).is_err()
    });
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_certificate_or_a_key() {
    let identity = Identity::of("127.0.0.1");
    let files = Files::of(&identity);
    for file in [files.certificate(), files.key()] {
        let pem = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("\u{feff}{pem}")).unwrap();
    }
    let server = files.server();
    drop(connect(&server, &identity));
}
