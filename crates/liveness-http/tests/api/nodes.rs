//! Two servers, each a process, on one database.

use crate::audit::entries;
use crate::concurrency::at_once;
use crate::engine::{Engine, on_each_engine};
use crate::recording::{records, submit};
use crate::server::{Answer, Server, report};

fn nodes(engine: Engine) -> [Server; 2] {
    let one = Server::start(engine);
    let other = one.beside();
    [one, other]
}

fn a_session_of_one_nodes_user_is_refused_to_others_on_the_other(engine: Engine) {
    let [one, other] = nodes(engine);

    let recorded = submit(&one, 1, "key-1", &report("s", true));
    let refused = submit(&other, 2, "key-1", &report("s", true));
    let again = submit(&other, 1, "key-2", &report("s", true));

    assert_eq!(
        [recorded.codes(), refused.codes(), again.codes()],
        [(200, "00"), (409, "94"), (200, "00")]
    );
    assert_eq!([&one, &other].map(records), [2, 2]);
}

fn a_key_used_on_one_node_is_replayed_on_the_other(engine: Engine) {
    let [one, other] = nodes(engine);

    let recorded = submit(&one, 1, "key", &report("s", true));
    let replayed = submit(&other, 1, "key", &report("s", true));
    let reused = submit(&other, 1, "key", &report("another", true));

    assert_eq!((recorded.codes(), &recorded.json), ((200, "00"), &replayed.json));
    assert_eq!((replayed.codes(), reused.codes()), ((200, "00"), (409, "94")));
    assert_eq!([&one, &other].map(records), [1, 1]);
}

fn what_is_raced_for_across_nodes_is_recorded_once(engine: Engine) {
    let nodes = nodes(engine);

    let same = at_once(16, |index| submit(&nodes[index % 2], 1, "key", &report("s", true)));
    let contested = at_once(8, |index| {
        submit(&nodes[index % 2], index as i64 + 1, "race", &report("contested", true))
    });

    let is_first = |answer: &Answer| answer.codes() == (200, "00") && answer.json == same[0].json;
    assert!(same.iter().all(is_first), "{same:?}");
    let count = |codes| contested.iter().filter(|answer| answer.codes() == codes).count();
    assert_eq!((count((200, "00")), count((409, "94"))), (1, 7), "{contested:?}");
    assert_eq!(nodes.each_ref().map(records), [2, 2]);
}

fn what_both_nodes_record_at_once_is_counted_by_both(engine: Engine) {
    let nodes = nodes(engine);

    let answers = at_once(32, |index| {
        submit(
            &nodes[index % 2],
            index as i64 + 1,
            "key",
            &report(&format!("s-{index}"), true),
        )
    });

    assert!(
        answers.iter().all(|answer| answer.codes() == (200, "00")),
        "{answers:?}"
    );
    assert_eq!(nodes.each_ref().map(records), [32, 32]);
    let done = entries(&nodes[0])
        .into_iter()
        .filter(|entry| entry.message == "SubmitLivenessCheckCommand" && entry.outcome == "00")
        .count();
    assert_eq!(done, 32);
}

on_each_engine! {
    a_session_of_one_nodes_user_is_refused_to_others_on_the_other,
    a_key_used_on_one_node_is_replayed_on_the_other,
    what_is_raced_for_across_nodes_is_recorded_once,
    what_both_nodes_record_at_once_is_counted_by_both,
}
