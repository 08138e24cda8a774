//! The binary in a process and a folder of its own, and a client for it.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};
use liveness_core::store::Store;
use serde_json::{Value, json};

use crate::engine::{Database, Engine};

/// The key of every test server, as of the tokens made here.
pub const SECRET: &str = "a test secret of more than thirty-two bytes";
/// Who issues the tokens made here.
pub const ISSUER: &str = "https://issuer.example";
/// A small JPEG.
pub const FACE: &[u8] = include_bytes!("../../assets/face.jpg");

/// A running server. It is killed when dropped.
pub struct Server {
    process: Child,
    address: String,
    log: Arc<Mutex<String>>,
    settings: Vec<(String, String)>,
    database: Arc<Database>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// A server with an empty database.
    pub fn start(engine: Engine) -> Self {
        Self::with(engine, &[])
    }

    /// The same with settings, by the names of their environment variables.
    pub fn with(engine: Engine, settings: &[(&str, &str)]) -> Self {
        Self::on(Database::create(engine), settings)
    }

    /// One on a database that is there.
    pub fn on(database: impl Into<Arc<Database>>, settings: &[(&str, &str)]) -> Self {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self::spawn(database.into(), settings)
    }

    fn spawn(database: Arc<Database>, settings: Vec<(String, String)>) -> Self {
        let mut process = serve()
            .env("LIVENESS_JWT_SECRET", SECRET)
            .env("LIVENESS_BIND", "127.0.0.1:0")
            .envs(database.settings())
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(database.folder())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let write = |log: &Mutex<String>, line: &str| *log.lock().unwrap() += &format!("{line}\n");
        let address = lines.by_ref().map(Result::unwrap).find_map(|line| {
            write(&log, &line);
            let (_, url) = line.split_once("listening on http")?;
            let (_, address) = url.split_once("://")?;
            // In JSON it ends with a quote.
            Some(address.split('"').next().unwrap_or(address).to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("it did not start:\n{}", log.lock().unwrap()));
        let rest = Arc::clone(&log);
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| write(&rest, &line)));
        Self {
            process,
            address,
            log,
            settings,
            database,
        }
    }

    /// Starts it again on the same database, once it has ended.
    pub fn restart(mut self) -> Self {
        self.process.wait().unwrap();
        self.beside()
    }

    /// One more server of the same settings on the same database.
    pub fn beside(&self) -> Self {
        Self::spawn(Arc::clone(&self.database), self.settings.clone())
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Its database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Its database, opened beside it.
    pub fn store(&self) -> Store {
        self.database.store()
    }

    /// Sends a message with a token.
    pub fn send(&self, message: &str, token: &str, body: &Value) -> Answer {
        self.request(
            message,
            &[("Authorization", &format!("Bearer {token}"))],
            body.to_string().as_bytes(),
        )
    }

    /// Sends a body of JSON with these headers besides its content type.
    pub fn request(&self, message: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        post(&self.address, message, headers, body)
    }

    /// A connection that gives up reading after 30 s.
    pub fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(&self.address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        connection
    }

    /// `GET` on a path.
    pub fn get(&self, path: &str) -> Answer {
        Answer::of(agent().get(format!("http://{}{path}", self.address)).call().unwrap())
    }
}

/// The binary with these arguments, a clean environment, and its output caught.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liveness-http"));
    command
        .args(arguments)
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// `serve`, for which the permissions of files and processes hold also where the tests run as root.
pub fn serve() -> Command {
    if !rustix::process::geteuid().is_root() {
        return command(&["serve"]);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--bounding-set=-all", "--inh-caps=-all"])
        .args([env!("CARGO_BIN_EXE_liveness-http"), "serve"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Sends a message to whoever listens at the address.
pub fn post(address: &str, message: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    Answer::of(try_post(address, message, headers, body).unwrap())
}

/// The same, where the connection may break.
pub fn try_post(
    address: &str,
    message: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    let mut request = agent().post(format!("http://{address}/api/BPMSelfService/commands/{message}"));
    if !headers.iter().any(|(name, _)| *name == "Content-Type") {
        request = request.header("Content-Type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send(body)
}

fn agent() -> ureq::Agent {
    let timeout = Some(Duration::from_secs(30));
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(timeout)
        .build()
        .new_agent()
}

/// An answer, read in full.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub json: Value,
}

impl Answer {
    pub fn of(response: ureq::http::Response<ureq::Body>) -> Self {
        let (head, mut body) = response.into_parts();
        let text = body.with_config().limit(64 << 20).read_to_string().unwrap();
        let json =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{} is no JSON", &text[..text.len().min(500)]));
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            json,
        }
    }

    /// HTTP status and statusCode.
    pub fn codes(&self) -> (u16, &str) {
        (self.status, self.json["statusCode"].as_str().unwrap())
    }

    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A token of these claims, good for an hour and of our issuer unless they say otherwise.
pub fn token(claims: &Value) -> String {
    let mut claims = claims.clone();
    if claims.get("iss").is_none() {
        claims["iss"] = json!(ISSUER);
    }
    if claims.get("exp").is_none() {
        claims["exp"] = json!(jsonwebtoken::get_current_timestamp() + 3600);
    }
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .unwrap()
}

/// A customer's token.
pub fn customer(id: i64) -> String {
    token(&json!({ "sub": id.to_string(), "role": "customer" }))
}

/// An administrator's token.
pub fn admin() -> String {
    token(&json!({ "sub": "reviewer-1", "role": "admin" }))
}

/// The least that a command takes.
pub fn report(session: &str, is_successful: bool) -> Value {
    json!({ "sessionId": session, "isSuccessful": is_successful })
}
