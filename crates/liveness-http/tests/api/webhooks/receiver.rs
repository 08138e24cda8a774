//! A receiver of webhooks, which answers as a test says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::tls_identity::Identity;

/// A request that has come.
#[derive(Debug, Clone)]
pub struct Got {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
    pub event: Value,
    /// When it had come as a whole.
    pub at: Instant,
}

impl Got {
    /// The event.
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn event_type(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }

    pub fn user(&self) -> i64 {
        self.event["data"]["userId"].as_i64().unwrap()
    }

    /// The record that it is about.
    pub fn check(&self) -> Option<i64> {
        self.event["data"]["checkId"].as_i64()
    }
}

/// How a request is answered: the status, and lines of the head.
pub type Answer = (u16, String);

/// It is well.
pub fn ok() -> Answer {
    (204, String::new())
}

/// A proxy that leads to a port of this machine, wherever it is asked to connect to. It keeps where that was.
pub struct Proxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn leading_to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let all = Arc::clone(&asked);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (client, all) = (connection.unwrap(), Arc::clone(&all));
                std::thread::spawn(move || tunnel(client, port, &all));
            }
        });
        Self { address, asked }
    }

    /// The first lines of the requests.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn tunnel(client: TcpStream, port: u16, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut lines = BufReader::new(client.try_clone().ok()?).lines();
    asked.lock().unwrap().push(lines.next()?.ok()?);
    // The client waits for the answer before it sends more.
    while !lines.next()?.ok()?.is_empty() {}
    let server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    (&client).write_all(b"HTTP/1.1 200 Connected\r\n\r\n").ok()?;
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    std::io::copy(&mut &client, &mut &server).ok().map(drop)
}

#[derive(Default)]
struct Shared {
    got: Mutex<Vec<Got>>,
    changed: Condvar,
}

/// A server on a free port, until the process ends.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    /// Calls `answer` with each request, and with those that had come before. It may wait in there.
    pub fn start(answer: impl Fn(&Got, &[Got]) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    /// The same on a listener.
    pub fn on(listener: TcpListener, answer: impl Fn(&Got, &[Got]) -> Answer + Send + Sync + 'static) -> Self {
        Self::speaking(listener, None, answer)
    }

    /// One that speaks TLS, and answers well.
    pub fn with_tls(identity: &Identity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::speaking(listener, Some(Arc::new(identity.server_config())), |_, _| ok())
    }

    fn speaking(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Got, &[Got]) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let (shared, answer) = (Arc::<Shared>::default(), Arc::new(answer));
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (shared, answer, tls) = (Arc::clone(&all), Arc::clone(&answer), tls.clone());
                let connection = connection.unwrap();
                // A connection that breaks is the sender's affair.
                std::thread::spawn(move || match tls {
                    Some(tls) => {
                        let session = ServerConnection::new(tls).unwrap();
                        serve(StreamOwned::new(session, connection), &shared, &*answer)
                    }
                    None => serve(connection, &shared, &*answer),
                });
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?key=1", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits until what has come is enough.
    pub fn wait_for(&self, enough: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        let got = self.shared.got.lock().unwrap();
        let patience = Duration::from_secs(60);
        let waited = self
            .shared
            .changed
            .wait_timeout_while(got, patience, |got| !enough(got))
            .unwrap();
        assert!(!waited.1.timed_out(), "it does not come: {:#?}", waited.0);
        waited.0.clone()
    }

    /// What has come.
    pub fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }
}

fn serve(connection: impl Read + Write, shared: &Shared, answer: &dyn Fn(&Got, &[Got]) -> Answer) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let got = read(&mut reader)?;
    let before = {
        let mut all = shared.got.lock().unwrap();
        let before = all.clone();
        all.push(got.clone());
        before
    };
    shared.changed.notify_all();
    let (status, head) = answer(&got, &before);
    let answer = format!("HTTP/1.1 {status} So\r\n{head}Content-Length: 0\r\nConnection: close\r\n\r\n");
    let connection = reader.get_mut();
    connection.write_all(answer.as_bytes()).ok()?;
    connection.flush().ok()
}

fn read(reader: &mut impl BufRead) -> Option<Got> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Got {
        path,
        headers,
        event: serde_json::from_str(&body).unwrap(),
        body,
        at: Instant::now(),
    })
}
