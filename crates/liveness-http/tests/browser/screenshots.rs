//! The pictures of the README: `.ci/screenshots` keeps them, and the tests only see that they can be made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_bus::Bus;
use liveness_bus::liveness::{Liveness, Settings, module};
use liveness_core::policy::Policy;
use liveness_core::store::{Store, StoredUsers};
use liveness_core::{Clock, FixedClock};
use liveness_http::LivenessApi;
use liveness_http::admin::{self, ReviewPage, SignIn};
use liveness_http::privacy::PrivacyPage;
use liveness_http::token::{TokenRules, TokenVerifier, VerificationKey};
use serde_json::{Value, json};

use crate::driver::Browser;
use crate::in_process::serve;
use crate::officer::choose;
use crate::reviewer::{face, sign_in};
use crate::server::{SECRET, post, token};

/// Who sends what from where: people whom nobody is. Given and family name, platform and version, address.
const PEOPLE: [(&str, &str, &str, &str, &str); 8] = [
    ("Amina", "Bello", "Android", "2.1.0", "41.58.12.100"),
    ("Chinedu", "Okafor", "iOS", "2.1.0", "197.210.54.8"),
    ("Jane", "Doe", "Android", "2.0.4", "102.89.33.17"),
    ("Kwame", "Mensah", "Android", "2.1.0", "154.160.7.91"),
    ("Fatima", "Sani", "iOS", "2.0.4", "105.112.28.66"),
    ("Oluwaseun", "Adeyemi-Johnson", "Android", "2.1.0", "41.203.78.171"),
    ("Lerato", "Nkosi", "iOS", "2.1.0", "196.25.1.34"),
    ("Ngozi", "Eze", "Android", "2.1.0", "129.205.113.9"),
];
const README: &str = include_str!("../../../../README.md");
/// So many runs there are.
const RUNS: usize = 60;
/// The failed runs of that day, as it is in Lagos.
const FILTERED: &str = "#/checks?from=2026-11-23T23%3A00%3A00Z&to=2026-11-24T23%3A00%3A00Z&isSuccessful=false";
const CHALLENGES: [&str; 4] = ["BLINK", "SMILE", "TURN_LEFT", "TURN_RIGHT"];

/// Draws the face larger, in colours of each person, and at an angle of each run: as many JPEGs as there are runs.
const PORTRAITS: &str = "(async () => {
    const image = new Image();
    image.src = FACE;
    await image.decode();
    const canvas = new OffscreenCanvas(480, 480);
    const context = canvas.getContext('2d');
    const portraits = [];
    for (const [person, run] of RUNS) {
        context.filter = `hue-rotate(${person * 40}deg) brightness(${90 + run % 5 * 5}%)`;
        context.setTransform(1.1, 0, 0, 1.1, -24, -24);
        context.rotate((run % 7 - 3) / 60);
        context.drawImage(image, 0, 0, 480, 480);
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 })).arrayBuffer());
        portraits.push(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')));
    }
    return portraits;
})()";

/// Who of [`PEOPLE`] makes a run, by its number.
fn person(number: usize) -> usize {
    (number * 5 + number / 3) % PEOPLE.len()
}

/// A face for each run.
fn portraits(browser: &Browser) -> Vec<Value> {
    let runs: Vec<_> = (0..RUNS).map(|number| json!([person(number), number])).collect();
    let script = PORTRAITS
        .replace("FACE", &json!(face()).to_string())
        .replace("RUNS", &json!(runs).to_string());
    let portraits = browser.script_async(&script);
    portraits.as_array().unwrap().clone()
}

/// A run that came out well, failed, was doubted, or came without a verdict, by its number. Of some, the SDK saw a glare, and some
/// were fast.
fn run(number: usize, portrait: &Value) -> Value {
    let asked: Vec<_> = (0..3).map(|place| CHALLENGES[(number + place) % 4]).collect();
    let (is_successful, verdict, done) = match number % 7 {
        2 => (false, json!(false), 1),
        4 => (true, json!(false), 3),
        5 => (true, json!(null), 3),
        _ => (true, json!(true), 3),
    };
    let jitter = (number * 37) % 100;
    let share = |base: usize| ((base + jitter / 10) as f64) / 100.0;
    let mut run = json!({
        "sessionId": format!("sdk-session-{:06x}", 0x00a3_f1c7 + number * 4_099),
        "isSuccessful": is_successful,
        "metadata": {
            "verificationResult": verdict, "sessionDuration": 3800 + jitter * 23, "lightingValue": share(84),
            "challengeCount": 3, "challenges": asked, "completedChallenges": asked[..done],
            "finalCapture": { "verificationResult": verdict, "sessionDuration": 900 + jitter * 7, "lightingValue": share(86) },
        },
        "imageMetadata": { "verificationResult": verdict, "sessionDuration": 700 + jitter * 5, "lightingValue": share(83) },
    });
    if number % 7 == 4 {
        run["metadata"]["spoofAlarm"] = json!("screen replay suspected");
        run["metadata"]["spoofScore"] = json!(0.87);
    }
    if has_glare(number) {
        run["metadata"]["antiSpoofingDetection"] = json!({ "screenGlareDetected": true, "depthSpoofDetected": false });
    }
    if number % 9 == 1 {
        run["metadata"]["sessionDuration"] = json!(900);
    }
    if is_successful {
        run["imageBase64"] = portrait.clone();
    }
    run
}

const fn has_glare(number: usize) -> bool {
    number % 6 == 3
}

/// The run belongs to this session, and tells when each challenge was done.
fn bind(run: &mut Value, session: &Value, clock: &FixedClock) {
    let asked = session["challenges"].as_array().unwrap();
    let done = |place: usize| {
        let at = clock.now().unix_millis() + 2_300 + place as i64 * 1_430;
        liveness_core::Timestamp::from_unix_millis(at).unwrap().to_string()
    };
    let times: Vec<_> = (0..asked.len())
        .map(|place| json!({ "challenge": asked[place], "completedAt": done(place) }))
        .collect();
    run["sessionId"] = session["sessionId"].clone();
    run["metadata"]["challenges"] = json!(asked);
    run["metadata"]["completedChallenges"] = json!(asked);
    run["metadata"]["challengeResults"] = json!(times);
}

/// A host with an afternoon's records, by a clock that the test moves.
fn afternoon(portraits: &[Value]) -> String {
    let clock = Arc::new(FixedClock::at("2026-11-24T11:02:10Z".parse().unwrap()));
    let store = Store::in_memory().unwrap();
    store.migrate().unwrap();
    let users = Arc::new(StoredUsers::new(store.users().clone(), true));
    let liveness = Liveness::new(store.clone(), users.clone(), Settings::default());
    let bus = Bus::builder()
        .module(module(liveness))
        .audit_sink(store)
        .build()
        .unwrap();
    let verifier = TokenVerifier::new(
        vec![VerificationKey::hs256(SECRET.as_bytes()).unwrap()],
        TokenRules::default(),
    );
    let api = LivenessApi::builder(bus, verifier, users)
        .clock(clock.clone())
        .trusted_proxies("127.0.0.1".parse().unwrap())
        .build();
    let address = serve(move |app| {
        app.configure(|app| api.configure(app)).configure(admin::configure);
    });
    for (number, portrait) in portraits.iter().enumerate() {
        let user = person(number);
        let (given, family, platform, version, from) = PEOPLE[user];
        let claims = json!({
            "sub": (1201 + user * 17).to_string(), "role": "customer", "given_name": given, "family_name": family,
            "email": format!("{}@example.com", given.to_lowercase()), "preRegistrationId": 88_400 + user,
        });
        let bearer = format!("Bearer {}", token(&claims));
        let headers = [
            ("Authorization", &*bearer),
            ("X-Device-Platform", platform),
            ("X-App-Version", version),
            ("User-Agent", "LivenessSDK/4.2 (Pixel 9; Android 16)"),
            ("X-Forwarded-For", from),
        ];
        clock.advance(131_000 + (number as i64 * 7_919) % 240_000);
        let send = |message: &str, body: &Value| {
            let answer = post(&address, message, &headers, body.to_string().as_bytes());
            assert_eq!(answer.status, 200, "{}", answer.json);
            answer
        };
        let mut run = run(number, portrait);
        if has_glare(number) {
            bind(&mut run, send("StartLivenessSessionCommand", &json!({})).data(), &clock);
            clock.advance(9_000);
        }
        run["metadata"]["completedAt"] = json!(before(&*clock));
        send("UpdateLivenessCheckCommand", &run);
    }
    address
}

/// Two seconds before a clock's time: the phone was done then.
fn before(clock: &dyn Clock) -> String {
    let then = clock.now().unix_millis() - 2_000;
    liveness_core::Timestamp::from_unix_millis(then).unwrap().to_string()
}

/// Where the pictures go: a folder that is thrown away, unless one is named.
fn folder() -> (PathBuf, Option<tempfile::TempDir>) {
    match std::env::var_os("LIVENESS_SCREENSHOTS") {
        Some(folder) => (PathBuf::from(folder), None),
        None => {
            let folder = tempfile::tempdir().unwrap();
            (folder.path().to_owned(), Some(folder))
        }
    }
}

fn save(browser: &Browser, path: &Path) {
    let taken = browser.chromium(
        "Page.captureScreenshot",
        &json!({ "format": "png", "optimizeForSpeed": false }),
    );
    let picture = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
    assert!(picture.len() > 5_000, "{} shows nothing", path.display());
    std::fs::write(path, picture).unwrap();
}

/// A host whose reviewers sign in at a provider.
fn with_provider() -> String {
    let sign_in = SignIn::new("https://login.bank.example/realms/staff", "liveness-review").unwrap();
    let page = ReviewPage::default().sign_in(sign_in);
    serve(move |app| page.configure(app))
}

/// A host whose policy ends the keeping of faces.
fn with_privacy() -> String {
    let policy = "base = \"record\"\n[retention]\npassed = \"365d\"\nnot_passed = \"30d\"\n";
    let page = PrivacyPage::new(&Policy::parse(policy).unwrap(), true);
    serve(move |app| page.configure(app))
}

/// Shows the page anew at a place, in these colours and this size.
fn show(browser: &Browser, address: &str, place: &str, scheme: &str, (width, height): (u32, u32)) {
    browser.open("about:blank");
    browser.resize(width, height);
    browser.prefer("prefers-color-scheme", scheme);
    browser.open(&format!("http://{address}/admin{place}"));
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn the_pictures_of_the_readme_can_be_made() {
    let (folder, _thrown_away) = folder();
    let browser = Browser::start();
    let address = afternoon(&portraits(&browser));
    browser.chromium(
        "Emulation.setTimezoneOverride",
        &json!({ "timezoneId": "Africa/Lagos" }),
    );
    browser.chromium("Emulation.setScrollbarsHidden", &json!({ "hidden": true }));
    // What waits has waited until that evening.
    let evening = json!({ "source": "Date.now = () => Date.parse('2026-11-24T17:10:00Z')" });
    browser.chromium("Page.addScriptToEvaluateOnNewDocument", &evening);
    let reviewer = token(&json!({ "sub": "t.adebayo", "role": "admin" }));
    let views = [
        ("review-list", "light", (1280, 860), "#/checks", "1–20 of 60"),
        ("review-queue", "light", (1280, 860), "#/queue", "checks wait"),
        ("review-filters", "light", (1280, 860), FILTERED, "1–9 of 9"),
        ("review-record", "light", (1280, 1180), "#/checks/47", "pixels"),
        ("review-dark", "dark", (1280, 860), "#/checks/54", "pixels"),
        ("review-small", "light", (390, 844), "#/checks/54", "pixels"),
    ];
    for (name, scheme, size, place, awaited) in views {
        assert!(README.contains(&format!("(docs/images/{name}.png)")), "{name}");
        show(&browser, &address, place, scheme, size);
        sign_in(&browser, &reviewer);
        browser.sees(awaited);
        browser.until("!document.querySelector('[aria-busy]')");
        save(&browser, &folder.join(format!("{name}.png")));
    }

    for (name, size, keys) in [
        ("review-decision", (1280, 1180), "a1"),
        ("review-faces", (1280, 1000), "ca2"),
    ] {
        assert!(README.contains(&format!("(docs/images/{name}.png)")), "{name}");
        show(&browser, &address, "#/queue/46", "light", size);
        sign_in(&browser, &reviewer);
        browser.sees("pixels");
        browser.until("document.querySelector('[data-compare]')");
        browser.press(keys);
        browser.until("!document.querySelector('[aria-busy]')");
        save(&browser, &folder.join(format!("{name}.png")));
    }

    assert!(README.contains("(docs/images/review-officer.png)"));
    show(&browser, &address, "#/checks/47", "light", (1280, 1000));
    sign_in(
        &browser,
        &token(&json!({ "sub": "r.okonkwo", "role": ["admin", "officer"] })),
    );
    browser.sees("pixels");
    browser.until("!document.querySelector('[aria-busy]')");
    choose(&browser, "Erase this face");
    browser.fill("#typed", "47");
    browser.fill("#reason", "Request 2026-118 of the person, GDPR article 17");
    save(&browser, &folder.join("review-officer.png"));

    assert!(README.contains("(docs/images/privacy.png)"));
    browser.resize(1280, 1000);
    browser.open(&format!("http://{}/privacy", with_privacy()));
    browser.sees("How long");
    save(&browser, &folder.join("privacy.png"));

    assert!(README.contains("(docs/images/review-sign-in.png)"));
    show(&browser, &with_provider(), "", "light", (1280, 860));
    browser.sees("You sign in at login.bank.example");
    save(&browser, &folder.join("review-sign-in.png"));
}
