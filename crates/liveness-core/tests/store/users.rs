//! Users of the standalone host, and the directory that creates them.

use liveness_core::store::{Store, StoreError, StoredUsers, UserChanges};
use liveness_core::{AuditEntry, AuditSubject, Claims, ProvisionError, User, UserDirectory as _, UserReference};

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, at, at_once, audit_entry, recording};

fn jane() -> Claims {
    Claims {
        email: Some("customer@example.com".into()),
        given_name: Some("Jane".into()),
        family_name: Some("Doe".into()),
        pre_registration_id: Some(77),
        ..Claims::of(UserReference::Id(1234))
    }
}

fn directory(store: &Store, provision: bool) -> StoredUsers {
    StoredUsers::new(store.users().clone(), provision)
}

/// What the host does with the claims of a customer's token.
async fn identified(users: &StoredUsers, claims: &Claims) -> Result<Option<User>, ProvisionError> {
    match users.identify(claims).await? {
        None => users.provision(claims, added_by_status_query()).await,
        found => Ok(found),
    }
}

fn added_by_status_query() -> AuditEntry {
    AuditEntry {
        message: "CheckLivenessStatusQuery: user added".into(),
        ..audit_entry(1234)
    }
}

async fn an_id_seen_for_the_first_time_becomes_a_user_and_leaves_an_entry(database: Database) {
    let store = &database.store;

    let made = identified(&directory(store, true), &jane()).await.unwrap();

    assert_eq!(made, Some(jane().to_user(1234)));
    assert_eq!(store.users().find(vec![1234]).await.unwrap(), [jane().to_user(1234)]);
    assert_eq!(store.trail().newest(10).await.unwrap(), [added_by_status_query()]);
}

async fn a_known_user_is_not_changed_by_a_token_and_leaves_no_entry(database: Database) {
    let users = directory(&database.store, true);
    identified(&users, &jane()).await.unwrap();
    let changed = Claims {
        email: Some("new@example.com".into()),
        ..Claims::of(UserReference::Id(1234))
    };

    let later = identified(&users, &changed).await.unwrap();
    // Another node has added the user meanwhile.
    let raced = users.provision(&changed, added_by_status_query()).await.unwrap();

    assert_eq!((later, raced), (Some(jane().to_user(1234)), Some(jane().to_user(1234))));
    assert_eq!(database.number("SELECT count(*) FROM liveness_audit_entries"), 1);
}

async fn a_claim_that_cannot_be_stored_makes_nobody(database: Database) {
    let users = directory(&database.store, true);
    let long = Claims {
        family_name: Some("x".repeat(4000)),
        ..jane()
    };

    let refused = identified(&users, &long).await;

    assert!(
        matches!(&refused, Err(ProvisionError::Claim(error)) if error.claim == "family_name"),
        "{refused:?}"
    );
    assert_eq!(database.number("SELECT count(*) FROM liveness_users"), 0);
    assert_eq!(database.number("SELECT count(*) FROM liveness_audit_entries"), 0);
    // Nobody is added any more, so the claims are not looked at.
    database
        .store
        .users()
        .add(jane().to_user(1234), audit_entry(1234))
        .await
        .unwrap();
    assert_eq!(identified(&users, &long).await.unwrap(), Some(jane().to_user(1234)));
}

async fn without_provisioning_an_unknown_id_is_nobody(database: Database) {
    let store = &database.store;

    let found = identified(&directory(store, false), &jane()).await.unwrap();

    assert_eq!(found, None);
    assert_eq!(store.users().find(vec![1234]).await.unwrap(), []);
    assert_eq!(store.trail().newest(10).await.unwrap(), []);
}

async fn a_user_id_is_looked_up_and_never_made(database: Database) {
    let users = directory(&database.store, true);
    identified(&users, &jane()).await.unwrap();
    let by_user_id = |text: &str| Claims::of(UserReference::parse(text));

    let known = identified(&users, &by_user_id("USR-00001234")).await.unwrap();
    let unknown = identified(&users, &by_user_id("USR-00001235")).await.unwrap();

    assert_eq!(known, Some(jane().to_user(1234)));
    assert_eq!(unknown, None);
}

async fn a_user_id_that_is_taken_makes_no_second_user(database: Database) {
    let store = &database.store;
    store
        .users()
        .add(jane().to_user(1234), audit_entry(1234))
        .await
        .unwrap();
    let usurper = User {
        id: 5678,
        ..jane().to_user(1234)
    };

    let added = store.users().add(usurper, audit_entry(5678)).await.unwrap();

    assert_eq!(added, None);
    assert_eq!(store.trail().newest(10).await.unwrap(), [audit_entry(1234)]);
    assert_eq!(
        store.users().find(vec![5678, 1234, 9]).await.unwrap(),
        [jane().to_user(1234)]
    );
}

async fn calls_at_once_on_two_stores_make_a_user_once(database: Database) {
    let store = &database.store;
    let stores = [store.clone(), database.open()];
    let calls = (0..16).map(|number| {
        let users = directory(&stores[number % 2], true);
        async move { identified(&users, &jane()).await }
    });

    for answer in at_once(calls).await {
        assert_eq!(answer.unwrap(), Some(jane().to_user(1234)));
    }

    assert_eq!(database.number("SELECT count(*) FROM liveness_users"), 1);
    assert_eq!(database.number("SELECT count(*) FROM liveness_audit_entries"), 1);
}

async fn only_one_user_of_a_user_id_is_added_at_once(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let calls = (1..=16).map(|id| {
        let (store, user) = (stores[id as usize % 2].clone(), jane().to_user(1234));
        async move { store.users().add(User { id, ..user }, audit_entry(id)).await }
    });

    let answers: Result<Vec<_>, _> = at_once(calls).await.into_iter().collect();

    let made: Vec<_> = answers.unwrap().into_iter().flatten().collect();
    assert_eq!(made.len(), 1);
    assert_eq!(database.store.users().find((1..=16).collect()).await.unwrap(), made);
    let entries = database.store.trail().newest(100).await.unwrap();
    assert_eq!(entries, [audit_entry(made[0].id)]);
}

async fn a_user_id_that_cannot_be_stored_finds_nobody(database: Database) {
    let found = database.store.users().get_by_user_id("USR-1\0".into()).await;

    assert_eq!(found.unwrap(), None);
}

async fn users_are_found_at_once_as_they_are_found_alone(database: Database) {
    let store = &database.store;
    let user = |id: i64| User {
        id,
        user_id: format!("USR-'{id}\""),
        ..jane().to_user(1234)
    };
    store.users().put((1..=20).map(user).collect(), at(NOW)).await.unwrap();

    // Each id is asked for twice, and the last five ids have no user.
    let asked: Vec<i64> = (1..=25).chain(1..=25).collect();
    let by_id = at_once(asked.clone().into_iter().map(|id| {
        let store = store.clone();
        async move { store.users().get(id).await.unwrap() }
    }));
    let by_user_id = at_once(asked.clone().into_iter().map(|id| {
        let (store, user_id) = (store.clone(), user(id).user_id);
        let user_id = if id == 25 { format!("{user_id}\0") } else { user_id };
        async move { store.users().get_by_user_id(user_id).await.unwrap() }
    }));

    let expected: Vec<_> = asked.into_iter().map(|id| (id <= 20).then(|| user(id))).collect();
    assert_eq!(by_id.await, expected);
    assert_eq!(by_user_id.await, expected);
}

async fn put_adds_users_and_changes_users(database: Database) {
    let store = &database.store;
    store
        .users()
        .add(jane().to_user(1234), audit_entry(1234))
        .await
        .unwrap();
    let joe = Claims::of(UserReference::Id(5)).to_user(5);
    let changed = User {
        email_address: None,
        display_name: Some("J. Doe".into()),
        user_id: "JANE".into(),
        ..jane().to_user(1234)
    };

    store
        .users()
        .put(vec![changed.clone(), joe.clone()], at(NOW + 1))
        .await
        .unwrap();

    let names = ["JANE", "USR-00000005", "USR-00001234"].map(str::to_owned).to_vec();
    let mut found = store.users().find_by_user_ids(names).await.unwrap();
    found.sort_unstable_by_key(|user| user.id);
    assert_eq!(found, [joe, changed]);
    let made = database.number("SELECT created_at FROM liveness_users WHERE id = 1234");
    assert_eq!(made, NOW);
}

async fn a_user_id_of_another_user_refuses_the_whole_put(database: Database) {
    let store = &database.store;
    store
        .users()
        .add(jane().to_user(1234), audit_entry(1234))
        .await
        .unwrap();
    let usurper = User {
        id: 5,
        ..jane().to_user(1234)
    };
    let joe = Claims::of(UserReference::Id(6)).to_user(6);

    let put = store.users().put(vec![joe, usurper], at(NOW)).await;

    assert!(matches!(put, Err(StoreError::Internal(_))), "{put:?}");
    assert_eq!(database.number("SELECT count(*) FROM liveness_users"), 1);
}

fn changes(users: Vec<User>, without_records: Vec<i64>) -> UserChanges {
    let entry = |user: &User| AuditEntry {
        at: at(NOW),
        request_id: "request".into(),
        principal: "cli:root".into(),
        issuer: None,
        actor: None,
        roles: "operator".into(),
        self_service_user_id: Some(user.id),
        message: "users import".into(),
        outcome: "00".into(),
        client_address: None,
        subject: AuditSubject::default(),
    };
    let entries = users.iter().map(entry).collect();
    UserChanges {
        users,
        without_records,
        entries,
        at: at(NOW),
    }
}

fn named(id: i64, user_id: &str) -> User {
    User {
        user_id: user_id.into(),
        ..jane().to_user(id)
    }
}

async fn users_and_their_entries_are_written_together(database: Database) {
    let store = &database.store;
    let users: Vec<_> = (1..=1000).map(|id| jane().to_user(id)).collect();

    store.users().change(changes(users, vec![1, 1000])).await.unwrap();

    assert_eq!(database.number("SELECT count(*) FROM liveness_users"), 1000);
    let of_one = "SELECT count(*) FROM liveness_audit_entries WHERE self_service_user_id = 1000";
    assert_eq!(database.number(of_one), 1);
}

async fn a_user_who_has_a_record_meanwhile_refuses_the_change(database: Database) {
    let store = &database.store;
    database.record(recording(2, "session-1")).await;

    let changed = store
        .users()
        .change(changes(vec![named(1, "A"), named(2, "B")], vec![1, 2]))
        .await;

    assert!(matches!(changed, Err(StoreError::Unavailable(_))), "{changed:?}");
    assert_eq!(database.number("SELECT count(*) FROM liveness_users"), 0);
    assert_eq!(database.number("SELECT count(*) FROM liveness_audit_entries"), 1);
}

async fn user_ids_move_between_users_of_one_change(database: Database) {
    let store = &database.store;
    let three = |ids: [&str; 3]| vec![named(1, ids[0]), named(2, ids[1]), named(3, ids[2])];
    store.users().put(three(["A", "B", "C"]), at(NOW)).await.unwrap();

    store.users().put(three(["C", "A", "B"]), at(NOW)).await.unwrap();

    let mut found = store.users().find(vec![1, 2, 3]).await.unwrap();
    found.sort_unstable_by_key(|user| user.id);
    assert_eq!(found, three(["C", "A", "B"]));
}

async fn whoever_has_records_is_told(database: Database) {
    let store = &database.store;
    for (user, session) in [(1, "a"), (1, "b"), (3, "c")] {
        database.record(recording(user, session)).await;
    }

    let mut found = store.users().with_records(vec![1, 2, 3, 4]).await.unwrap();
    found.sort_unstable();

    assert_eq!(found, [1, 3]);
    assert_eq!(store.users().with_records(vec![2]).await.unwrap(), [0; 0]);
    assert_eq!(store.users().with_records(Vec::new()).await.unwrap(), [0; 0]);
}

on_each_engine! {
    users_and_their_entries_are_written_together,
    a_user_who_has_a_record_meanwhile_refuses_the_change,
    user_ids_move_between_users_of_one_change,
    whoever_has_records_is_told,
    a_user_id_that_cannot_be_stored_finds_nobody,
    users_are_found_at_once_as_they_are_found_alone,
    put_adds_users_and_changes_users,
    a_user_id_of_another_user_refuses_the_whole_put,
    an_id_seen_for_the_first_time_becomes_a_user_and_leaves_an_entry,
    a_known_user_is_not_changed_by_a_token_and_leaves_no_entry,
    a_claim_that_cannot_be_stored_makes_nobody,
    without_provisioning_an_unknown_id_is_nobody,
    a_user_id_is_looked_up_and_never_made,
    a_user_id_that_is_taken_makes_no_second_user,
    calls_at_once_on_two_stores_make_a_user_once,
    only_one_user_of_a_user_id_is_added_at_once,
}
