//! `jobs`: what waits and what was given up is listed, and tried again.

use std::time::Duration;

use liveness_core::jobs::{JobKind, NewJob};
use serde_json::Value;

use crate::binary::{Place, block_on};
use crate::engine::{Engine, on_each_engine};

const KIND: JobKind = JobKind::new("a.kind");

/// A database with a job that waits, and one that was given up.
fn with_jobs(engine: Engine) -> Place {
    let place = Place::new(engine);
    let store = place.store();
    let jobs = ["given up", "waits"].map(|key| NewJob::of(KIND).with_key(key));
    block_on(store.jobs().enqueue(jobs.into())).unwrap();
    let taken = store.jobs().take(KIND, Duration::from_secs(60)).unwrap().unwrap();
    assert_eq!(taken.key.as_deref(), Some("given up"));
    assert!(store.jobs().fail(&taken, "no answer", None).unwrap());
    place
}

fn json_lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn a_new_database_has_no_jobs(engine: Engine) {
    let place = Place::new(engine);
    let listed = place.run(&["jobs", "list"]).good();
    assert_eq!(
        listed.split_whitespace().collect::<Vec<_>>().join(" "),
        "ID STATE KIND ATTEMPTS RUN AT KEY LAST ERROR"
    );
    assert_eq!(place.run(&["jobs", "list", "--format", "json"]).good(), "");
    assert_eq!(
        place.run(&["jobs", "retry", "--all"]).good(),
        "0 jobs run now, with all their attempts\n"
    );
}

fn jobs_are_listed_with_why_they_were_given_up(engine: Engine) {
    let place = with_jobs(engine);
    let listed = place.run(&["jobs", "list"]).good();
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(
        lines[1].contains("  dead     a.kind ") && lines[1].ends_with("  given up  no answer"),
        "{listed}"
    );
    assert!(
        lines[2].contains("  waiting  a.kind ") && lines[2].ends_with("  waits  -"),
        "{listed}"
    );

    let dead = json_lines(&place.run(&["jobs", "list", "--dead", "--format", "json"]).good());
    let [job] = dead.as_slice() else { panic!("{dead:?}") };
    assert_eq!((&job["state"], &job["kind"]), (&"dead".into(), &"a.kind".into()));
    assert_eq!((&job["attempts"], &job["lastError"]), (&1.into(), &"no answer".into()));
}

fn what_was_given_up_is_tried_again_and_the_trail_says_by_whom(engine: Engine) {
    let place = with_jobs(engine);
    let dead = json_lines(&place.run(&["jobs", "list", "--dead", "--format", "json"]).good());
    let id = dead[0]["id"].to_string();

    let told = place.run(&["jobs", "retry", &id]).good();

    assert_eq!(told, format!("job {id} runs now, with all its attempts\n"));
    assert_eq!(place.run(&["jobs", "list", "--dead", "--format", "json"]).good(), "");
    let refused = place.run(&["jobs", "retry", &id]);
    let why = format!("job {id} was not given up, or is not there; `jobs list --dead` shows those that were");
    assert_eq!(refused.failure(), (Some(1), why.as_str()));
    let entries = place.told_by("jobs retry").into_iter();
    let told: Vec<_> = entries
        .map(|(subject, _)| (subject.shown.detail.unwrap(), subject.shown.count))
        .collect();
    let (job, done) = (format!("job {id}"), format!("done; job {id}"));
    assert_eq!(
        told,
        [
            (job.clone(), None),
            (done.clone(), Some(1)),
            (job, None),
            (done, Some(0))
        ]
    );
}

#[test]
fn a_retry_says_which_job() {
    let place = Place::empty(Engine::Sqlite);
    for arguments in [
        vec!["jobs", "retry"],
        vec!["jobs", "retry", "1", "--all"],
        vec!["jobs", "retry", "0"],
    ] {
        assert_eq!(place.run(&arguments).code, Some(2), "{arguments:?}");
    }
}

on_each_engine! {
    a_new_database_has_no_jobs,
    jobs_are_listed_with_why_they_were_given_up,
    what_was_given_up_is_tried_again_and_the_trail_says_by_whom,
}
