//! Conditions on the records of a list or an export.

use std::collections::BTreeMap;

use crate::store::engine::connection::{Connection, cannot_be_stored};
use crate::store::engine::error::StoreError;
use crate::store::tables::judgment::{decision_number, outcome_number};
use crate::store::tables::sessions;
use crate::verdict::VerdictOutcome;
use crate::{Decision, Shown, Timestamp};

/// Conditions on records. A record has to meet all conditions that are given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckFilter {
    /// Records of users of this pre-registration.
    pub pre_registration_id: Option<i64>,
    /// Records of this user.
    pub self_service_user_id: Option<i64>,
    /// Records of this session of the SDK.
    pub session_id: Option<String>,
    /// Records that were created at this time or later.
    pub from: Option<Timestamp>,
    /// Records that were created before this time.
    pub to: Option<Timestamp>,
    /// Records with this outcome, as the SDK reported it.
    pub is_successful: Option<bool>,
    /// Records with a face, or without one.
    pub has_image: Option<bool>,
    /// Records with this verdict.
    pub verdict: Option<VerdictOutcome>,
    /// Records on which this was decided.
    pub decision: Option<DecisionFilter>,
}

/// What was decided about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionFilter {
    /// This is the latest decision that counts.
    Is(Decision),
    /// No decision counts.
    Undecided,
}

impl DecisionFilter {
    /// The word, as in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Is(decision) => decision.as_str(),
            Self::Undecided => "none",
        }
    }
}

/// A filter with the user and the times of its session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conditions<'a> {
    pub(crate) pre_registration_id: Option<i64>,
    /// Always set when `session_id` is set.
    pub(crate) self_service_user_id: Option<i64>,
    pub(crate) session_id: Option<&'a str>,
    /// Records from this time, and before that one. Always set when `session_id` is set.
    pub(crate) span: Option<(i64, i64)>,
    pub(crate) is_successful: Option<bool>,
    pub(crate) has_image: Option<bool>,
    /// The number of a verdict.
    pub(crate) verdict: Option<i32>,
    /// The number of a decision, or `None` for the undecided.
    pub(crate) decision: Option<Option<i32>>,
}

/// The index in which matching records are found, and the value of its first column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    User(i64),
    PreRegistration(i64),
    /// Records on which this was decided.
    Decided(i32),
    /// Undecided records with this verdict, which is not `accepted`.
    Undecided(i32),
    /// Records with this verdict, which is not `accepted`.
    Judged(i32),
    /// All records.
    Time,
}

impl Conditions<'_> {
    /// The narrowest condition that has an index.
    pub(crate) fn lead(&self) -> Lead {
        // Most records are accepted and undecided, so no index has only them.
        let suspect = self.verdict.filter(|verdict| *verdict > 0);
        match (self.self_service_user_id, self.pre_registration_id) {
            (Some(user), _) => Lead::User(user),
            (None, Some(id)) => Lead::PreRegistration(id),
            (None, None) => match (self.decision, suspect) {
                (Some(Some(decision)), _) => Lead::Decided(decision),
                (Some(None), Some(verdict)) => Lead::Undecided(verdict),
                (None, Some(verdict)) => Lead::Judged(verdict),
                (_, None) => Lead::Time,
            },
        }
    }

    /// The verdict, unless the index has only records with it.
    pub(crate) fn verdict_to_compare(&self) -> Option<i32> {
        let is_led = matches!(self.lead(), Lead::Undecided(_) | Lead::Judged(_));
        self.verdict.filter(|_| !is_led)
    }

    /// The decision, unless the index has only records with it.
    pub(crate) fn decision_to_compare(&self) -> Option<Option<i32>> {
        let is_led = matches!(self.lead(), Lead::Undecided(_) | Lead::Decided(_));
        self.decision.filter(|_| !is_led)
    }
}

impl CheckFilter {
    /// The conditions that are given, by the names of the fields of RetrieveLivenessChecksQuery.
    pub fn named(&self) -> BTreeMap<String, String> {
        Shown::filter_of([
            ("preRegistrationId", self.pre_registration_id.map(|id| id.to_string())),
            ("selfServiceUserId", self.self_service_user_id.map(|id| id.to_string())),
            ("sessionId", self.session_id.clone()),
            ("from", self.from.map(|time| time.to_string())),
            ("to", self.to.map(|time| time.to_string())),
            ("isSuccessful", self.is_successful.map(|is| is.to_string())),
            ("hasImage", self.has_image.map(|has| has.to_string())),
            ("verdict", self.verdict.map(|verdict| verdict.as_str().to_owned())),
            ("decision", self.decision.map(|decision| decision.as_str().to_owned())),
        ])
    }

    /// Looks up the session of the filter. Returns `None` if no record can match.
    pub(crate) fn resolve(&self, conn: &mut Connection<'_>) -> Result<Option<Conditions<'_>>, StoreError> {
        // Ids begin at 1.
        let ids = [self.self_service_user_id, self.pre_registration_id];
        if ids.into_iter().flatten().any(|id| id < 1) {
            return Ok(None);
        }
        let mut conditions = Conditions {
            pre_registration_id: self.pre_registration_id,
            self_service_user_id: self.self_service_user_id,
            session_id: None,
            span: self.span(),
            is_successful: self.is_successful,
            has_image: self.has_image,
            verdict: self.verdict.map(outcome_number),
            decision: self.decision.map(|decision| match decision {
                DecisionFilter::Is(decision) => Some(decision_number(decision)),
                DecisionFilter::Undecided => None,
            }),
        };
        if let Some(session_id) = self.session_id.as_deref() {
            if cannot_be_stored(session_id) {
                return Ok(None);
            }
            let Some(range) = sessions::range(conn, session_id)? else {
                return Ok(None);
            };
            let owner = range.self_service_user_id;
            if *conditions.self_service_user_id.get_or_insert(owner) != owner {
                return Ok(None);
            }
            let (from, to) = conditions.span.unwrap_or((i64::MIN, i64::MAX));
            conditions.session_id = Some(session_id);
            conditions.span = Some((from.max(range.oldest), to.min(range.newest.saturating_add(1))));
        }
        let is_empty = conditions.span.is_some_and(|(from, to)| from >= to);
        Ok((!is_empty).then_some(conditions))
    }

    fn span(&self) -> Option<(i64, i64)> {
        let millis = |at: Option<Timestamp>| at.map(Timestamp::unix_millis);
        (self.from.is_some() || self.to.is_some()).then(|| {
            (
                millis(self.from).unwrap_or(i64::MIN),
                millis(self.to).unwrap_or(i64::MAX),
            )
        })
    }
}

/// Adds the conditions on the outcome, the face, the verdict and the decision to a query.
///
/// If no narrower index serves the query, records that failed, or that have no face, are found in the partial indexes of
/// those, because the text of the condition is that of the index. With a parameter, no engine uses these indexes, and so
/// does not leave the index of the user. With IS NOT DISTINCT FROM, no engine uses those of verdicts and decisions, and PostgreSQL still
/// knows that many records match.
macro_rules! with_outcome {
    ($query:expr, $conditions:expr) => {{
        use diesel::dsl::{not, sql};
        use diesel::sql_types::{Bool, Integer};
        let is_of_all = $conditions.lead() == $crate::store::tables::checks::filter::Lead::Time;
        let mut query = $query;
        query = match $conditions.is_successful {
            Some(false) if is_of_all => query.filter(not(dsl::is_successful)),
            Some(is_successful) => query.filter(dsl::is_successful.eq(is_successful)),
            None => query,
        };
        query = match $conditions.has_image {
            Some(false) if is_of_all => query.filter(not(dsl::has_image)),
            Some(has_image) => query.filter(dsl::has_image.eq(has_image)),
            None => query,
        };
        if let Some(verdict) = $conditions.verdict_to_compare() {
            query = query.filter(sql::<Bool>("verdict IS NOT DISTINCT FROM ").bind::<Integer, _>(verdict));
        }
        match $conditions.decision_to_compare() {
            Some(Some(decision)) => {
                query.filter(sql::<Bool>("decision IS NOT DISTINCT FROM ").bind::<Integer, _>(decision))
            }
            Some(None) => query.filter(dsl::decision.is_null()),
            None => query,
        }
    }};
}
pub(crate) use with_outcome;

/// The records of `$value` in `$column` from a time and before another: a part of the index that begins with the column
/// and the time. No other index can serve it.
macro_rules! part_of_index {
    ($query:expr, $column:ident: $type:ty = $value:expr, $from:expr, $to:expr) => {
        $query
            .filter(
                diesel::dsl::sql::<diesel::sql_types::Bool>(concat!("(", stringify!($column), ", created_at) >= ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<diesel::sql_types::BigInt, _>($from)
                    .sql(")"),
            )
            .filter(
                diesel::dsl::sql::<diesel::sql_types::Bool>(concat!("(", stringify!($column), ", created_at) < ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<diesel::sql_types::BigInt, _>($to)
                    .sql(")"),
            )
    };
}
pub(crate) use part_of_index;
