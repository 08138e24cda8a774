//! What the entries of some leaves bind: records, lists, erasures, decisions, entries that were erased in part, and legal holds.

use std::collections::BTreeSet;

use super::entries::buckets_of;
use super::rows::EntryRow;
use crate::{DecisionMade, Erased};

/// What some entries bind.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    pub(crate) records: Vec<BoundRecord>,
    pub(crate) erasures: Vec<ToldErasure>,
    pub(crate) blanks: Vec<BlankEntry>,
    pub(crate) decisions: Vec<ToldDecision>,
    /// The users on whom a legal hold was placed, or whose hold was lifted.
    pub(crate) held: BTreeSet<i64>,
    pub(crate) lists: Vec<ToldList>,
    /// The users whom an entry tells to be erased.
    pub(crate) erased_users: BTreeSet<i64>,
}

/// A record, and what an entry says of it: that of its recording, or that of its erasure.
#[derive(Debug)]
pub(crate) struct BoundRecord {
    pub(crate) leaf: i64,
    pub(crate) id: i64,
    pub(crate) entry: EntryRow,
}

/// The erasure of a face, as an entry tells of it.
#[derive(Debug)]
pub(crate) struct ToldErasure {
    pub(crate) leaf: i64,
    pub(crate) check_id: i64,
    pub(crate) at: i64,
    pub(crate) writer: Vec<u8>,
    pub(crate) count: i64,
}

/// An entry that does not say any more who sent it, or whom it was about.
#[derive(Debug)]
pub(crate) struct BlankEntry {
    pub(crate) leaf: i64,
    pub(crate) id: i64,
    pub(crate) user: Option<i64>,
    pub(crate) has_no_sender: bool,
    pub(crate) has_no_subject: bool,
}

/// A decision about a record, and the entry that tells of it.
#[derive(Debug)]
pub(crate) struct ToldDecision {
    pub(crate) leaf: i64,
    pub(crate) check_id: i64,
    pub(crate) made: DecisionMade,
    pub(crate) entry: EntryRow,
}

/// A list, as the entry tells of it that showed records.
#[derive(Debug)]
pub(crate) struct ToldList {
    pub(crate) leaf: i64,
    pub(crate) id: i64,
    pub(crate) writer: Vec<u8>,
    pub(crate) count: i64,
    /// The rows of `liveness_audit_lists` that lead from the records to the entry.
    pub(crate) buckets: Vec<i64>,
}

impl Bound {
    /// Takes what the entry of a leaf binds.
    pub(crate) fn take(&mut self, leaf: i64, entry: EntryRow) {
        let blank = BlankEntry {
            leaf,
            id: entry.id,
            user: entry.user(),
            has_no_sender: entry.has_no_sender(),
            has_no_subject: entry.writer.is_some() && entry.has_no_subject(),
        };
        if blank.has_no_sender || blank.has_no_subject {
            self.blanks.push(blank);
        }
        self.erasures.extend(ToldErasure::of(leaf, &entry));
        self.held.extend(entry.hold().and(entry.user()));
        self.lists.extend(ToldList::of(leaf, &entry));
        self.erased_users.extend(entry.user().filter(|_| entry.erases_user()));
        match (entry.liveness_check_id, entry.binds_record(), entry.decision()) {
            (Some(id), true, _) => self.records.push(BoundRecord { leaf, id, entry }),
            (Some(check_id), false, Some(made)) => self.decisions.push(ToldDecision {
                leaf,
                check_id,
                made,
                entry,
            }),
            _ => {}
        }
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.records.append(&mut other.records);
        self.erasures.append(&mut other.erasures);
        self.blanks.append(&mut other.blanks);
        self.decisions.append(&mut other.decisions);
        self.held.append(&mut other.held);
        self.lists.append(&mut other.lists);
        self.erased_users.append(&mut other.erased_users);
    }
}

impl ToldList {
    fn of(leaf: i64, entry: &EntryRow) -> Option<Self> {
        let buckets = buckets_of(&entry.listed());
        (!buckets.is_empty()).then_some(Self {
            leaf,
            id: entry.id,
            writer: entry.writer.clone()?,
            count: entry.count(),
            buckets,
        })
    }
}

impl ToldErasure {
    fn of(leaf: i64, entry: &EntryRow) -> Option<Self> {
        let is_of_face =
            matches!(entry.erasure()?.erased, Erased::Face | Erased::Record) && entry.face_digest.is_some();
        Some(Self {
            leaf,
            check_id: entry.liveness_check_id.filter(|_| is_of_face)?,
            at: entry.at,
            writer: entry.writer.clone()?,
            count: entry.count(),
        })
    }
}
