//! A receiver of webhooks, which answers as a test says.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

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
        let address = listener.local_addr().unwrap();
        let (shared, answer) = (Arc::<Shared>::default(), Arc::new(answer));
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (shared, answer) = (Arc::clone(&all), Arc::clone(&answer));
                // A connection that breaks is the sender's affair.
                std::thread::spawn(move || serve(&connection.unwrap(), &shared, &*answer));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?key=1", self.address)
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

fn serve(mut connection: &TcpStream, shared: &Shared, answer: &dyn Fn(&Got, &[Got]) -> Answer) -> Option<()> {
    let got = read(connection)?;
    let before = {
        let mut all = shared.got.lock().unwrap();
        let before = all.clone();
        all.push(got.clone());
        before
    };
    shared.changed.notify_all();
    let (status, head) = answer(&got, &before);
    let answer = format!("HTTP/1.1 {status} So\r\n{head}Content-Length: 0\r\nConnection: close\r\n\r\n");
    connection.write_all(answer.as_bytes()).ok()
}

fn read(connection: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
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
