//! HTTP as bytes, and what every answer has to be.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

use crate::server::{Answer, Server, admin};

pub const UPDATE: &str = "UpdateLivenessCheckCommand";
pub const SUBMIT: &str = "SubmitLivenessCheckCommand";
pub const STATUS: &str = "CheckLivenessStatusQuery";
pub const DETAILS: &str = "GetUserLivenessCheckQuery";
pub const RECORD: &str = "GetLivenessCheckQuery";
pub const LIST: &str = "RetrieveLivenessChecksQuery";

/// Stands in what is sent, and must not come back or be kept.
pub const CANARY: &str = "canary-5f0c1b";

/// A header as it is sent.
pub type Header<'a> = (&'a str, &'a str);

/// A connection that sends what it is told to.
pub struct Wire(BufReader<TcpStream>);

impl Wire {
    pub fn to(server: &Server) -> Self {
        Self(BufReader::new(server.connect()))
    }

    /// A connection of a far-away client that has little room for what it has not read.
    pub fn with_small_window(server: &Server) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        // Loopback's own is 64 KiB, with which the system takes megabytes that nobody reads.
        socket.set_tcp_mss(1400).unwrap();
        let address: SocketAddr = server.address().parse().unwrap();
        socket.connect(&address.into()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(BufReader::with_capacity(1024, socket.into()))
    }

    /// A connection to an address of this machine from another one of its own.
    pub fn between(own: &str, address: &str) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let own: SocketAddr = format!("{own}:0").parse().unwrap();
        socket.bind(&own.into()).unwrap();
        socket.connect(&address.parse::<SocketAddr>().unwrap().into()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(BufReader::new(socket.into()))
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    /// Where the server may have closed the connection already.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).unwrap();
    }

    /// Another handle, to send while this one waits for an answer.
    pub fn sender(&self) -> TcpStream {
        self.0.get_ref().try_clone().unwrap()
    }

    /// The next answer, which is as every answer has to be. The client may have been told to go on before.
    pub fn answer(&mut self) -> Answer {
        loop {
            let (status, headers) = self.head();
            if status != 100 {
                return self.body_of(status, headers);
            }
        }
    }

    /// The next answer, with nothing before it.
    pub fn only_answer(&mut self) -> Answer {
        let (status, headers) = self.head();
        assert_ne!(status, 100, "the client was told to go on");
        self.body_of(status, headers)
    }

    fn body_of(&mut self, status: u16, headers: HeaderMap) -> Answer {
        let length = headers["content-length"].to_str().unwrap().parse().unwrap();
        let json = serde_json::from_slice(&self.skip(length)).unwrap();
        checked(Answer { status, headers, json })
    }

    /// That many bytes of a body.
    pub fn skip(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        body
    }

    /// The same, where the connection may be cut.
    pub fn try_skip(&mut self, length: usize) -> std::io::Result<()> {
        self.0.read_exact(&mut vec![0; length])
    }

    /// The head of the next answer.
    pub fn head(&mut self) -> (u16, HeaderMap) {
        let status = self.line();
        let status = status
            .split(' ')
            .nth(1)
            .unwrap_or_else(|| panic!("no answer but {status:?}"));
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            headers.append(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        (status.parse().unwrap(), headers)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What is still sent until the server closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            // A reset closes it too: for bytes that were sent and not read.
            Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("it is not closed: {error}"),
            _ => rest,
        }
    }
}

/// The head of a message, with the empty line that ends it.
pub fn head(message: &str, headers: &[Header<'_>]) -> String {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("POST /api/BPMSelfService/commands/{message} HTTP/1.1\r\nHost: liveness\r\n{headers}\r\n")
}

/// Sends bytes on a connection of their own and gives back the answer to them.
pub fn exchange(server: &Server, bytes: impl AsRef<[u8]>) -> Answer {
    let mut wire = Wire::to(server);
    wire.send(bytes);
    wire.answer()
}

/// Sends a message with just these headers and the length of its body.
pub fn post(server: &Server, message: &str, headers: &[Header<'_>], body: impl AsRef<[u8]>) -> Answer {
    let length = body.as_ref().len().to_string();
    let headers = [headers, &[("Content-Length", length.as_str())]].concat();
    exchange(server, [head(message, &headers).as_bytes(), body.as_ref()].concat())
}

/// The value of an `Authorization` header.
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// What holds of every answer: its type, that nobody keeps it, and its id.
pub fn checked(answer: Answer) -> Answer {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    let id = answer.header("x-request-id").unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    assert!((1..=64).contains(&id.len()) && id.bytes().all(fits), "{answer:?}");
    answer
}

/// A refusal of that HTTP status and statusCode, whose envelope is complete and repeats nothing.
pub fn assert_refused(case: &str, answer: &Answer, expected: (u16, &str)) {
    assert_eq!(answer.codes(), expected, "{case}: {answer:?}");
    let envelope = answer.json.as_object().unwrap();
    assert_eq!(envelope["isSuccessful"], false, "{case}: {answer:?}");
    assert_eq!(envelope["data"], Value::Null, "{case}: {answer:?}");
    let message = envelope["message"].as_str();
    assert!(message.is_some_and(|message| !message.is_empty()), "{case}: {answer:?}");
    let known = ["isSuccessful", "statusCode", "message", "data", "errors"];
    assert!(
        envelope.keys().all(|key| known.contains(&key.as_str())),
        "{case}: {answer:?}"
    );
    assert!(!format!("{answer:?}").contains(CANARY), "{case}: {answer:?}");
}

/// How many checks are recorded.
pub fn total_count(server: &Server) -> i64 {
    let page = server.send(LIST, &admin(), &json!({}));
    page.data()["TotalCount"].as_i64().unwrap()
}

/// Fails when the canary stands in the log or in the database.
pub fn assert_no_trace(server: &Server) {
    let log = settled_log(server);
    assert!(!log.contains(CANARY), "{log}");
    assert!(!is_stored(server, CANARY));
}

fn is_stored(server: &Server, text: &str) -> bool {
    let Some(database) = server.database().postgres() else {
        let file = server.database().file();
        return holds(&file, text) || holds(&file.with_extension("db-wal"), text);
    };
    let rows = |table| format!("SELECT row_to_json(t)::text FROM liveness_{table} t");
    let all = ["audit_entries", "check_totals", "checks", "images", "sessions", "users"].map(rows);
    database.sql(&all.join(" UNION ALL ")).contains(text)
}

fn holds(file: &Path, text: &str) -> bool {
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Waits until it holds; says what it waited for where it never does.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The log, when all that has been answered so far stands in it.
pub fn settled_log(server: &Server) -> String {
    let id = "the-last-one";
    let authorization = bearer(&admin());
    let headers = [("Authorization", authorization.as_str()), ("X-Request-Id", id)];
    assert_eq!(post(server, LIST, &headers, "").status, 200);
    let begun = Instant::now();
    loop {
        let log = server.log();
        if log.contains(id) {
            return log;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{log}");
        std::thread::yield_now();
    }
}
