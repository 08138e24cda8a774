//! Statements for PostgreSQL as text that stay prepared on a connection.
//!
//! [`diesel::sql_query`] has its text parsed and planned anew each time. Of what is sent with each record, planning would take
//! the server longer than running.

use std::marker::PhantomData;

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement, or the part of one up to the next parameter. What it loads is found by the names of columns.
#[must_use = "nothing is sent before it is executed or loaded"]
pub(crate) struct PreparedSql<Start> {
    start: Start,
    rest: &'static str,
}

/// A statement that begins with this text.
pub(crate) fn prepared_sql(text: &'static str) -> PreparedSql<()> {
    PreparedSql { start: (), rest: text }
}

impl<Start> PreparedSql<Start> {
    /// The next parameter, and the text after it.
    pub(crate) fn bind<ST, V>(self, value: V, rest: &'static str) -> PreparedSql<Bound<Self, ST, V>> {
        let start = Bound {
            start: self,
            value,
            sql_type: PhantomData,
        };
        PreparedSql { start, rest }
    }
}

/// A part of a statement with the parameter behind it.
pub(crate) struct Bound<Start, ST, V> {
    start: Start,
    value: V,
    sql_type: PhantomData<ST>,
}

impl<Start: QueryFragment<Pg>> QueryFragment<Pg> for PreparedSql<Start> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.start.walk_ast(out.reborrow())?;
        out.push_sql(self.rest);
        Ok(())
    }
}

impl<Start, ST, V> QueryFragment<Pg> for Bound<Start, ST, V>
where
    Start: QueryFragment<Pg>,
    Pg: HasSqlType<ST>,
    V: ToSql<ST, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.start.walk_ast(out.reborrow())?;
        out.push_bind_param::<ST, V>(&self.value)
    }
}

// It is kept by its text.
impl<Start> QueryId for PreparedSql<Start> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Start> Query for PreparedSql<Start> {
    type SqlType = Untyped;
}

impl<Start> RunQueryDsl<PgConnection> for PreparedSql<Start> {}
