//! Searches of the audit trail find what a look at every entry finds, in order, page by page.

use std::collections::BTreeSet;

use liveness_core::store::{FaceLook, TrailFilter, TrailPage, TrailPageRequest};
use liveness_core::trail::TrailKey;
use liveness_core::{AuditEntry, AuditSubject, Shown};

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, Xorshift, at, audit_entry};

const ENTRIES: u64 = 400;
/// Ids of which one is a part of another as text, and some of which share a bucket.
const RECORDS: [i64; 6] = [1, 7, 17, 70, 255, 256];
const USERS: [i64; 3] = [1, 2, 3];
/// Some of them are users.
const SENDERS: [&str; 5] = ["reviewer-1", "cli:root", "1", "2", "02"];
const MESSAGES: [&str; 3] = ["GetLivenessCheckQuery", "RetrieveLivenessChecksQuery", "checks export"];
/// Several entries have the same time.
const TIMES: u64 = 40;

fn entry(random: &mut Xorshift) -> AuditEntry {
    let is_list = random.below(2) == 0;
    let records = if is_list {
        RECORDS.into_iter().filter(|_| random.below(4) == 0).collect()
    } else {
        Vec::new()
    };
    let subject = AuditSubject {
        liveness_check_id: (!is_list).then(|| random.one_of(&RECORDS)),
        face_digest: None,
        shown: Shown {
            records,
            // A text that looks like a list does not count.
            purpose: Some("[7,17]".to_owned()),
            ..Shown::default()
        },
    };
    AuditEntry {
        at: at(NOW + random.below(TIMES) as i64),
        principal: random.one_of(&SENDERS).to_owned(),
        message: random.one_of(&MESSAGES).into(),
        self_service_user_id: Some(random.one_of(&USERS)).filter(|_| random.below(4) > 0),
        subject,
        ..audit_entry(1)
    }
}

fn matches(filter: &TrailFilter, entry: &AuditEntry) -> bool {
    let AuditSubject {
        liveness_check_id,
        shown,
        ..
    } = &entry.subject;
    let tells_of = |id: &i64| *liveness_check_id == Some(*id) || shown.records.contains(id);
    filter
        .self_service_user_id
        .is_none_or(|user| entry.self_service_user_id == Some(user))
        && filter
            .principal
            .as_ref()
            .is_none_or(|principal| entry.principal == *principal)
        && filter.message.as_ref().is_none_or(|message| entry.message == *message)
        && filter.liveness_check_id.as_ref().is_none_or(tells_of)
        && filter.from.is_none_or(|from| entry.at >= from)
        && filter.to.is_none_or(|to| entry.at < to)
}

fn filter(random: &mut Xorshift) -> TrailFilter {
    let mut given = |odds: u64| random.below(odds) == 0;
    let [user, principal, message, check, from, to] = [given(3), given(3), given(3), given(2), given(3), given(3)];
    TrailFilter {
        self_service_user_id: user.then(|| random.one_of(&USERS)),
        principal: principal.then(|| random.one_of(&SENDERS).to_owned()),
        message: message.then(|| random.one_of(&MESSAGES).to_owned()),
        liveness_check_id: check.then(|| random.one_of(&RECORDS)),
        from: from.then(|| at(NOW + random.below(TIMES) as i64)),
        to: to.then(|| at(NOW + random.below(TIMES) as i64)),
    }
}

async fn search(database: &Database, filter: &TrailFilter, before: Option<i64>, skip: i64, size: i64) -> TrailPage {
    let page = TrailPageRequest { before, skip, size };
    let found = database.store.trail().search(filter.clone(), page).await.unwrap();
    found.unwrap()
}

/// The ids and entries of a page.
fn told(page: &TrailPage) -> Vec<(i64, AuditEntry)> {
    page.items.iter().map(|found| (found.id, found.entry.clone())).collect()
}

async fn any_search_finds_what_a_look_at_every_entry_finds(database: Database) {
    let mut random = Xorshift(20_261_130);
    let written: Vec<AuditEntry> = (0..ENTRIES).map(|_| entry(&mut random)).collect();
    database.store.trail().append_all(written.clone()).await.unwrap();
    let everything = search(&database, &TrailFilter::default(), None, 0, 1000).await;
    let all = told(&everything);
    assert_eq!((all.len() as u64, everything.total), (ENTRIES, Some(ENTRIES as i64)));
    let places: Vec<_> = all.iter().map(|(id, entry)| (entry.at, *id)).collect();
    assert!(places.is_sorted_by(|one, next| one > next), "{places:?}");
    let mut found: Vec<_> = all.iter().map(|(_, entry)| format!("{entry:?}")).collect();
    let mut expected: Vec<_> = written.iter().map(|entry| format!("{entry:?}")).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);

    for _ in 0..150 {
        let filter = filter(&mut random);
        let expected: Vec<_> = all
            .iter()
            .filter(|(_, entry)| matches(&filter, entry))
            .cloned()
            .collect();
        let size = 1 + random.below(20) as i64;
        let whole = search(&database, &filter, None, 0, 1000).await;
        assert_eq!(told(&whole), expected, "{filter:?}");
        assert_eq!((whole.total, whole.has_next), (Some(expected.len() as i64), false));
        let (mut by_number, mut by_place, mut before) = (Vec::new(), Vec::new(), None);
        loop {
            let numbered = search(&database, &filter, None, by_number.len() as i64, size).await;
            let placed = search(&database, &filter, before, 0, size).await;
            assert_eq!(numbered.total, Some(expected.len() as i64), "{filter:?}");
            by_number.extend(told(&numbered));
            by_place.extend(told(&placed));
            before = by_place.last().map(|(id, _)| *id);
            assert_eq!(numbered.has_next, by_number.len() < expected.len(), "{filter:?}");
            assert_eq!(placed.has_next, numbered.has_next, "{filter:?}");
            if !placed.has_next {
                break;
            }
        }
        assert_eq!((&by_number, &by_place), (&expected, &expected), "{filter:?}");
    }
}

async fn an_entry_has_its_place_in_the_log_once_it_is_there(database: Database) {
    let mut random = Xorshift(1);
    let written = (0..20).map(|_| entry(&mut random)).collect();
    let made = TrailKey::generate().unwrap();
    database.store.trail().sign_entries(&made.key).unwrap();
    database.store.trail().append_all(written).await.unwrap();
    let before = search(&database, &TrailFilter::default(), None, 0, 100).await;
    assert!(before.items.iter().all(|found| found.leaf.is_none()), "{before:?}");

    database.store.trail().keep(made.key, false).unwrap().stop();

    let after = search(&database, &TrailFilter::default(), None, 0, 100).await;
    let leaves: BTreeSet<_> = after.items.iter().map(|found| found.leaf.unwrap()).collect();
    // The first leaf says which log it is.
    assert_eq!(leaves, (1..=20).collect());
}

async fn what_is_not_there_is_not_found(database: Database) {
    let page = TrailPageRequest {
        before: Some(1_000_000),
        skip: 0,
        size: 1,
    };
    let trail = database.store.trail();
    assert_eq!(trail.search(TrailFilter::default(), page).await.unwrap(), None);
    let nobody = TrailFilter {
        principal: Some("a\0b".to_owned()),
        ..TrailFilter::default()
    };
    assert_eq!(search(&database, &nobody, None, 0, 1).await.total, Some(0));
    assert_eq!(
        trail.looks(1, Vec::new(), &["GetLivenessCheckQuery"]).await.unwrap(),
        []
    );
}

async fn looks_are_those_that_showed_a_face_and_nothing_else(database: Database) {
    let look = |second: i64, message: &'static str, outcome: &'static str, face: Option<[u8; 32]>| AuditEntry {
        at: at(NOW + second * 1000),
        message: message.into(),
        outcome: outcome.into(),
        roles: "admin".into(),
        subject: AuditSubject {
            liveness_check_id: Some(7),
            face_digest: face,
            shown: Shown {
                purpose: Some(format!("ticket {second}")),
                ..Shown::default()
            },
        },
        ..audit_entry(1)
    };
    let face = Some([7; 32]);
    let entries = vec![
        look(1, "GetLivenessCheckQuery", "00", face),
        look(2, "checks export", "00", face),
        look(3, "SubmitLivenessCheckCommand", "00", face),
        look(4, "GetLivenessCheckQuery", "96", face),
        look(5, "GetLivenessCheckQuery", "00", None),
        look(6, "GetLivenessCheckQuery", "00", face),
    ];
    let trail = database.store.trail();
    trail.append_all(entries).await.unwrap();

    let found = trail
        .looks(1, vec![7, 8], &["GetLivenessCheckQuery", "checks export"])
        .await
        .unwrap();

    let expected = [6, 2, 1].map(|second| FaceLook {
        liveness_check_id: 7,
        at: at(NOW + second * 1000),
        roles: "admin".to_owned(),
        purpose: Some(format!("ticket {second}")),
    });
    assert_eq!(found, expected);
}

on_each_engine! {
    any_search_finds_what_a_look_at_every_entry_finds,
    an_entry_has_its_place_in_the_log_once_it_is_there,
    what_is_not_there_is_not_found,
    looks_are_those_that_showed_a_face_and_nothing_else,
}
