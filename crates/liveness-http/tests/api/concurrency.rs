//! Requests that come at the same moment.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;

use crate::audit::entries;
use crate::engine::{Engine, on_each_engine};
use crate::recording::{records, submit};
use crate::server::{Answer, Server, report};

/// Runs `call` on many threads at the same moment.
pub fn at_once<T: Send>(threads: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
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

fn customers_who_submit_at_once_are_all_recorded(engine: Engine) {
    let server = Server::start(engine);

    let answers = at_once(64, |index| {
        submit(&server, index as i64 + 1, "key", &report(&format!("s-{index}"), true))
    });

    assert!(
        answers.iter().all(|answer| answer.codes() == (200, "00")),
        "{answers:?}"
    );
    let ids: HashSet<_> = answers.iter().map(|answer| answer.data()["id"].as_i64()).collect();
    assert_eq!((ids.len(), records(&server)), (64, 64));
    let mut left: Vec<_> = entries(&server)
        .into_iter()
        .filter(|entry| entry.message == "SubmitLivenessCheckCommand")
        .map(|entry| (entry.self_service_user_id, entry.outcome.into_owned()))
        .collect();
    left.sort();
    let expected: Vec<_> = (1..=64).map(|user| (Some(user), "00".to_owned())).collect();
    assert_eq!(left, expected);
}

fn a_session_raced_for_belongs_to_one_user(engine: Engine) {
    let server = Server::start(engine);

    let answers = at_once(8, |index| {
        submit(&server, index as i64 + 1, "key", &report("contested", true))
    });

    let count = |codes| answers.iter().filter(|answer| answer.codes() == codes).count();
    assert_eq!((count((200, "00")), count((409, "94"))), (1, 7), "{answers:?}");
    assert_eq!(records(&server), 1);
}

fn one_key_used_many_times_at_once_records_once(engine: Engine) {
    let server = Server::start(engine);

    let answers = at_once(32, |_| submit(&server, 1, "key", &report("s", true)));

    let is_first = |answer: &Answer| answer.codes() == (200, "00") && answer.json == answers[0].json;
    assert!(answers.iter().all(is_first), "{answers:?}");
    assert_eq!(records(&server), 1);
}

on_each_engine! {
    customers_who_submit_at_once_are_all_recorded,
    a_session_raced_for_belongs_to_one_user,
    one_key_used_many_times_at_once_records_once,
}
