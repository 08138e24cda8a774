//! The total of a page is the number of records at any moment, whatever was recorded, refused or repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use liveness_core::Decision;
use liveness_core::store::{
    CheckFilter, CheckPage, DecisionError, DecisionFilter, PageRequest, Recording, Store, StoreError,
};
use liveness_core::verdict::VerdictOutcome;

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, Xorshift, at, at_once, decision, keyed, made_at, recording, with_face};

const PRE_REGISTRATIONS: [Option<i64>; 3] = [None, Some(7), Some(8)];

fn filter(user: Option<i64>, pre_registration: Option<i64>, session: Option<&str>) -> CheckFilter {
    CheckFilter {
        self_service_user_id: user,
        pre_registration_id: pre_registration,
        session_id: session.map(str::to_owned),
        ..CheckFilter::default()
    }
}

/// The filter with every combination of outcomes, faces and spans of time.
fn narrowed(filter: &CheckFilter) -> Vec<CheckFilter> {
    let spans = [
        (None, None),
        (Some(3), None),
        (None, Some(7)),
        (Some(2), Some(8)),
        (Some(5), Some(5)),
    ];
    let either = [None, Some(true), Some(false)];
    let mut filters = Vec::new();
    for (from, to) in spans {
        for is_successful in either {
            filters.extend(either.map(|has_image| CheckFilter {
                from: from.map(|millis| at(NOW + millis)),
                to: to.map(|millis| at(NOW + millis)),
                is_successful,
                has_image,
                ..filter.clone()
            }));
        }
    }
    let judged = judged(&filters);
    filters.extend(judged);
    filters
}

/// Each filter with some verdict and some decision: all pairs of them, one after the other.
fn judged(filters: &[CheckFilter]) -> Vec<CheckFilter> {
    let verdicts = [None].into_iter().chain(VerdictOutcome::ALL.map(Some));
    let decided = Decision::ALL.map(|decision| Some(DecisionFilter::Is(decision)));
    let decisions = [None, Some(DecisionFilter::Undecided)].into_iter().chain(decided);
    let pairs: Vec<_> = verdicts
        .flat_map(|verdict| decisions.clone().map(move |decision| (verdict, decision)))
        .collect();
    let judged = filters.iter().zip(pairs.iter().cycle());
    let judged = judged.map(|(filter, (verdict, decision))| CheckFilter {
        verdict: *verdict,
        decision: *decision,
        ..filter.clone()
    });
    judged.collect()
}

/// Filters with every combination of users, pre-registrations and sessions. Some of them have no records.
fn every_filter() -> Vec<CheckFilter> {
    let users = [None, Some(1), Some(2), Some(3), Some(4), Some(99)];
    let pre_registrations = [None, Some(7), Some(8), Some(99)];
    let sessions = [
        None,
        Some("session-0"),
        Some("session-1"),
        Some("session-2"),
        Some("none"),
    ];
    let mut filters = Vec::new();
    for user in users {
        for pre_registration in pre_registrations {
            filters.extend(sessions.map(|session| filter(user, pre_registration, session)));
        }
    }
    filters
}

fn condition(filter: &CheckFilter) -> String {
    let mut conditions = vec!["TRUE".to_owned()];
    conditions.extend(
        filter
            .self_service_user_id
            .map(|id| format!("self_service_user_id = {id}")),
    );
    conditions.extend(
        filter
            .pre_registration_id
            .map(|id| format!("pre_registration_id = {id}")),
    );
    conditions.extend(filter.session_id.as_ref().map(|id| format!("session_id = '{id}'")));
    conditions.extend(filter.from.map(|from| format!("created_at >= {}", from.unix_millis())));
    conditions.extend(filter.to.map(|to| format!("created_at < {}", to.unix_millis())));
    conditions.extend(filter.is_successful.map(|is| format!("is_successful = {is}")));
    conditions.extend(filter.has_image.map(|has| format!("has_image = {has}")));
    conditions.extend(filter.verdict.map(|verdict| format!("verdict = {}", verdict as i32)));
    conditions.extend(filter.decision.map(|decision| match decision {
        DecisionFilter::Is(decision) => format!("decision = {}", decision as i32),
        DecisionFilter::Undecided => "decision IS NULL".to_owned(),
    }));
    conditions.join(" AND ")
}

async fn page(store: &Store, filter: &CheckFilter) -> CheckPage {
    let page = PageRequest { number: 1, size: 100 };
    store.checks().page(filter.clone(), page).await.unwrap()
}

async fn assert_totals(database: &Database) {
    let mut link = database.connect();
    for filter in every_filter().iter().flat_map(narrowed) {
        let counted = link.number(&format!(
            "SELECT count(*) FROM liveness_checks WHERE {}",
            condition(&filter)
        ));
        let page = page(&database.store, &filter).await;
        assert_eq!(
            (page.total, page.items.len() as i64),
            (counted, counted.min(100)),
            "{filter:?}"
        );
    }
}

/// A random recording of one of four users. It has a pre-registration, a key and a face, or not, and succeeded or failed. Its session usually
/// belongs to the user.
fn anything(random: &mut Xorshift) -> Recording {
    let user = 1 + random.below(4) as i64;
    let session = match random.below(4) {
        0 => format!("session-{}", 1 + random.below(12)),
        _ => format!("session-{}", user + 4 * random.below(3) as i64),
    };
    let mut recording = match random.below(3) {
        0 => keyed(
            user,
            &session,
            &format!("key-{}", random.below(9)),
            random.one_of(&["{}", "other"]),
        ),
        _ => recording(user, &session),
    };
    recording.check.user.pre_registration_id = random.one_of(&PRE_REGISTRATIONS);
    recording.check.is_successful = random.below(4) > 0;
    if random.below(3) == 0 {
        recording = with_face(recording);
    }
    made_at(NOW + random.below(10) as i64, recording)
}

async fn after_any_history_every_total_is_correct(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let mut random = Xorshift(0x5EED);
    let mut refused = 0;
    for _ in 0..10 {
        let calls = (0..50).map(|number| {
            let (store, recording) = (stores[number % 2].clone(), anything(&mut random));
            async move { store.checks().record(recording).await }
        });
        for answer in at_once(calls).await {
            match answer {
                Ok(_) => {}
                Err(StoreError::SessionOfAnotherUser | StoreError::IdempotencyKeyReused) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        // Some are decided on again, and some decisions come too late.
        for (store, who) in stores.iter().zip(["anne", "bert"]) {
            for _ in 0..8 {
                let (id, seen) = (1 + random.below(60) as i64, random.below(3) as i64);
                let order = decision(id, who, random.one_of(&Decision::ALL), seen);
                match store.reviews().decide(order).await {
                    Ok(_) | Err(DecisionError::Stale | DecisionError::NoSuchRecord) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    }

    let decided = database.number("SELECT count(*) FROM liveness_checks WHERE decision IS NOT NULL");
    assert!(decided > 10, "{decided} decided on");
    let recorded = database.number("SELECT count(*) FROM liveness_checks");
    assert!(recorded > 100 && refused > 50, "{recorded} recorded, {refused} refused");
    assert_totals(&database).await;
}

/// Asks two stores in turn for a page until everything is recorded, and then once more. Returns the last total.
async fn watch(stores: [Store; 2], filter: CheckFilter, is_over: Arc<AtomicBool>) -> i64 {
    let mut last = 0;
    for store in stores.iter().cycle() {
        let was_over = is_over.load(Ordering::SeqCst);
        let page = page(store, &filter).await;
        assert!(page.total >= last, "{} after {last}: {filter:?}", page.total);
        assert_eq!(page.items.len() as i64, page.total.min(100), "{filter:?}");
        last = page.total;
        if was_over {
            break;
        }
    }
    last
}

async fn while_others_record_no_total_is_wrong(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let is_over = Arc::new(AtomicBool::new(false));
    let watched = [
        filter(None, None, None),
        filter(Some(1), None, None),
        filter(None, Some(7), None),
        filter(Some(1), Some(7), None),
        filter(None, None, Some("session-1")),
        filter(Some(1), None, Some("session-1")),
        filter(Some(1), Some(7), Some("session-1")),
        filter(Some(2), None, Some("session-1")),
    ];
    let watchers: Vec<_> = watched
        .into_iter()
        .map(|filter| tokio::spawn(watch(stores.clone(), filter, Arc::clone(&is_over))))
        .collect();

    let calls = (0..8).map(|number| {
        let (store, user) = (stores[number % 2].clone(), number as i64 / 2 + 1);
        async move {
            for run in 0..24 {
                let mut recording = recording(user, &format!("session-{user}"));
                recording.check.user.pre_registration_id = PRE_REGISTRATIONS[run % 3];
                store.checks().record(recording).await?;
            }
            Ok::<_, StoreError>(())
        }
    });
    for outcome in at_once(calls).await {
        outcome.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);

    let mut totals = Vec::new();
    for watcher in watchers {
        totals.push(watcher.await.unwrap());
    }
    assert_eq!(totals, [192, 48, 64, 16, 48, 48, 16, 0]);
    assert_totals(&database).await;
}

async fn refused_and_repeated_calls_are_not_counted(database: Database) {
    database.record(keyed(1, "session-1", "key-1", "{}")).await;
    database.record(recording(2, "session-2")).await;
    let before = database.totals();
    let mut of_nothing = recording(3, "session-3");
    of_nothing.check.user.pre_registration_id = Some(0);
    let refused = [
        recording(2, "session-1"),
        keyed(1, "session-1", "key-1", "other"),
        recording(0, "session-0"),
        of_nothing,
    ];

    for recording in refused {
        assert!(database.store.checks().record(recording).await.is_err());
    }
    assert!(database.record(keyed(1, "session-1", "key-1", "{}")).await.is_replay);

    assert_eq!(database.totals(), before);
    assert_totals(&database).await;
}

on_each_engine! {
    after_any_history_every_total_is_correct,
    refused_and_repeated_calls_are_not_counted,
    ;
    not on Citus:
    while_others_record_no_total_is_wrong,
}
