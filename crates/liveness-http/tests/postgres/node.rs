//! The binary as one node on a PostgreSQL database, and a client for it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::trail_key_file::trail_key_file;

/// The key of every node, as of the tokens made here.
pub(crate) const SECRET: &str = "a test secret of more than thirty-two bytes";

/// A running node. It is killed when dropped.
pub(crate) struct Node {
    process: Child,
    address: String,
    log: Arc<Mutex<String>>,
    agent: ureq::Agent,
}

/// An answer, read in full.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) json: Value,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Node {
    /// Starts one on the database of the URL, and waits until it listens.
    pub(crate) fn start(url: &str) -> Self {
        Self::start_with(url, &[])
    }

    /// The same, with more settings.
    pub(crate) fn start_with(url: &str, settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_liveness-http"))
            .arg("serve")
            .env_clear()
            .env("LIVENESS_JWT_SECRET", SECRET)
            .env("LIVENESS_BIND", "127.0.0.1:0")
            .env("LIVENESS_DATABASE_URL", url)
            .env("LIVENESS_TRAIL_KEY_FILE", trail_key_file())
            // `.ci/test` starts its server without these, which makes databases three times as fast.
            .env("LIVENESS_ACCEPT", "fsync,full_page_writes")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let write = |log: &Mutex<String>, line: &str| *log.lock().unwrap() += &format!("{line}\n");
        let address = lines.by_ref().map(Result::unwrap).find_map(|line| {
            write(&log, &line);
            line.split_once("listening on http://")
                .map(|(_, address)| address.to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("it did not start:\n{}", log.lock().unwrap()));
        let rest = Arc::clone(&log);
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| write(&rest, &line)));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .max_idle_age(Duration::from_secs(1))
            .build();
        Self {
            process,
            address,
            log,
            agent: agent.new_agent(),
        }
    }

    /// Tells it to end, and returns its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let told = Command::new("kill")
            .arg(self.process.id().to_string())
            .status()
            .unwrap();
        assert!(told.success());
        let ended = until(|| self.process.try_wait().unwrap().is_some());
        assert!(ended, "it does not end:\n{}", self.log());
        self.process.wait().unwrap().code()
    }

    /// Whether it is still the process that was started.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Its lines that tell of trouble.
    pub(crate) fn complaints(&self) -> Vec<String> {
        // `.ci/test` starts its server without fsync.
        let is_of_tests = |line: &str| line.contains("fsync=off") || line.contains("full_page_writes=off");
        let is_complaint = |line: &&str| (line.contains(" WARN ") || line.contains(" ERROR ")) && !is_of_tests(line);
        self.log().lines().filter(is_complaint).map(ToOwned::to_owned).collect()
    }

    /// The status of a `GET`.
    pub(crate) fn get(&self, path: &str) -> u16 {
        let response = self.agent.get(format!("http://{}{path}", self.address)).call().unwrap();
        response.status().as_u16()
    }

    /// Waits until it is ready.
    pub(crate) fn wait_until_ready(&self) {
        let is_ready = until(|| self.get("/health/ready") == 200);
        assert!(is_ready, "it never becomes ready:\n{}", self.log());
    }

    /// A user reports a check of a session of that name, under a key of that name.
    pub(crate) fn submit(&self, user: i64, session: &str, key: &str) -> Result<Answer, String> {
        let body = json!({ "sessionId": session, "isSuccessful": true });
        self.send("SubmitLivenessCheckCommand", &customer(user), Some(key), &body)
    }

    /// All records, as the first page for an administrator tells.
    pub(crate) fn total_count(&self) -> String {
        let answer = self.send("RetrieveLivenessChecksQuery", &admin(), None, &json!({}));
        answer.unwrap().json["data"]["TotalCount"].to_string()
    }

    /// Sends a message; an error where the connection broke.
    pub(crate) fn send(&self, message: &str, token: &str, key: Option<&str>, body: &Value) -> Result<Answer, String> {
        post(&self.agent, &self.address, message, token, key, body)
    }
}

/// Sends a message to whoever listens at the address.
pub(crate) fn post(
    agent: &ureq::Agent,
    address: &str,
    message: &str,
    token: &str,
    key: Option<&str>,
    body: &Value,
) -> Result<Answer, String> {
    let mut request = agent
        .post(format!("http://{address}/api/BPMSelfService/commands/{message}"))
        .header("Content-Type", "application/json")
        .header("Authorization", format!("Bearer {token}"));
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    let response = request.send(body.to_string()).map_err(|error| error.to_string())?;
    let (head, mut body) = response.into_parts();
    let text = body.read_to_string().map_err(|error| error.to_string())?;
    Ok(Answer {
        status: head.status.as_u16(),
        retry_after: head
            .headers
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned()),
        json: serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?,
    })
}

impl Answer {
    /// HTTP status and statusCode.
    pub(crate) fn codes(&self) -> (u16, &str) {
        (self.status, self.json["statusCode"].as_str().unwrap_or_default())
    }

    /// Whether it says: not now, but soon.
    pub(crate) fn is_come_again(&self) -> bool {
        self.codes() == (503, "91") && self.retry_after.is_some()
    }
}

/// A customer's token.
pub(crate) fn customer(id: i64) -> String {
    token(&id.to_string(), "customer")
}

/// An administrator's token.
pub(crate) fn admin() -> String {
    token("reviewer-1", "admin")
}

/// An officer's token.
pub(crate) fn officer() -> String {
    token("officer-1", "officer")
}

fn token(subject: &str, role: &str) -> String {
    let expiry = jsonwebtoken::get_current_timestamp() + 3600;
    let claims = json!({ "iss": "https://issuer.example", "sub": subject, "role": role, "exp": expiry });
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .unwrap()
}

/// Whether it came to be within a minute.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) -> bool {
    let patience = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        if Instant::now() > patience {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Runs `call` on many threads at the same moment.
pub(crate) fn at_once<T: Send>(threads: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let gate = Barrier::new(threads);
    let run = |index| {
        gate.wait();
        call(index)
    };
    thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = (0..threads).map(|index| scope.spawn(move || run(index))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
