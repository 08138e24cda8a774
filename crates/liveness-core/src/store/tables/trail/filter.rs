//! What a search of the audit trail asks for.

use std::collections::BTreeMap;

use crate::{Shown, Timestamp};

/// A time and an id.
pub(crate) type Place = (i64, i64);

/// Conditions on entries. An entry has to meet all conditions that are given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrailFilter {
    /// Entries that concern this user.
    pub self_service_user_id: Option<i64>,
    /// Entries of this sender: the token's subject, or `cli:` and a login.
    pub principal: Option<String>,
    /// Entries of this message or subcommand.
    pub message: Option<String>,
    /// Entries that tell of this record, also as one of a list.
    pub liveness_check_id: Option<i64>,
    /// Entries of this time or later.
    pub from: Option<Timestamp>,
    /// Entries from before this time.
    pub to: Option<Timestamp>,
}

impl TrailFilter {
    /// The conditions that are given, by the names of the fields of RetrieveAuditEntriesQuery.
    pub fn named(&self) -> BTreeMap<String, String> {
        Shown::filter_of([
            ("userId", self.self_service_user_id.map(|id| id.to_string())),
            ("principal", self.principal.clone()),
            ("message", self.message.clone()),
            ("checkId", self.liveness_check_id.map(|id| id.to_string())),
            ("from", self.from.map(|time| time.to_string())),
            ("to", self.to.map(|time| time.to_string())),
        ])
    }
}

/// Which part of the entries that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrailPageRequest {
    /// Only entries older than the one with this id.
    pub before: Option<i64>,
    /// How many of the newest entries to leave out. The cost of a search grows with it.
    pub skip: i64,
    /// The most entries.
    pub size: i64,
}

/// A filter with the part of the trail that it applies to.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) user: Option<i64>,
    pub(crate) principal: Option<&'a str>,
    pub(crate) message: Option<&'a str>,
    pub(crate) from: i64,
    pub(crate) before: Place,
}

impl<'a> Search<'a> {
    /// The searches that together find what this one finds, each by one index. No entry is found by two of them.
    ///
    /// What a user did in person is not in the index of principals, but in the index of the user.
    pub(crate) fn by_index(self) -> Vec<Self> {
        let principal = self.principal.filter(|_| self.user.is_none());
        let own_id = principal.and_then(|text| text.parse().ok().filter(|id: &i64| id.to_string() == text));
        let own = own_id.map(|id| Self { user: Some(id), ..self });
        std::iter::once(self).chain(own).collect()
    }

    /// The search for the entries that match and are before a place.
    pub(crate) fn of(filter: &'a TrailFilter, before: Place) -> Self {
        Self {
            user: filter.self_service_user_id,
            principal: filter.principal.as_deref(),
            message: filter.message.as_deref(),
            from: filter.from.map_or(i64::MIN, Timestamp::unix_millis),
            before: filter.to.map_or(before, |to| before.min((to.unix_millis(), i64::MIN))),
        }
    }
}
