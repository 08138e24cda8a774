//! A browser of a test's own, by the WebDriver protocol: JSON over HTTP, for which a client library would be larger than
//! what is needed of it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The name under which WebDriver answers with an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What keeps Chromium to this machine, also as root.
const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";
pub const CONTROL: &str = "\u{e009}";
pub const RIGHT: &str = "\u{e014}";

/// One window. It ends with this.
pub struct Browser {
    session: String,
    _driver: Driver,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = agent().delete(&self.session).call();
    }
}

/// A chromedriver that runs.
struct Driver {
    process: Child,
    port: String,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start_driver(path: &str) -> Result<Driver, Value> {
    let mut process = Command::new(path)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let port = line.split_once("started successfully on port ")?.1;
        Some(port.trim_end_matches('.').to_owned())
    });
    thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let mut driver = Driver {
        process,
        port: String::new(),
    };
    driver.port = port.ok_or_else(|| json!("it found no port"))?;
    Ok(driver)
}

impl Driver {
    fn start_session(self) -> Result<Browser, Value> {
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<_> = ARGUMENTS.map(str::to_owned).into();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push("--window-size=1280,900".to_owned());
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let sessions = format!("http://127.0.0.1:{}/session", self.port);
        let started = send(&sessions, &wanted)?;
        Ok(Browser {
            session: format!("{sessions}/{}", started["sessionId"].as_str().unwrap()),
            _driver: self,
            _profile: profile,
        })
    }
}

impl Browser {
    /// A window of 1280 by 900.
    pub fn start() -> Self {
        let path = std::env::var("LIVENESS_TEST_CHROMEDRIVER")
            .unwrap_or_else(|_| panic!("LIVENESS_TEST_CHROMEDRIVER does not say where chromedriver is: run .ci/test"));
        // A chromedriver takes the port that it has found a second time, for the other version of IP, and ends where somebody was
        // faster; and on a loaded machine a Chromium may end while it starts.
        let start = || start_driver(&path).and_then(Driver::start_session);
        let started = (0..4).fold(start(), |started, _| started.or_else(|_| start()));
        let browser = started.unwrap_or_else(|problem| panic!("five browsers did not start: {problem:#}"));
        browser.post("timeouts", &json!({ "implicit": 10_000, "script": 10_000 }));
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        exchange(&format!("{}/{path}", self.session), body)
    }

    /// Sends a command of Chromium's own protocol.
    pub fn chromium(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    pub fn open(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    pub fn back(&self) {
        self.post("back", &json!({}));
    }

    pub fn reload(&self) {
        self.post("refresh", &json!({}));
    }

    /// What the body of a function answers in the page.
    pub fn script(&self, body: &str) -> Value {
        self.post("execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// The same for a promise.
    pub fn script_async(&self, promise: &str) -> Value {
        let body =
            format!("const told = arguments[arguments.length - 1]; ({promise}).then(told, (e) => told(`${{e}}`));");
        self.post("execute/async", &json!({ "script": body, "args": [] }))
    }

    /// The element that a CSS selector finds, as soon as there is one.
    fn find(&self, selector: &str) -> String {
        let found = self.post("element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    pub fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    /// Pastes into a field, in place of what is in it.
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.post(&format!("element/{element}/clear"), &json!({}));
        self.post(&format!("element/{element}/click"), &json!({}));
        self.paste(text);
    }

    /// Pastes wherever the focus is.
    pub fn paste(&self, text: &str) {
        self.chromium("Input.insertText", &json!({ "text": text }));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let strokes: Vec<_> = keys
            .chars()
            .flat_map(|key| {
                [
                    json!({ "type": "keyDown", "value": key }),
                    json!({ "type": "keyUp", "value": key }),
                ]
            })
            .collect();
        self.post(
            "actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }),
        );
    }

    /// Presses a key while another is held.
    pub fn press_with(&self, held: &str, key: &str) {
        let stroke = |kind: &str, key: &str| json!({ "type": kind, "value": key });
        let strokes = [
            stroke("keyDown", held),
            stroke("keyDown", key),
            stroke("keyUp", key),
            stroke("keyUp", held),
        ];
        self.post(
            "actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }),
        );
    }

    /// Waits until an expression is true in the page.
    pub fn until(&self, expression: &str) {
        let patience = Instant::now() + Duration::from_secs(20);
        while self.script(&format!("return Boolean({expression})")) != json!(true) {
            let page = || self.script("return `${location} ${document.body.innerText}`");
            assert!(
                Instant::now() < patience,
                "it never came to be: {expression}\n{}",
                page()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a text is to be seen.
    pub fn sees(&self, text: &str) {
        self.until(&format!("document.body.innerText.includes({})", json!(text)));
    }

    /// What is to be read of an element, as soon as there is one.
    pub fn text(&self, selector: &str) -> String {
        self.find(selector);
        let text = self.script(&format!("return document.querySelector({}).innerText", json!(selector)));
        text.as_str().unwrap().to_owned()
    }

    /// What stands behind the `#` of the address.
    pub fn hash(&self) -> String {
        self.script("return location.hash").as_str().unwrap().to_owned()
    }

    /// What the browser has complained of since it was last asked.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        entries
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A phone's screen, or any other.
    pub fn resize(&self, width: u32, height: u32) {
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.chromium("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// What the reader has asked of all pages, such as dark colours.
    pub fn prefer(&self, feature: &str, value: &str) {
        let features = json!({ "features": [{ "name": feature, "value": value }] });
        self.chromium("Emulation.setEmulatedMedia", &features);
    }
}

/// Sends a command, and gives back its value.
fn exchange(url: &str, body: &Value) -> Value {
    send(url, body).unwrap_or_else(|problem| panic!("{url}: {problem:#}"))
}

/// The same, or what was wrong.
fn send(url: &str, body: &Value) -> Result<Value, Value> {
    let answer = agent().post(url).send(body.to_string().as_bytes()).unwrap();
    let (head, mut body) = answer.into_parts();
    let text = body.with_config().limit(64 << 20).read_to_string().unwrap();
    let value = serde_json::from_str::<Value>(&text).unwrap()["value"].take();
    if head.status.is_success() {
        Ok(value)
    } else {
        Err(value)
    }
}

fn agent() -> ureq::Agent {
    let timeout = Some(Duration::from_secs(60));
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(timeout)
        .build()
        .new_agent()
}
