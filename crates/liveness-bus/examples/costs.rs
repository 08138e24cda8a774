//! Measures what the messages cost. The databases are made by liveness-core's example `fill`.
//!
//! ```text
//! cargo run --release --example costs -- growth sqlite:///tmp/10k.db sqlite:///tmp/5m.db
//! cargo run --release --example costs -- inserts sqlite:///tmp/empty.db postgres://user@localhost/empty
//! ```
//!
//! - `growth` prints the median time of each message, with one caller and no HTTP. The databases take turns. The ratios are
//!   to the first database. Make the databases with `--faces 1000`, and read each once before, so that the disk is not
//!   measured.
//! - `inserts` prints how many records without an image are written per second, by 1, 8, 32 and 128 callers at once. It
//!   measures a transaction for each record and group commit, in turns.

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_bus::liveness::{self, Liveness, Settings};
use liveness_bus::{Bus, Context, Principal};
use liveness_core::store::{CheckFilter, GroupCommit, PageRequest, Store, StoreSettings, StoredUsers};
use liveness_core::trail::TrailKey;
use liveness_core::{Claims, UserReference};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &*arguments {
        [what, urls @ ..] if what == "growth" && !urls.is_empty() => growth(urls).await,
        [what, urls @ ..] if what == "inserts" && !urls.is_empty() => inserts(urls).await,
        _ => Err("usage: costs growth|inserts DATABASE_URL…".into()),
    }
}

/// A database with the bus on it.
#[derive(Clone)]
struct Subject {
    bus: Bus,
    store: Store,
    records: i64,
    /// Users that have a record with a face.
    faces: Vec<i64>,
}

impl Subject {
    fn open(url: &str, group_commit: GroupCommit) -> Result<Self, Box<dyn Error>> {
        let settings = StoreSettings {
            group_commit,
            ..StoreSettings::default()
        };
        let store = Store::open_with(url, settings)?;
        store.migrate()?;
        // Without a key, no digests of images are made, and none are looked for.
        store.trail().sign_entries(&TrailKey::generate()?.key)?;
        let users = Arc::new(StoredUsers::new(store.users().clone(), true));
        let module = liveness::module(Liveness::new(store.clone(), users, Settings::default()));
        let bus = Bus::builder().module(module).audit_sink(store.clone()).build()?;
        Ok(Self {
            bus,
            store,
            records: 0,
            faces: Vec::new(),
        })
    }

    /// Counts the records, and finds users with a face among the newest ones.
    async fn explored(mut self) -> Result<Self, Box<dyn Error>> {
        for number in 1..=100 {
            let page = self
                .store
                .checks()
                .page(CheckFilter::default(), PageRequest { number, size: 100 })
                .await?;
            self.records = page.total;
            let with_face = page.items.iter().filter(|check| check.has_image);
            self.faces.extend(with_face.map(|check| check.self_service_user_id));
        }
        if self.faces.is_empty() {
            return Err("there are no faces among the newest records: fill it with --faces 1000".into());
        }
        let of_frequent_user = CheckFilter {
            self_service_user_id: Some(FREQUENT_USER),
            ..CheckFilter::default()
        };
        let page = PageRequest { number: 1, size: 1 };
        self.records -= self.store.checks().page(of_frequent_user, page).await?.total;
        Ok(self)
    }

    async fn send(
        &self,
        (name, body, context): &(&str, String, Context),
    ) -> Result<usize, Box<dyn Error + Send + Sync>> {
        let mut reply = Vec::new();
        self.bus.dispatch(name, body.as_bytes(), context, &mut reply).await?;
        Ok(reply.len())
    }
}

/// A random number, different in every run.
fn random() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    RandomState::new().hash_one(LAST.fetch_add(1, Ordering::Relaxed))
}

fn customer(id: i64) -> Context {
    let user = Claims::of(UserReference::Id(id)).to_user(id);
    Context::builder(Principal::new(id.to_string()).with_role("customer").with_user(user)).build()
}

fn admin() -> Context {
    Context::builder(Principal::new("costs").with_role("admin")).build()
}

fn command(name: &'static str, user: i64) -> (&'static str, String, Context) {
    with_image(name, user, "")
}

/// A small image that was never recorded: the header of a JPEG of one pixel, and a random number.
fn new_image() -> String {
    const HEADER: &[u8] = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0";
    STANDARD.encode([HEADER, &random().to_le_bytes()].concat())
}

fn with_image(name: &'static str, user: i64, image: &str) -> (&'static str, String, Context) {
    let body = format!(
        r#"{{"sessionId":"costs-{:016x}","isSuccessful":true,"imageBase64":"{image}","metadata":{{"verificationResult":true,
            "sessionDuration":4200,"lightingValue":0.93,"challengeCount":3,"completedChallenges":["BLINK","SMILE","TURN_LEFT"]}}}}"#,
        random()
    );
    (name, body, customer(user))
}

/// The user to whom `fill` gives 10,000 records.
const FREQUENT_USER: i64 = 1 << 40;

type Call = (&'static str, String, Context);
/// The name of a case, and a function that makes a new message for each measurement.
type Case = (&'static str, fn(&Subject) -> Call);

fn list(filter: String) -> Call {
    ("RetrieveLivenessChecksQuery", filter, admin())
}

/// A random user of the database. `fill` makes three records for each.
fn any_user(subject: &Subject) -> i64 {
    (random() >> 1).cast_signed() % (subject.records / 3).max(1) + 1
}

/// A random user with their own pre-registration. `fill` gives one to every second user.
fn registered_user(subject: &Subject) -> i64 {
    any_user(subject) / 4 * 4 + 2
}

const CASES: [Case; 15] = [
    ("status", |subject| {
        ("CheckLivenessStatusQuery", "{}".into(), customer(any_user(subject)))
    }),
    ("get user, face of 60 KB", |subject| {
        let place = random() % subject.faces.len() as u64;
        let user = subject.faces[usize::try_from(place).unwrap_or_default()];
        ("GetUserLivenessCheckQuery", format!(r#"{{"userId":{user}}}"#), admin())
    }),
    ("submit", |subject| {
        command("SubmitLivenessCheckCommand", any_user(subject))
    }),
    // Also looks for earlier records of the image.
    ("submit, with a small new image", |subject| {
        with_image("SubmitLivenessCheckCommand", any_user(subject), &new_image())
    }),
    ("update", |subject| {
        command("UpdateLivenessCheckCommand", any_user(subject))
    }),
    ("list, page 1", |_| list("{}".into())),
    ("list, of a user", |subject| {
        list(format!(r#"{{"selfServiceUserId":{}}}"#, any_user(subject)))
    }),
    ("list, of a pre-registration", |subject| {
        list(format!(
            r#"{{"preRegistrationId":{}}}"#,
            1000 + registered_user(subject)
        ))
    }),
    ("list, of a campaign", |_| list(r#"{"preRegistrationId":7}"#.into())),
    ("list, of a session", |subject| {
        let number = random() % subject.records.cast_unsigned().max(1);
        let mixed = number * 2_654_435_761 % 4_294_967_296;
        list(format!(r#"{{"sessionId":"sdk-session-{mixed}"}}"#))
    }),
    ("list, of user and pre-registration", |subject| {
        let user = registered_user(subject);
        list(format!(
            r#"{{"selfServiceUserId":{user},"preRegistrationId":{}}}"#,
            1000 + user
        ))
    }),
    ("status, user with 10,000 records", |_| {
        ("CheckLivenessStatusQuery", "{}".into(), customer(FREQUENT_USER))
    }),
    ("list, of that user", |_| {
        list(format!(r#"{{"selfServiceUserId":{FREQUENT_USER}}}"#))
    }),
    ("list, of a session of that user", |_| {
        list(format!(r#"{{"sessionId":"frequent-{}"}}"#, random() % 1000))
    }),
    ("list, 100,000 records deep", |_| list(r#"{"pageNumber":5001}"#.into())),
];

async fn growth(urls: &[String]) -> Result<(), Box<dyn Error>> {
    let mut subjects = Vec::new();
    for url in urls {
        subjects.push(Subject::open(url, GroupCommit::default())?.explored().await?);
    }
    let mut out = std::io::stdout();
    let sizes: Vec<_> = subjects
        .iter()
        .map(|subject| format!("{:>10} records      ", subject.records))
        .collect();
    writeln!(out, "{:36}{}", "median, one caller", sizes.join(""))?;
    for (name, call) in CASES {
        let mut times = vec![Vec::new(); subjects.len()];
        // The first rounds warm up.
        for round in 0..500 {
            for (subject, times) in subjects.iter().zip(&mut times) {
                let call = call(subject);
                let begun = Instant::now();
                subject.send(&call).await.map_err(|error| format!("{name}: {error}"))?;
                if round >= 50 {
                    times.push(begun.elapsed());
                }
            }
        }
        let medians: Vec<_> = times.iter_mut().map(|times| median(times)).collect();
        let shown = medians
            .iter()
            .map(|time| format!("{:>8.0} µs ({:4.2})     ", time * 1e6, time / medians[0]));
        writeln!(out, "{name:36}{}", shown.collect::<String>())?;
    }
    Ok(())
}

/// In seconds.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64)
}

async fn inserts(urls: &[String]) -> Result<(), Box<dyn Error>> {
    let each_alone = GroupCommit {
        batch: 1,
        ..GroupCommit::default()
    };
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{:>7}  {:28}{:>12}{:>14}{:>8}",
        "callers", "records a second", "each alone", "group commit", "ratio"
    )?;
    for callers in [1, 8, 32, 128] {
        for url in urls {
            let mut rates = [Vec::new(), Vec::new()];
            for _ in 0..3 {
                for (settings, rates) in [each_alone, GroupCommit::default()].into_iter().zip(&mut rates) {
                    rates.push(insert(Subject::open(url, settings)?, callers).await?);
                }
            }
            let [alone, grouped] = rates.map(|mut rates| {
                rates.sort_by(f64::total_cmp);
                rates[rates.len() / 2]
            });
            let engine = url.split(':').next().unwrap_or_default();
            writeln!(
                out,
                "{callers:>7}  {engine:28}{alone:>12.0}{grouped:>14.0}{:>8.1}",
                grouped / alone
            )?;
        }
    }
    Ok(())
}

/// Records a second.
async fn insert(subject: Subject, callers: u32) -> Result<f64, Box<dyn Error>> {
    let (begun, length) = (Instant::now(), Duration::from_secs(3));
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let subject = subject.clone();
        tasks.spawn(async move {
            let mut done = 0_u32;
            while begun.elapsed() < length {
                subject
                    .send(&command("SubmitLivenessCheckCommand", i64::from(caller) + 1))
                    .await?;
                done += 1;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(done)
        });
    }
    let mut done = 0;
    for task in tasks.join_all().await {
        done += task.map_err(|error| error as Box<dyn Error>)?;
    }
    Ok(f64::from(done) / begun.elapsed().as_secs_f64())
}
