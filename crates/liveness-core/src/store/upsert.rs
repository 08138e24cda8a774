//! Rows that are inserted, or added to what is there: `INSERT … ON CONFLICT … DO UPDATE`.
//!
//! diesel has such statements, but prepares them anew each time, which takes longer than running them.

use std::any::Any;

use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Integer, Text};

/// A row of such a statement. The text is for both engines.
pub(super) trait UpsertRow {
    /// Up to VALUES.
    const INSERT: &'static str;
    /// After VALUES.
    const ON_CONFLICT: &'static str;
    /// What comes back.
    type Returned;
    /// Tells the statement from others: a type that no other row has.
    type Id: Any;

    /// The values, each pushed with what is between it and the next.
    fn push_values<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend,
        i64: ToSql<BigInt, DB>,
        i32: ToSql<Integer, DB>,
        str: ToSql<Text, DB>;
}

/// The statement. That of one row is always the same, and kept prepared.
pub(super) struct Upsert<'a, R, const IS_ONE: bool>(&'a [R]);

impl<DB, R, const IS_ONE: bool> QueryFragment<DB> for Upsert<'_, R, IS_ONE>
where
    DB: Backend,
    R: UpsertRow,
    i64: ToSql<BigInt, DB>,
    i32: ToSql<Integer, DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !IS_ONE {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(R::INSERT);
        for (place, row) in self.0.iter().enumerate() {
            out.push_sql(if place == 0 { " (" } else { ", (" });
            row.push_values(&mut out)?;
            out.push_sql(")");
        }
        out.push_sql(R::ON_CONFLICT);
        Ok(())
    }
}

impl<R: UpsertRow, const IS_ONE: bool> QueryId for Upsert<'_, R, IS_ONE> {
    type QueryId = R::Id;
    const HAS_STATIC_QUERY_ID: bool = IS_ONE;
}

impl<R: UpsertRow, const IS_ONE: bool> Query for Upsert<'_, R, IS_ONE> {
    type SqlType = R::Returned;
}

impl<R, Conn, const IS_ONE: bool> RunQueryDsl<Conn> for Upsert<'_, R, IS_ONE> {}

/// What `in_statements!` has at hand: one row, or several.
pub(super) trait Rows<'a> {
    type Statement;

    fn upsert(self) -> Self::Statement;
}

impl<'a, R: UpsertRow> Rows<'a> for &'a R {
    type Statement = Upsert<'a, R, true>;

    fn upsert(self) -> Self::Statement {
        Upsert(std::slice::from_ref(self))
    }
}

impl<'a, R: UpsertRow> Rows<'a> for &'a [R] {
    type Statement = Upsert<'a, R, false>;

    fn upsert(self) -> Self::Statement {
        Upsert(self)
    }
}
