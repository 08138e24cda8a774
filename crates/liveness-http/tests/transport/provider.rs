//! A small server of keys, which does what a test needs a provider to do.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};

use rustls::ServerConfig;
use serde_json::{Value, json};

use crate::serving::serve;

/// It serves one document, or whatever else it is told to answer.
pub struct Provider {
    address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    answer: String,
    is_holding: bool,
    fetches: usize,
}

impl Provider {
    /// One that serves these keys.
    pub fn of(keys: &[Value]) -> Self {
        let provider = Self::on(TcpListener::bind("127.0.0.1:0").unwrap());
        provider.publish(keys);
        provider
    }

    /// One that serves these keys by HTTPS.
    pub fn with_tls(config: ServerConfig, keys: &[Value]) -> Self {
        let provider = Self::listening(TcpListener::bind("127.0.0.1:0").unwrap(), Some(config));
        provider.publish(keys);
        provider
    }

    /// One that listens there.
    pub fn on(listener: TcpListener) -> Self {
        Self::listening(listener, None)
    }

    fn listening(listener: TcpListener, tls: Option<ServerConfig>) -> Self {
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let address = serve(listener, tls, move |connection| answer(&shared, connection));
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    pub fn https_url(&self) -> String {
        format!("https://{}/jwks.json", self.address)
    }

    /// From now on it serves these keys.
    pub fn publish(&self, keys: &[Value]) {
        self.answer("200 OK", "", &json!({ "keys": keys }).to_string());
    }

    /// From now on it answers this.
    pub fn answer(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        self.answer_with(&format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
        ));
    }

    /// From now on it answers these bytes; without any it hangs up.
    pub fn answer_with(&self, bytes: &str) {
        self.state.now.lock().unwrap().answer = bytes.to_owned();
    }

    /// From now on whoever asks waits.
    pub fn hold(&self) {
        self.state.now.lock().unwrap().is_holding = true;
    }

    /// Until now.
    pub fn release(&self) {
        self.state.now.lock().unwrap().is_holding = false;
        self.state.changed.notify_all();
    }

    /// How often it has been asked.
    pub fn fetches(&self) -> usize {
        self.state.now.lock().unwrap().fetches
    }

    /// Waits until it has been asked so often.
    pub fn wait_for_fetches(&self, number: usize) {
        let now = self.state.now.lock().unwrap();
        drop(self.state.changed.wait_while(now, |now| now.fetches < number).unwrap());
    }
}

fn answer(state: &State, connection: impl Read + Write) {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    loop {
        line.clear();
        match reader.read_line(&mut line) {
            // Whoever does not like our certificate asks for nothing.
            Ok(0) | Err(_) => return,
            Ok(2) => break,
            Ok(_) => {}
        }
    }
    let mut now = state.now.lock().unwrap();
    now.fetches += 1;
    state.changed.notify_all();
    let now = state.changed.wait_while(now, |now| now.is_holding).unwrap();
    let answer = now.answer.clone();
    drop(now);
    let _ = reader.get_mut().write_all(answer.as_bytes());
    let _ = reader.get_mut().flush();
}
