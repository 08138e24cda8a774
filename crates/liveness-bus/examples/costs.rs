//! What the messages cost, on databases of one's own: `fill` of liveness-core makes them.
//!
//! ```text
//! cargo run --release --example costs -- growth sqlite:///tmp/10k.db sqlite:///tmp/5m.db
//! cargo run --release --example costs -- inserts sqlite:///tmp/empty.db postgres://user@localhost/empty
//! ```
//!
//! `growth`: the median time of each message, one caller, no HTTP, in turns on each database; the ratios are to the first.
//! The databases are `fill`'s, with `--faces 1000`, and read once before, so that the disk is not what is measured.
//! `inserts`: records without an image per second, by 1, 8, 32 and 128 callers at once, each with a transaction of its own
//! and with group commit, in turns.

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use liveness_bus::liveness::{self, Liveness, Settings};
use liveness_bus::{Bus, Context, Principal};
use liveness_core::store::{CheckFilter, GroupCommit, PageRequest, Store, StoreSettings, StoredUsers};
use liveness_core::{Claims, SystemClock, UserReference};
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
}

impl Subject {
    fn open(url: &str, group_commit: GroupCommit) -> Result<Self, Box<dyn Error>> {
        let settings = StoreSettings {
            group_commit,
            ..StoreSettings::default()
        };
        let store = Store::open_with(url, settings)?;
        store.migrate()?;
        let users = Arc::new(StoredUsers::new(store.clone(), Arc::new(SystemClock), true));
        let module = liveness::module(Liveness::new(store.clone(), users, Settings::default()));
        let bus = Bus::builder().module(module).audit_sink(store.clone()).build()?;
        Ok(Self { bus, store })
    }

    async fn send(
        &self,
        (name, body, context): &(&str, String, Context),
    ) -> Result<usize, Box<dyn Error + Send + Sync>> {
        let mut reply = Vec::new();
        self.bus.dispatch(name, body.as_bytes(), context, &mut reply).await?;
        Ok(reply.len())
    }

    async fn total(&self) -> Result<i64, Box<dyn Error>> {
        let one = PageRequest { number: 1, size: 1 };
        Ok(self.store.checks(CheckFilter::default(), one).await?.total)
    }
}

/// Numbers in no order, never the same in two runs.
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
    let body = format!(
        r#"{{"sessionId":"costs-{:016x}","isSuccessful":true,"metadata":{{"verificationResult":true,"sessionDuration":4200,
            "lightingValue":0.93,"challengeCount":3,"completedChallenges":["BLINK","SMILE","TURN_LEFT"]}}}}"#,
        random()
    );
    (name, body, customer(user))
}

type Call = (&'static str, String, Context);
/// A message, made anew for each time, on a database of so many records.
type Case = (&'static str, fn(i64) -> Call);

fn list(filter: String) -> Call {
    ("RetrieveLivenessChecksQuery", filter, admin())
}

fn user_of(records: i64) -> i64 {
    let users = (records / 3).max(1);
    (random() >> 1).cast_signed() % users + 1
}

/// A user with a pre-registration of their own, as `fill` gives every other one.
fn registered_user_of(records: i64) -> i64 {
    user_of(records) / 4 * 4 + 2
}

const CASES: [Case; 11] = [
    ("status", |records| {
        ("CheckLivenessStatusQuery", "{}".into(), customer(user_of(records)))
    }),
    // `fill --faces 1000` gives them to the last users.
    ("get user, face of 60 KB", |records| {
        let user = (records - 1000) / 3 - user_of(2700);
        ("GetUserLivenessCheckQuery", format!(r#"{{"userId":{user}}}"#), admin())
    }),
    ("submit", |records| {
        command("SubmitLivenessCheckCommand", user_of(records))
    }),
    ("update", |records| {
        command("UpdateLivenessCheckCommand", user_of(records))
    }),
    ("list, page 1", |_| list("{}".into())),
    ("list, of a user", |records| {
        list(format!(r#"{{"selfServiceUserId":{}}}"#, user_of(records)))
    }),
    ("list, of a pre-registration", |records| {
        list(format!(
            r#"{{"preRegistrationId":{}}}"#,
            1000 + registered_user_of(records)
        ))
    }),
    ("list, of a campaign", |_| list(r#"{"preRegistrationId":7}"#.into())),
    ("list, of a session", |records| {
        let number = (random() >> 1) % records.cast_unsigned().max(1);
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        list(format!(r#"{{"sessionId":"sdk-session-{mixed:016x}"}}"#))
    }),
    ("list, of user and pre-registration", |records| {
        let user = registered_user_of(records);
        list(format!(
            r#"{{"selfServiceUserId":{user},"preRegistrationId":{}}}"#,
            1000 + user
        ))
    }),
    ("list, 100,000 records deep", |_| list(r#"{"pageNumber":5001}"#.into())),
];

async fn growth(urls: &[String]) -> Result<(), Box<dyn Error>> {
    let mut subjects = Vec::new();
    for url in urls {
        let subject = Subject::open(url, GroupCommit::default())?;
        let records = subject.total().await?;
        subjects.push((subject, records));
    }
    let mut out = std::io::stdout();
    let sizes: Vec<_> = subjects
        .iter()
        .map(|(_, records)| format!("{records:>10} records      "))
        .collect();
    writeln!(out, "{:36}{}", "median, one caller", sizes.join(""))?;
    for (name, call) in CASES {
        let mut times = vec![Vec::new(); subjects.len()];
        // The first rounds warm up.
        for round in 0..500 {
            for ((subject, records), times) in subjects.iter().zip(&mut times) {
                let call = call(*records);
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
