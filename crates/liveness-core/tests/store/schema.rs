//! On each engine, the migrations create the schema that the queries expect.

use liveness_core::Decision;
use liveness_core::events::EventSubscription;
use liveness_core::jobs::{JobKind, NewJob};
use liveness_core::policy::Policy;
use liveness_core::trail::TrailKey;
use sha2::{Digest as _, Sha256};

use crate::database::{Database, Place, on_each_engine};
use crate::recording::everything;
use crate::samples::{audit_entry, decision, jpeg, kept, keyed, order, recording, with_face};

/// A schema as texts that can be compared: the schema that the queries expect, or the schema that the migrations
/// create.
#[derive(Debug, PartialEq)]
pub(crate) struct Schema {
    /// `table.column type`, in the order of the columns. A `?` at the end means that the column may be null.
    columns: Vec<String>,
    /// `table (column, …)`
    primary_keys: Vec<String>,
}

/// The schema that the queries expect. It is read from the text of `schema.rs`, because that module is private and its
/// types do not show which columns may be null.
pub(crate) fn believed(place: &Place) -> Schema {
    let (mut columns, mut primary_keys) = (Vec::new(), Vec::new());
    for text in include_str!("../../src/store/tables/schema.rs")
        .split("diesel::table! {\n")
        .skip(1)
    {
        let (head, body) = text.split_once(" {\n").unwrap();
        // More columns of a table that was named before.
        let continued = head.trim().strip_prefix("#[sql_name = \"");
        let table = match continued {
            Some(rest) => rest.split_once('"').unwrap().0,
            None => head.trim().split_once(' ').unwrap().0,
        };
        if continued.is_none() {
            primary_keys.push(head.trim().to_owned());
        }
        let of_table = body
            .lines()
            .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" -> "))
            .filter(|(column, _)| continued.is_none() || !["id", "self_service_user_id"].contains(column));
        for (column, kind) in of_table {
            let nullable = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            let (sqlite, postgres) = match nullable.unwrap_or(kind) {
                "BigInt" => ("INTEGER", "bigint"),
                "Integer" => ("INTEGER", "integer"),
                "Bool" => ("INTEGER", "boolean"),
                "Text" => ("TEXT", "text"),
                "Double" => ("REAL", "double precision"),
                "Binary" => ("BLOB", "bytea"),
                other => panic!("a type that this test does not know: {other}"),
            };
            let mark = if nullable.is_some() { "?" } else { "" };
            columns.push(format!("{table}.{column} {}{mark}", place.pick(sqlite, postgres)));
        }
    }
    Schema { columns, primary_keys }
}

/// The schema that the migrations have created in the database.
pub(crate) fn made(place: &Place) -> Schema {
    let columns = place.pick(
        "SELECT t.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\", '', '?') \
         FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name LIKE 'liveness_%' ORDER BY t.name, c.cid",
        "SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'YES' THEN '?' ELSE '' END \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'liveness_%' \
         ORDER BY table_name COLLATE \"C\", ordinal_position",
    );
    let primary_keys = place.pick(
        "SELECT t.name || ' (' || group_concat(c.name, ', ' ORDER BY c.pk) || ')' \
         FROM sqlite_schema t JOIN pragma_table_info(t.name) c ON c.pk > 0 \
         WHERE t.type = 'table' AND t.name LIKE 'liveness_%' GROUP BY t.name ORDER BY t.name",
        "SELECT table_name || ' (' || string_agg(column_name, ', ' ORDER BY ordinal_position) || ')' \
         FROM information_schema.table_constraints JOIN information_schema.key_column_usage \
         USING (constraint_schema, constraint_name, table_name) \
         WHERE constraint_type = 'PRIMARY KEY' AND table_name LIKE 'liveness_%' \
         GROUP BY table_name ORDER BY table_name COLLATE \"C\"",
    );
    Schema {
        columns: place.texts(columns),
        primary_keys: place.texts(primary_keys),
    }
}

/// The indexes that are not created together with a table, as `index on table (column, …)`. `unique` or `partial`
/// follows where it applies. An expression has the name that PostgreSQL gives it.
pub(crate) fn indexes(place: &Place) -> Vec<String> {
    place.texts(place.pick(
        "SELECT i.name || ' on ' || t.name || ' (' || group_concat(coalesce(c.name, 'case'), ', ' ORDER BY c.seqno) || ')' \
         || iif(i.\"unique\", ' unique', '') || iif(i.partial, ' partial', '') \
         FROM sqlite_schema t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c \
         WHERE t.type = 'table' AND i.origin = 'c' GROUP BY i.name ORDER BY i.name",
        "SELECT c.relname || ' on ' || t.relname || ' (' || string_agg(a.attname, ', ' ORDER BY a.attnum) || ')' \
         || CASE WHEN indisunique THEN ' unique' ELSE '' END || CASE WHEN indpred IS NULL THEN '' ELSE ' partial' END \
         FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_class t ON t.oid = indrelid \
         JOIN pg_attribute a ON a.attrelid = indexrelid \
         WHERE t.relname LIKE 'liveness_%' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) \
         GROUP BY c.relname, t.relname, indisunique, indpred ORDER BY c.relname",
    ))
}

async fn the_migrations_create_the_schema_that_the_queries_expect(database: Database) {
    let (believed, made) = (believed(&database), made(&database));

    assert_eq!((believed.columns.len(), believed.primary_keys.len()), (182, 22));
    assert_eq!(believed, made);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn both_engines_have_the_same_indexes() {
    let (sqlite, postgres) = (Database::sqlite(), Database::postgres());

    let indexes = (indexes(&sqlite), indexes(&postgres));

    assert_eq!(indexes.0, indexes.1);
    assert_eq!(indexes.0.len(), 32);
    let of_user = "liveness_checks_of_user on liveness_checks (self_service_user_id, created_at, id)".to_owned();
    assert!(indexes.0.contains(&of_user), "{indexes:?}");
}

async fn a_full_row_of_every_table_is_written_and_read_by_the_store(database: Database) {
    let full = everything();
    let user = full.check.user.clone();
    database
        .store
        .users()
        .add(user.clone(), audit_entry(1234))
        .await
        .unwrap();
    let recorded = database.record(full).await;

    let check = database
        .store
        .checks()
        .completing_with_face(1234, liveness_core::CompletionRule::AnySuccessful)
        .await
        .unwrap();

    assert_eq!(check, Some((recorded.check, Some(kept(jpeg())))));
    assert_eq!(database.store.users().find(vec![1234]).await.unwrap(), [user]);
    let mut of_record = audit_entry(1234);
    of_record.subject.liveness_check_id = Some(1);
    of_record.subject.face_digest = Some(Sha256::digest(jpeg().bytes()).into());
    let mut of_list = audit_entry(1234);
    of_list.subject.shown.records = vec![1];
    database.store.trail().append(of_list.clone()).await.unwrap();
    let entries = [of_list, of_record, audit_entry(1234)];
    assert_eq!(database.store.trail().newest(9).await.unwrap(), entries);
    let job = NewJob::of(JobKind::new("a.kind"));
    database.store.jobs().enqueue(vec![job]).await.unwrap();
    let key = TrailKey::generate().unwrap().key;
    database.store.trail().keep(key, true).unwrap().stop();
    database
        .store
        .erasures()
        .erase_user(1234, false, order())
        .await
        .unwrap();
    database.record(with_face(recording(5, "session-5"))).await;
    database.store.holds().place(5, false, order()).await.unwrap();
    let decided = decision(2, "anne", Decision::Approve, 0);
    database.store.reviews().decide(decided).await.unwrap();
    let limited = Policy::parse("base = \"record\"\n[attempts]\nin_all = 50\n").unwrap();
    let limited = database.open().with_policy(limited).unwrap();
    limited.checks().record(recording(6, "session-6")).await.unwrap();
    limited.sessions().start(6, audit_entry(6)).await.unwrap();
    let events = database.store.events();
    events.subscribe(&EventSubscription::to_all("a-name").unwrap()).unwrap();
    database.record(recording(7, "session-7")).await;
    for table in believed(&database).primary_keys {
        let name = table.split_once(' ').unwrap().0;
        assert!(database.number(&format!("SELECT count(*) FROM {name}")) > 0, "{table}");
    }
}

async fn every_name_begins_with_liveness(database: Database) {
    let names = database.texts(database.pick(
        "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname",
    ));

    let (ours, others): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.starts_with("liveness_"));
    assert!(ours.len() >= 11, "{ours:?}");
    let of_diesel = |name: &String| name.starts_with("__diesel_schema_migrations");
    assert!(others.into_iter().all(of_diesel), "{names:?}");
}

async fn the_tables_refuse_values_that_the_types_refuse(database: Database) {
    database.record(keyed(1, "session-1", "key-1", "{}")).await;
    database.record(recording(1, "session-2")).await;
    let byte = database.pick("x'00'", "'\\x00'::bytea");
    let refused = [
        "UPDATE liveness_checks SET lighting_value = 1.5",
        "UPDATE liveness_checks SET session_duration = -1",
        "UPDATE liveness_checks SET challenge_count = 101",
        "UPDATE liveness_checks SET idempotency_key = 'the same'",
        &format!("UPDATE liveness_checks SET request_fingerprint = {byte}"),
        &format!("INSERT INTO liveness_images (liveness_check_id, media_type, bytes) VALUES (1, 'image/gif', {byte})"),
        &format!(
            "INSERT INTO liveness_images (liveness_check_id, media_type, bytes) VALUES (99, 'image/jpeg', {byte})"
        ),
        "INSERT INTO liveness_users (id, user_id, created_at) VALUES (0, 'USR-0', 0)",
    ];
    let wrong_types = [
        "UPDATE liveness_checks SET is_successful = 2",
        "UPDATE liveness_checks SET created_at = 'today'",
    ];
    let mut link = database.connect();

    for statement in refused {
        let refusal = link.execute(statement).unwrap_err().to_string();
        assert!(refusal.contains("constraint"), "{statement}: {refusal}");
    }
    for statement in wrong_types {
        assert!(link.execute(statement).is_err(), "{statement}");
    }
    let accepted =
        format!("INSERT INTO liveness_images (liveness_check_id, media_type, bytes) VALUES (1, 'image/jpeg', {byte})");
    link.execute(&accepted).unwrap();
}

on_each_engine! {
    a_full_row_of_every_table_is_written_and_read_by_the_store,
    ;
    not on Citus:
    every_name_begins_with_liveness,
    the_migrations_create_the_schema_that_the_queries_expect,
    the_tables_refuse_values_that_the_types_refuse,
}
