//! Submitters and readers that go on whatever happens to the database, and what they saw of it.
//!
//! Each submit is of a user, a session and an idempotency key of its own, so that SQL tells what became of it.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::node::{Answer, Node, customer, until};
use crate::transcript::Transcript;

const SUBMITTERS: usize = 8;
const READERS: i64 = 2;
/// Users below it only read.
const FIRST_SUBMITTING: i64 = 1000;

/// What one request came to.
struct Sample {
    at: Duration,
    took: Duration,
    /// Who submitted; none reads.
    submitter: Option<i64>,
    answer: Result<Answer, String>,
}

impl Sample {
    fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }

    /// The user and the record that was acknowledged.
    fn acknowledged(&self) -> Option<String> {
        let answer = self.answer.as_ref().ok().filter(|answer| answer.status == 200)?;
        Some(format!("{} {}", self.submitter?, answer.json["data"]["id"]))
    }
}

/// Load on a node.
pub(crate) struct Load<'a> {
    node: &'a Node,
    pub(crate) transcript: Transcript,
    samples: Mutex<Vec<Sample>>,
    next_user: AtomicI64,
    is_over: AtomicBool,
}

/// However what goes on beside the load ends, the load ends after it.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<'a> Load<'a> {
    /// Puts load on the node while `trouble` runs, and gives back what the load saw.
    pub(crate) fn during(node: &'a Node, title: &'static str, trouble: impl FnOnce(&Self)) -> Self {
        let load = Self {
            node,
            transcript: Transcript::of(title),
            samples: Mutex::default(),
            next_user: AtomicI64::new(FIRST_SUBMITTING),
            is_over: AtomicBool::new(false),
        };
        thread::scope(|scope| {
            for _ in 0..SUBMITTERS {
                scope.spawn(|| load.repeat(|| Some(load.next_user.fetch_add(1, Ordering::Relaxed))));
            }
            for _ in 0..READERS {
                scope.spawn(|| load.repeat(|| None));
            }
            let _ending = Ending(&load.is_over);
            trouble(&load);
        });
        load
    }

    fn repeat(&self, submitter: impl Fn() -> Option<i64>) {
        while !self.is_over.load(Ordering::Relaxed) {
            let (submitter, begun) = (submitter(), self.transcript.now());
            let answer = match submitter {
                Some(user) => self.submit(user),
                None => self.read(),
            };
            let at = self.transcript.now();
            let took = at - begun;
            let sample = Sample {
                at,
                took,
                submitter,
                answer,
            };
            if sample.status() != 200 {
                thread::sleep(Duration::from_millis(50));
            }
            self.samples.lock().unwrap().push(sample);
        }
    }

    fn submit(&self, user: i64) -> Result<Answer, String> {
        self.node
            .submit(user, &format!("session-{user}"), &format!("key-{user}"))
    }

    fn read(&self) -> Result<Answer, String> {
        self.node
            .send("CheckLivenessStatusQuery", &customer(1), None, &json!({}))
    }

    fn submits(&self, status: u16) -> usize {
        let samples = self.samples.lock().unwrap();
        samples
            .iter()
            .filter(|sample| sample.submitter.is_some() && sample.status() == status)
            .count()
    }

    /// Waits until that many more submits have been answered so.
    pub(crate) fn wait_for(&self, status: u16, more: usize) {
        let enough = self.submits(status) + more;
        let came = until(|| self.submits(status) >= enough);
        assert!(came, "no more {status}:\n{}", self.node.complaints().join("\n"));
    }

    /// Puts into the transcript what was seen, with the time of the trouble and of its end, and prints it.
    pub(crate) fn tell(&self, troubled: Duration, mended: Duration) {
        let samples = self.samples.lock().unwrap();
        let mut samples: Vec<_> = samples.iter().collect();
        samples.sort_by_key(|sample| sample.at);
        let tell = |what: &str, sample: Option<&&Sample>| {
            let Some(sample) = sample else { return };
            let of = sample.submitter.map_or("read", |_| "submit");
            let took = sample.took.as_secs_f64();
            self.transcript
                .at(sample.at, format!("{what} (a {of}, answered in {took:.2} s)"));
        };
        let refused: Vec<_> = samples
            .iter()
            .copied()
            .filter(|sample| sample.status() == 503)
            .collect();
        let retry_after = refused
            .first()
            .and_then(|sample| sample.answer.as_ref().ok()?.retry_after.clone());
        tell(
            &format!("first 503, Retry-After: {}", retry_after.unwrap_or_default()),
            refused.first(),
        );
        tell("last 503", refused.last());
        let is_good = |sample: &&&Sample| sample.status() == 200;
        let (before, after): (Vec<&Sample>, Vec<_>) =
            samples.iter().filter(is_good).partition(|sample| sample.at < mended);
        tell("last 200 before it was mended", before.last());
        tell("first 200 after it was mended", after.first());
        let submit = after.iter().find(|sample| sample.submitter.is_some());
        tell("first submit recorded after it was mended", submit);
        let slowest = |submits| {
            let of_kind = samples
                .iter()
                .filter(move |sample| sample.submitter.is_some() == submits);
            of_kind.max_by_key(|sample| sample.took)
        };
        tell("slowest of its kind", slowest(true));
        tell("slowest of its kind", slowest(false));

        let acknowledged: Vec<_> = samples
            .iter()
            .filter(|sample| sample.acknowledged().is_some())
            .collect();
        let gap = acknowledged.windows(2).map(|pair| pair[1].at - pair[0].at).max();
        let summary = format!(
            "end: {} answers, {} submits acknowledged, {} answers 503, longest gap between two acknowledgements {:.2} s, \
             trouble lasted {:.2} s",
            samples.len(),
            acknowledged.len(),
            refused.len(),
            gap.unwrap_or_default().as_secs_f64(),
            (mended - troubled).as_secs_f64(),
        );
        self.transcript.event(summary);
        self.transcript.print();
    }

    /// Every answer was 200, or 503 with Retry-After.
    pub(crate) fn assert_answers(&self) {
        let samples = self.samples.lock().unwrap();
        let is_odd = |sample: &&Sample| {
            let answer = sample.answer.as_ref();
            sample.status() != 200 && !answer.is_ok_and(Answer::is_come_again)
        };
        let odd: Vec<_> = samples.iter().filter(is_odd).collect();
        let shown: Vec<_> = odd.iter().take(5).map(|sample| (sample.at, &sample.answer)).collect();
        let complaints = self.node.complaints();
        let errors: Vec<_> = complaints
            .iter()
            .filter(|line| line.contains(" ERROR "))
            .take(5)
            .collect();
        assert!(odd.is_empty(), "{} answers like {shown:#?}\n{errors:#?}", odd.len());
    }

    /// Everything works, what was acknowledged is there with one audit entry each, and what was not is recorded once
    /// when it is sent again. `sql` asks the database.
    pub(crate) fn assert_records(&self, sql: impl Fn(&str) -> String) {
        let recorded = sql("SELECT self_service_user_id || ' ' || id FROM liveness_checks");
        let recorded: HashSet<_> = recorded.lines().map(ToOwned::to_owned).collect();
        let samples = self.samples.lock().unwrap();
        let acknowledged: HashSet<_> = samples.iter().filter_map(Sample::acknowledged).collect();
        let lost: Vec<_> = acknowledged.difference(&recorded).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        assert_eq!(sql(UNPAIRED), "", "user, records, audit entries");

        let submitted: Vec<_> = samples.iter().filter_map(|sample| sample.submitter).collect();
        let unknown = samples.iter().filter(|sample| sample.status() != 200);
        let unknown: Vec<_> = unknown.filter_map(|sample| sample.submitter).collect();
        for user in &unknown {
            let answer = self.submit(*user).unwrap();
            assert_eq!(answer.codes(), (200, "00"), "a retry by user {user}: {answer:?}");
        }
        assert_eq!(self.read().unwrap().codes(), (200, "00"));
        let counts = sql("SELECT count(*), count(DISTINCT self_service_user_id) FROM liveness_checks");
        assert_eq!(counts, format!("{0}|{0}", submitted.len()), "one record per key");
        assert_eq!(self.node.total_count(), submitted.len().to_string());
        println!(
            "  {} acknowledged records all there; of {} unacknowledged, {} were there before their retry\n",
            acknowledged.len(),
            unknown.len(),
            recorded.len() - acknowledged.len()
        );
    }
}

/// Users that have not exactly one record and one audit entry of its success.
const UNPAIRED: &str = "WITH \
    checks AS (SELECT self_service_user_id AS u, count(*) AS n FROM liveness_checks GROUP BY 1), \
    entries AS (SELECT self_service_user_id AS u, count(*) AS n FROM liveness_audit_entries \
        WHERE message = 'SubmitLivenessCheckCommand' AND outcome = '00' GROUP BY 1) \
    SELECT u, checks.n, entries.n FROM checks FULL JOIN entries USING (u) \
    WHERE checks.n IS DISTINCT FROM 1 OR entries.n IS DISTINCT FROM 1 LIMIT 10";
