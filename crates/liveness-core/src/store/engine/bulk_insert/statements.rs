//! The three forms of the statement: one row, all rows as arrays, each row with its own values.

use std::marker::PhantomData;

use diesel::RunQueryDsl;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

use super::{Clauses, Columns as _, Row};

/// The statement that inserts one row, for SQLite.
pub(crate) struct OneRow<'r, R, C> {
    row: &'r R,
    clauses: PhantomData<C>,
}

impl<'r, R: Row, C: Clauses> OneRow<'r, R, C> {
    pub(crate) fn of(row: &'r R) -> Self {
        Self {
            row,
            clauses: PhantomData,
        }
    }
}

impl<R: Row, C: Clauses> QueryFragment<Sqlite> for OneRow<'_, R, C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push_head::<R, _>(&mut out);
        out.push_sql(" VALUES (");
        self.row.push_values(out.reborrow())?;
        out.push_sql(") ");
        out.push_sql(C::ON_CONFLICT);
        Ok(())
    }
}

impl<R: Row, C: Clauses> QueryId for OneRow<'_, R, C> {
    type QueryId = (R::Id, C);
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R, C, Conn> RunQueryDsl<Conn> for OneRow<'_, R, C> {}

/// The statement that inserts all rows from arrays, for PostgreSQL.
pub(crate) struct AllRows<R: Row, C> {
    columns: R::Columns,
    clauses: PhantomData<C>,
}

impl<R: Row, C: Clauses> AllRows<R, C> {
    pub(crate) fn of(rows: Vec<R>) -> Self {
        Self {
            columns: rows.into_iter().collect(),
            clauses: PhantomData,
        }
    }
}

impl<R: Row, C: Clauses> QueryFragment<Pg> for AllRows<R, C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push_head::<R, _>(&mut out);
        out.push_sql(" SELECT * FROM unnest(");
        self.columns.push_arrays(out.reborrow())?;
        out.push_sql(") ");
        out.push_sql(C::ON_CONFLICT);
        out.push_sql(" ");
        out.push_sql(C::RETURNING);
        Ok(())
    }
}

impl<R: Row, C: Clauses> QueryId for AllRows<R, C> {
    type QueryId = (R::Id, C);
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Row, C: Clauses> Query for AllRows<R, C> {
    type SqlType = C::Returned;
}

impl<R: Row, C, Conn> RunQueryDsl<Conn> for AllRows<R, C> {}

/// The statement that inserts all rows with the values of each row, for Citus.
pub(crate) struct EachRow<'r, R, C> {
    rows: &'r [R],
    clauses: PhantomData<C>,
}

impl<'r, R: Row, C: Clauses> EachRow<'r, R, C> {
    pub(crate) fn of(rows: &'r [R]) -> Self {
        Self {
            rows,
            clauses: PhantomData,
        }
    }
}

impl<R: Row, C: Clauses> QueryFragment<Pg> for EachRow<'_, R, C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // Each number of rows makes a different statement. Only the statement for one row stays prepared.
        if self.rows.len() > 1 {
            out.unsafe_to_cache_prepared();
        }
        push_head::<R, _>(&mut out);
        for (place, row) in self.rows.iter().enumerate() {
            out.push_sql(if place == 0 { " VALUES (" } else { ", (" });
            row.push_pg_values(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(" ");
        out.push_sql(C::ON_CONFLICT);
        out.push_sql(" ");
        out.push_sql(C::RETURNING);
        Ok(())
    }
}

impl<R, C> QueryId for EachRow<'_, R, C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R: Row, C: Clauses> Query for EachRow<'_, R, C> {
    type SqlType = C::Returned;
}

impl<R, C, Conn> RunQueryDsl<Conn> for EachRow<'_, R, C> {}

fn push_head<R: Row, DB: diesel::backend::Backend>(out: &mut AstPass<'_, '_, DB>) {
    out.push_sql("INSERT INTO ");
    out.push_sql(R::TABLE);
    for (place, column) in R::COLUMNS.iter().enumerate() {
        out.push_sql(if place == 0 { " (" } else { ", " });
        out.push_sql(column);
    }
    out.push_sql(")");
}
