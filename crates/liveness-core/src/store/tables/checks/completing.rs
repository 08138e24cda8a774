//! Finds the record that completes a user's check, for one user or for many users at once.

use std::collections::HashMap;

use diesel::backend::Backend;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool};

use super::row::CheckRow;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::{self, dsl};
use crate::{CompletionRule, LivenessCheck};

/// When a record completes the check of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Completion {
    pub(crate) rule: CompletionRule,
    /// Whether it also [has to stand](LivenessCheck::stands), because verdicts count.
    pub(crate) has_to_stand: bool,
}

/// Which records a search looks among.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Search {
    Latest,
    Passed,
    PassedAndStands,
}

impl Search {
    /// What a record must be besides the user's.
    fn condition(self) -> &'static str {
        match self {
            Self::Latest => "",
            Self::Passed => " AND passed",
            Self::PassedAndStands => " AND passed AND coalesce(decision, verdict) = 0",
        }
    }
}

impl Completion {
    fn search(self) -> Search {
        match (self.rule.only_latest(), self.has_to_stand) {
            (true, _) => Search::Latest,
            (false, false) => Search::Passed,
            (false, true) => Search::PassedAndStands,
        }
    }

    fn accepts(self, row: &CheckRow) -> bool {
        self.rule.accepts(row.is_successful, row.verification_result) && (!self.has_to_stand || row.stands())
    }
}

/// The condition that a record stands, as [`LivenessCheck::stands`] has it: no decision and an accepted verdict, or approved.
///
/// Diesel prepares a statement anew each time if a piece of SQL in it is given by `sql`. This one is sent with most requests.
#[derive(QueryId, ValidGrouping)]
struct Stands;

impl Expression for Stands {
    type SqlType = Bool;
}

impl AppearsOnTable<liveness_checks::table> for Stands {}

impl<DB: Backend> QueryFragment<DB> for Stands {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("coalesce(decision, verdict) = 0");
        Ok(())
    }
}

/// The record that [`CompletionRule::completed_by`] would choose among all records of the user. Only one record is read.
pub(crate) fn completing(
    conn: &mut Connection<'_>,
    user: i64,
    completion: Completion,
) -> Result<Option<LivenessCheck>, StoreError> {
    let of_user = dsl::liveness_checks
        .filter(dsl::self_service_user_id.eq(user))
        .order((dsl::created_at.desc(), dsl::id.desc()));
    let found: Option<CheckRow> = if completion.rule.only_latest() {
        on_either!(conn, |conn| of_user
            .select(CheckRow::as_select())
            .first(*conn)
            .optional())?
    } else if completion.has_to_stand {
        let passed = of_user.filter(dsl::passed).filter(Stands);
        on_either!(conn, |conn| passed
            .select(CheckRow::as_select())
            .first(*conn)
            .optional())?
    } else {
        let passed = of_user.filter(dsl::passed);
        on_either!(conn, |conn| passed
            .select(CheckRow::as_select())
            .first(*conn)
            .optional())?
    };
    let accepted = found.filter(|row| completion.accepts(row));
    accepted.map(LivenessCheck::try_from).transpose()
}

/// The record that completes the check of each user under a rule.
pub(crate) fn completing_each(
    conn: &mut Connection<'_>,
    asked: &[(i64, Completion)],
) -> Result<Vec<Option<LivenessCheck>>, StoreError> {
    match conn {
        Connection::Postgres(conn) => each_latest(conn, asked, Form::Lateral),
        Connection::Citus(conn) => each_latest(conn, asked, Form::DistinctOn),
        Connection::Sqlite(_) => asked
            .iter()
            .map(|(user, completion)| completing(conn, *user, *completion))
            .collect(),
    }
}

/// The form of the statement that reads the latest records.
#[derive(Clone, Copy)]
enum Form {
    /// Reads one index entry of each user.
    Lateral,
    /// Reads all index entries of each user. Citus cannot plan LATERAL with LIMIT.
    DistinctOn,
}

/// Sends one statement for each rule instead of one for each user, because PostgreSQL is a network away.
fn each_latest(
    conn: &mut PgConnection,
    asked: &[(i64, Completion)],
    form: Form,
) -> Result<Vec<Option<LivenessCheck>>, StoreError> {
    let mut found = HashMap::new();
    let mut searches: Vec<_> = asked.iter().map(|(_, completion)| completion.search()).collect();
    searches.sort_unstable();
    searches.dedup();
    for search in searches {
        let of_rule = asked.iter().filter(|(_, completion)| completion.search() == search);
        let users: Vec<_> = of_rule.map(|(user, _)| *user).collect();
        let latest = EachLatest {
            columns: CheckRow::as_select(),
            users,
            search,
            form,
        };
        let rows: Vec<CheckRow> = latest.load(conn)?;
        found.extend(rows.into_iter().map(|row| ((row.self_service_user_id, search), row)));
    }
    let of = |(user, completion): &(i64, Completion)| {
        let row = found.get(&(*user, completion.search()))?;
        completion.accepts(row).then(|| row.clone().try_into())
    };
    asked.iter().map(|question| of(question).transpose()).collect()
}

/// Selects the latest record of each of these users, or the latest record that passed.
struct EachLatest {
    columns: AsSelect<CheckRow, Pg>,
    users: Vec<i64>,
    search: Search,
    form: Form,
}

impl QueryFragment<Pg> for EachLatest {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self.form {
            Form::Lateral => {
                out.push_sql("SELECT ");
                self.columns.walk_ast(out.reborrow())?;
                out.push_sql(" FROM unnest(");
                out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
                out.push_sql(
                    "::bigint[]) AS asked (id) CROSS JOIN LATERAL (SELECT * FROM liveness_checks AS of_user \
                     WHERE of_user.self_service_user_id = asked.id",
                );
                out.push_sql(self.search.condition());
                out.push_sql(" ORDER BY of_user.created_at DESC, of_user.id DESC LIMIT 1) AS liveness_checks");
            }
            Form::DistinctOn => {
                out.push_sql("SELECT DISTINCT ON (self_service_user_id) ");
                self.columns.walk_ast(out.reborrow())?;
                out.push_sql(" FROM liveness_checks WHERE self_service_user_id = ANY(");
                out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
                out.push_sql(")");
                out.push_sql(self.search.condition());
                out.push_sql(" ORDER BY self_service_user_id, created_at DESC, id DESC");
            }
        }
        Ok(())
    }
}

impl QueryId for EachLatest {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for EachLatest {
    type SqlType = SqlTypeOf<AsSelect<CheckRow, Pg>>;
}

impl RunQueryDsl<PgConnection> for EachLatest {}
