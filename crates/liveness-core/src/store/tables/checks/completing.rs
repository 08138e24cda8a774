//! Finds the record that completes a user's check, for one user or for many users at once.

use std::collections::HashMap;

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt};

use super::row::CheckRow;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::{CompletionRule, LivenessCheck};

/// The record that [`CompletionRule::completed_by`] would choose among all records of the user. Only one record is
/// read.
pub(crate) fn completing(
    conn: &mut Connection<'_>,
    user: i64,
    rule: CompletionRule,
) -> Result<Option<LivenessCheck>, StoreError> {
    let of_user = dsl::liveness_checks
        .filter(dsl::self_service_user_id.eq(user))
        .order((dsl::created_at.desc(), dsl::id.desc()));
    let found: Option<CheckRow> = if rule.only_latest() {
        on_either!(conn, |conn| of_user
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
    let accepted = found.filter(|row| rule.accepts(row.is_successful, row.verification_result));
    accepted.map(LivenessCheck::try_from).transpose()
}

/// The record that completes the check of each user under a rule.
pub(crate) fn completing_each(
    conn: &mut Connection<'_>,
    asked: &[(i64, CompletionRule)],
) -> Result<Vec<Option<LivenessCheck>>, StoreError> {
    match conn {
        Connection::Postgres(conn) => each_latest(conn, asked, Form::Lateral),
        Connection::Citus(conn) => each_latest(conn, asked, Form::DistinctOn),
        Connection::Sqlite(_) => asked
            .iter()
            .map(|(user, rule)| completing(conn, *user, *rule))
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
    asked: &[(i64, CompletionRule)],
    form: Form,
) -> Result<Vec<Option<LivenessCheck>>, StoreError> {
    let mut found = HashMap::new();
    for only_latest in [false, true] {
        let of_rule = asked.iter().filter(|(_, rule)| rule.only_latest() == only_latest);
        let users: Vec<_> = of_rule.map(|(user, _)| *user).collect();
        if !users.is_empty() {
            let latest = EachLatest {
                columns: CheckRow::as_select(),
                users,
                only_latest,
                form,
            };
            let rows: Vec<CheckRow> = latest.load(conn)?;
            found.extend(
                rows.into_iter()
                    .map(|row| ((row.self_service_user_id, only_latest), row)),
            );
        }
    }
    let of = |(user, rule): &(i64, CompletionRule)| {
        let row = found.get(&(*user, rule.only_latest()))?;
        let is_accepted = rule.accepts(row.is_successful, row.verification_result);
        is_accepted.then(|| row.clone().try_into())
    };
    asked.iter().map(|question| of(question).transpose()).collect()
}

/// Selects the latest record of each of these users, or the latest record that passed.
struct EachLatest {
    columns: AsSelect<CheckRow, Pg>,
    users: Vec<i64>,
    only_latest: bool,
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
                if !self.only_latest {
                    out.push_sql(" AND of_user.passed");
                }
                out.push_sql(" ORDER BY of_user.created_at DESC, of_user.id DESC LIMIT 1) AS liveness_checks");
            }
            Form::DistinctOn => {
                out.push_sql("SELECT DISTINCT ON (self_service_user_id) ");
                self.columns.walk_ast(out.reborrow())?;
                out.push_sql(" FROM liveness_checks WHERE self_service_user_id = ANY(");
                out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
                out.push_sql(")");
                if !self.only_latest {
                    out.push_sql(" AND passed");
                }
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
