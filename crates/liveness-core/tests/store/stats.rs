//! The numbers that a store gives about itself.

use liveness_core::store::GroupCommit;

use crate::database::{Database, on_each_engine};
use crate::queue::{begin_record, occupy, one_face, writers};
use crate::samples::{audit_entry, jpeg, recording};

async fn waiting_and_committed_writes_are_counted(database: Database) {
    let store = database.open_to_queue(GroupCommit { batch: 2, ..one_face() });
    assert_eq!(store.stats().batch_sizes.counts.iter().sum::<u64>(), 0);
    let hold = database.hold();
    // The last of these writes waits in the queue, and so do three more.
    let mut waiting = occupy(&database, &store).await;
    for user in 1..=3 {
        waiting.push(begin_record(&store, recording(user, &format!("session-{user}"))).unwrap());
    }
    let stats = store.stats();
    assert_eq!(
        (stats.waiting_writes, stats.waiting_bytes),
        (4, jpeg().bytes().len() as u64)
    );

    hold.release();
    let writes = waiting.len() as u64;
    for call in waiting {
        call.await.unwrap();
    }
    let stats = store.stats();
    assert_eq!((stats.waiting_writes, stats.waiting_bytes), (0, 0));
    assert_eq!(stats.batch_sizes.sum, writes);
    // Each writer committed one write alone. The four writes that waited were committed in two transactions.
    let alone = writers(&database) as u64;
    assert_eq!(stats.batch_sizes.counts[..3], [alone, 2, 0], "{stats:?}");
    assert_eq!(stats.commit_micros.counts.iter().sum::<u64>(), alone + 2);
    assert!(stats.commit_micros.sum > 0);
    assert_eq!(stats.failed_commits, 0);
}

async fn a_transaction_that_failed_is_counted_separately(database: Database) {
    let store = database.open();
    database.execute("DROP TABLE liveness_audit_entries");
    store.trail().append(audit_entry(1)).await.unwrap_err();
    let stats = store.stats();
    assert_eq!((stats.failed_commits, stats.batch_sizes.sum), (1, 0));
}

async fn open_and_idle_connections_are_counted(database: Database) {
    let store = database.open();
    store.ping().await.unwrap();
    let stats = store.stats();
    assert!(
        stats.connections >= 1 && stats.connections <= stats.max_connections,
        "{stats:?}"
    );
    assert!(stats.idle_connections <= stats.connections, "{stats:?}");
    assert_eq!(stats.waiting_reads, 0);
}

on_each_engine! {
    waiting_and_committed_writes_are_counted,
    a_transaction_that_failed_is_counted_separately,
    open_and_idle_connections_are_counted,
}
