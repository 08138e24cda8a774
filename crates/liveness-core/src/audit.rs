//! The fields of an audit entry: `docs/api.md#audit`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{Decision, Timestamp};

/// The trace of one message: who sent it, which user it concerned, what it showed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The time of the message.
    pub at: Timestamp,
    /// The request's id, as in the answer's `X-Request-Id` and in the log.
    pub request_id: String,
    /// The sender: the token's subject.
    pub principal: String,
    /// Who vouches for the sender: the token's `iss`. `None` for the command line.
    pub issuer: Option<String>,
    /// Who acted for the sender, if it was somebody else: the `act` claim of the token (RFC 8693, section 4.1).
    pub actor: Option<String>,
    /// The roles of the sender, joined by commas.
    pub roles: String,
    /// `SelfServiceUser.Id` of the user whose data was touched, if the message names one.
    pub self_service_user_id: Option<i64>,
    /// The message's name.
    pub message: Cow<'static, str>,
    /// The two-digit code of `docs/api.md#status-codes`.
    pub outcome: Cow<'static, str>,
    /// The address that the request came from.
    pub client_address: Option<IpAddr>,
    /// What the message recorded or showed, and why.
    pub subject: AuditSubject,
}

/// What a message recorded or showed, and why. The default says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditSubject {
    /// The record that was recorded, or shown with its details. The store sets it for a new record.
    pub liveness_check_id: Option<i64>,
    /// SHA-256 of the face that was recorded or shown, of its bytes as they are kept. The store sets it for a new record.
    pub face_digest: Option<[u8; 32]>,
    /// What else was shown, and why.
    pub shown: Shown,
}

/// What a message showed besides one record, and why. An entry keeps it as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Shown {
    /// The ids of the records of a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<i64>,
    /// How many rows were shown. It is more than there are ids in `records` if the rows of an export are not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The number of the page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<i64>,
    /// The most rows of a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i64>,
    /// What was searched for: the names of the filters as in the request, and their values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub filter: BTreeMap<String, String>,
    /// Why it was looked at, in the words of who looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// What else was done, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What was erased. The store sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Erasure>,
    /// What was decided about the record. The store sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionMade>,
    /// What happened to a legal hold. The store sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldChange>,
}

/// What happens to a legal hold. The leaf of its entry says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HoldChange {
    /// It was placed.
    Placed,
    /// It was lifted.
    Lifted,
}

/// A decision about a record. The leaf of its entry says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionMade {
    /// What was decided.
    pub decision: Decision,
    /// Its number among the decisions about the record, from 1.
    pub number: i32,
    /// Whether it counts. One that does not waits for the same decision by another person.
    pub counts: bool,
}

/// What an erasure has erased. The leaf of its entry says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    /// What was erased.
    pub erased: Erased,
    /// From when on the face is unreadable everywhere, if the day of the next rotation was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable_from: Option<Timestamp>,
    /// The ids of the entries that do not say any more who sent them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<i64>,
    /// The ids of the entries that have no nonce of the user any more, and no words of whom they were about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<i64>,
}

/// What can be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Erased {
    /// The face of a record.
    Face,
    /// What names a person in a record, and its face, if it had one still.
    Record,
    /// What names a person in audit entries.
    Entries,
    /// All of a user.
    User,
}

impl Erased {
    /// Its name in an entry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Record => "record",
            Self::Entries => "entries",
            Self::User => "user",
        }
    }
}

impl Shown {
    /// The filters that are given, by their names on the wire.
    pub fn filter_of<const N: usize>(fields: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
        let given = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The same without what may name a person: the filter, and all words.
    #[must_use]
    pub fn without_names(self) -> Self {
        Self {
            filter: BTreeMap::new(),
            purpose: None,
            detail: None,
            ..self
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
