//! The number of records that match a filter, as an expression in a query.
//!
//! - Numbers that can be millions are read from the totals, also by outcome, by whether there is a face, by verdict and
//!   by decision.
//! - The records of one user are few, so they are counted.
//! - The records of a span of time are counted too. The index by time has the columns that outcomes and faces ask for, so
//!   no record is read. Those that are not accepted, and those that were decided on, are counted in indexes of their own.

use diesel::backend::Backend;
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Integer, Text};

use super::filter::{Conditions, Lead};
use crate::store::tables::totals;

/// The number of records that match.
pub(crate) struct Total<'a>(pub(crate) &'a Conditions<'a>);

impl<DB> QueryFragment<DB> for Total<'_>
where
    DB: Backend + HasSqlType<Bool>,
    i32: ToSql<Integer, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.0.self_service_user_id.is_none() && self.0.span.is_none() {
            self.of_totals(out)
        } else {
            self.counted(out)
        }
    }
}

impl Total<'_> {
    /// Reads the totals.
    fn of_totals<'b, DB>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<Bool>,
        i32: ToSql<Integer, DB>,
        i64: ToSql<BigInt, DB>,
        bool: ToSql<Bool, DB>,
    {
        let conditions = self.0;
        out.push_sql(
            "(SELECT CAST(coalesce(sum(checks), 0) AS BIGINT) FROM liveness_check_totals WHERE pre_registration_id = ",
        );
        out.push_bind_param::<BigInt, _>(conditions.pre_registration_id.as_ref().unwrap_or(&totals::ALL))?;
        outcome(conditions, out.reborrow(), false)?;
        if let Some(verdict) = &conditions.verdict {
            out.push_sql(" AND verdict = ");
            out.push_bind_param::<Integer, _>(verdict)?;
        }
        if let Some(decision) = &conditions.decision {
            out.push_sql(" AND decision = ");
            out.push_bind_param::<Integer, _>(decision.as_ref().unwrap_or(&totals::NONE))?;
        }
        out.push_sql(")");
        Ok(())
    }

    /// Counts the records of a user, or of a span of time.
    fn counted<'b, DB>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<Bool>,
        i32: ToSql<Integer, DB>,
        i64: ToSql<BigInt, DB>,
        bool: ToSql<Bool, DB>,
        str: ToSql<Text, DB>,
    {
        let conditions = self.0;
        out.push_sql("(SELECT count(*) FROM liveness_checks WHERE TRUE");
        if let Some(user) = &conditions.self_service_user_id {
            out.push_sql(" AND self_service_user_id = ");
            out.push_bind_param::<BigInt, _>(user)?;
        }
        if let Some((from, to)) = &conditions.span {
            out.push_sql(" AND created_at >= ");
            out.push_bind_param::<BigInt, _>(from)?;
            out.push_sql(" AND created_at < ");
            out.push_bind_param::<BigInt, _>(to)?;
        }
        if let Some(session_id) = conditions.session_id {
            out.push_sql(" AND session_id = ");
            out.push_bind_param::<Text, _>(session_id)?;
        }
        if let Some(id) = &conditions.pre_registration_id {
            // With `+ 0`, the engine cannot use the index of pre-registrations when a user is given.
            out.push_sql(match conditions.self_service_user_id {
                Some(_) => " AND pre_registration_id + 0 = ",
                None => " AND pre_registration_id = ",
            });
            out.push_bind_param::<BigInt, _>(id)?;
        }
        let lead = conditions.lead();
        outcome(conditions, out.reborrow(), lead == Lead::Time)?;
        judged(conditions, out.reborrow(), lead)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Adds the conditions on the verdict and the decision, in the form that [`with_outcome`](super::filter::with_outcome)
/// explains.
fn judged<'b, DB>(conditions: &'b Conditions<'_>, mut out: AstPass<'_, 'b, DB>, lead: Lead) -> QueryResult<()>
where
    DB: Backend,
    i32: ToSql<Integer, DB>,
{
    if let Some(verdict) = &conditions.verdict {
        out.push_sql(match lead {
            // The texts are those of the partial indexes.
            Lead::Undecided(_) => " AND verdict <> 0 AND verdict = ",
            Lead::Judged(_) => " AND verdict + 0 > 0 AND verdict = ",
            _ => " AND verdict + 0 = ",
        });
        out.push_bind_param::<Integer, _>(verdict)?;
    }
    match &conditions.decision {
        Some(Some(decision)) => {
            out.push_sql(match lead {
                Lead::Decided(_) => " AND decision IS NOT NULL AND decision = ",
                _ => " AND decision + 0 = ",
            });
            out.push_bind_param::<Integer, _>(decision)?;
        }
        Some(None) => out.push_sql(" AND decision IS NULL"),
        None => {}
    }
    Ok(())
}

/// Adds the conditions on the outcome and the face, in the form that [`with_outcome`](super::filter::with_outcome)
/// explains.
fn outcome<'b, DB>(conditions: &'b Conditions<'_>, mut out: AstPass<'_, 'b, DB>, is_of_all: bool) -> QueryResult<()>
where
    DB: Backend + HasSqlType<Bool>,
    bool: ToSql<Bool, DB>,
{
    let outcome = [
        (
            " AND NOT is_successful",
            " AND is_successful = ",
            &conditions.is_successful,
        ),
        (" AND NOT has_image", " AND has_image = ", &conditions.has_image),
    ];
    for (is_not, is, value) in outcome {
        match value {
            Some(false) if is_of_all => out.push_sql(is_not),
            Some(value) => {
                out.push_sql(is);
                out.push_bind_param::<Bool, _>(value)?;
            }
            None => {}
        }
    }
    Ok(())
}

impl QueryId for Total<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Expression for Total<'_> {
    type SqlType = BigInt;
}

impl<Source> AppearsOnTable<Source> for Total<'_> {}

impl<Source> SelectableExpression<Source> for Total<'_> {}

impl ValidGrouping<()> for Total<'_> {
    type IsAggregate = is_aggregate::Never;
}
