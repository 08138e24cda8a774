//! Writes the rows of entries: each with its nonces, its place among those of its writer, and the hash of its leaf.

use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};

use super::{DueEntry, NOBODY, buckets_of, somebody};
use crate::Timestamp;
use crate::store::engine::bulk_insert::{self, Clauses, NoClauses, row};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::{self, EntryWriter};
use crate::trail::leaf::{BasicColumns, EntryColumns, Nonces, Sha256};
use crate::trail::leaf_hash;

/// Writes the rows of entries.
pub(super) fn insert_rows(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    entries: &[DueEntry<'_>],
) -> Result<(), StoreError> {
    let mut random = vec![0; Nonces::RANDOM * entries.len()];
    entry_writer::fill(&mut random)?;
    let mut made = Vec::with_capacity(entries.len());
    for (due, random) in entries.iter().zip(random.chunks(Nonces::RANDOM)) {
        made.push(Made::of(due, random, writer)?);
    }
    let nobody = conn.is_citus().then_some(NOBODY);
    let name = writer.name();
    let mut rows = Vec::with_capacity(entries.len());
    let mut lists = Vec::new();
    for (due, made) in entries.iter().zip(&made) {
        rows.push(NewAuditRow::of(due, made, name, nobody)?.signed(writer)?);
        lists.extend(made.buckets.iter().map(|bucket| ListRow {
            bucket: *bucket,
            writer: name,
            writer_count: made.count,
        }));
    }
    bulk_insert::execute::<_, NoClauses>(conn, rows)?;
    bulk_insert::execute::<_, NoClauses>(conn, lists)?;
    for due in entries {
        writer.concerns(due.entry.self_service_user_id);
    }
    Ok(())
}

/// Tells the integrator of a writer.
pub(super) fn register(
    conn: &mut Connection<'_>,
    writer: &EntryWriter,
    at: Timestamp,
    is_closed: bool,
) -> Result<(), StoreError> {
    let row = WriterRow {
        writer: writer.name(),
        logged: 0,
        newest_at: at.unix_millis(),
        is_closed,
    };
    bulk_insert::execute::<_, StillThere>(conn, vec![row])
}

/// A writer that the integrator has forgotten is there again, and was silent until now only.
struct StillThere;

impl Clauses for StillThere {
    const ON_CONFLICT: &'static str =
        "ON CONFLICT (writer) DO UPDATE SET is_closed = excluded.is_closed, newest_at = excluded.newest_at";
    type Returned = ();
}

/// The values of a row that its entry does not have.
struct Made {
    count: i64,
    nonces: Vec<u8>,
    subject: Option<String>,
    record_digest: Option<Sha256>,
    client_ip: Option<String>,
    buckets: Vec<i64>,
}

impl Made {
    fn of(due: &DueEntry<'_>, random: &[u8], writer: &mut EntryWriter) -> Result<Self, StoreError> {
        let shown = &due.entry.subject.shown;
        let subject = if shown.is_empty() {
            None
        } else {
            Some(serde_json::to_string(shown).map_err(StoreError::internal)?)
        };
        let buckets = buckets_of(&shown.records);
        let nonces = Nonces::row_of(random);
        let canonical = due.recorded.and_then(|recorded| recorded.canonical.as_deref());
        let record_digest = match (canonical, Nonces::read(&nonces)) {
            (Some(canonical), Some(nonces)) => nonces.record_digest(canonical),
            _ => None,
        };
        Ok(Self {
            count: writer.next(),
            subject,
            record_digest,
            client_ip: due.entry.client_address.map(|address| address.to_string()),
            buckets,
            nonces,
        })
    }
}

row! {
    struct NewAuditRow<'a> of "liveness_audit_entries", in columns NewAuditColumns {
        at: i64 => BigInt,
        request_id: &'a str => Text,
        principal: &'a str => Text,
        issuer: Option<&'a str> => Nullable<Text>,
        actor: Option<&'a str> => Nullable<Text>,
        roles: &'a str => Text,
        self_service_user_id: Option<i64> => Nullable<BigInt>,
        message: &'a str => Text,
        outcome: &'a str => Text,
        client_ip: Option<&'a str> => Nullable<Text>,
        liveness_check_id: Option<i64> => Nullable<BigInt>,
        subject: Option<&'a str> => Nullable<Text>,
        record_digest: Option<&'a [u8]> => Nullable<Binary>,
        face_digest: Option<&'a [u8]> => Nullable<Binary>,
        nonces: &'a [u8] => Binary,
        writer: &'a [u8] => Binary,
        writer_count: i64 => BigInt,
        leaf_hash: Vec<u8> => Binary,
        mac: Option<Vec<u8>> => Nullable<Binary>,
    }
}

row! {
    struct ListRow<'a> of "liveness_audit_lists", in columns ListColumns {
        bucket: i64 => BigInt,
        writer: &'a [u8] => Binary,
        writer_count: i64 => BigInt,
    }
}

row! {
    struct WriterRow<'a> of "liveness_trail_writers", in columns WriterColumns {
        writer: &'a [u8] => Binary,
        logged: i64 => BigInt,
        newest_at: i64 => BigInt,
        is_closed: bool => Bool,
    }
}

impl<'a> NewAuditRow<'a> {
    /// The row of an entry, without the hash of its leaf.
    fn of(due: &DueEntry<'a>, made: &'a Made, writer: &'a [u8], nobody: Option<i64>) -> Result<Self, StoreError> {
        let entry = due.entry;
        let face_digest = match due.recorded {
            Some(recorded) => recorded.face_digest.as_ref(),
            None => entry.subject.face_digest.as_ref(),
        };
        Ok(Self {
            at: entry.at.unix_millis(),
            request_id: &entry.request_id,
            principal: &entry.principal,
            issuer: entry.issuer.as_deref(),
            actor: entry.actor.as_deref(),
            roles: &entry.roles,
            self_service_user_id: entry.self_service_user_id.or(nobody),
            message: &entry.message,
            outcome: &entry.outcome,
            client_ip: made.client_ip.as_deref(),
            liveness_check_id: due
                .recorded
                .map(|recorded| recorded.id)
                .or(entry.subject.liveness_check_id),
            subject: made.subject.as_deref(),
            record_digest: made.record_digest.as_ref().map(|digest| &digest[..]),
            face_digest: face_digest.map(|digest| &digest[..]),
            nonces: &made.nonces,
            writer,
            writer_count: made.count,
            leaf_hash: Vec::new(),
            mac: None,
        })
    }

    /// The row with the hash of its leaf.
    fn signed(self, writer: &EntryWriter) -> Result<Self, StoreError> {
        let nonces = Nonces::read(self.nonces).ok_or_else(|| StoreError::internal("an entry without nonces"))?;
        let leaf = EntryColumns {
            writer: self.writer,
            writer_count: self.writer_count,
            nonces,
            basic: BasicColumns {
                at: self.at,
                request_id: self.request_id,
                principal: self.principal,
                issuer: self.issuer,
                actor: self.actor,
                roles: self.roles,
                client_ip: self.client_ip,
                self_service_user_id: somebody(self.self_service_user_id),
                message: self.message,
                outcome: self.outcome,
            },
            liveness_check_id: self.liveness_check_id,
            subject: self.subject,
            record_digest: self.record_digest,
            face_digest: self.face_digest,
        };
        let hash = leaf_hash(&leaf.leaf().map_err(StoreError::internal)?);
        Ok(Self {
            mac: writer.mac(self.writer_count, &hash),
            leaf_hash: hash.to_vec(),
            ..self
        })
    }
}
