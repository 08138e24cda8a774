//! `column = ANY (…)` with one parameter for all values. The statement is the same for any number of values, so it
//! stays prepared.
//!
//! PostgreSQL gets an array. SQLite has no arrays, so it gets a JSON array.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, Bool, SingleValue, SqlType, Text};
use diesel::sqlite::Sqlite;

use super::error::StoreError;

pub(crate) struct EqAny<C, V> {
    column: C,
    values: Vec<V>,
    json: String,
}

/// The condition that a column has one of these values.
pub(crate) fn eq_any<C, V: serde::Serialize>(column: C, values: Vec<V>) -> Result<EqAny<C, V>, StoreError> {
    let json = serde_json::to_string(&values).map_err(StoreError::internal)?;
    Ok(EqAny { column, values, json })
}

impl<C: QueryFragment<Sqlite>, V> QueryFragment<Sqlite> for EqAny<C, V> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.json)?;
        out.push_sql("))");
        Ok(())
    }
}

impl<C, V> QueryFragment<Pg> for EqAny<C, V>
where
    C: Expression + QueryFragment<Pg>,
    C::SqlType: SqlType + SingleValue,
    Pg: diesel::sql_types::HasSqlType<C::SqlType>,
    Vec<V>: ToSql<Array<C::SqlType>, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY (");
        out.push_bind_param::<Array<C::SqlType>, _>(&self.values)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<C: QueryId, V> QueryId for EqAny<C, V> {
    type QueryId = EqAny<C::QueryId, ()>;
    const HAS_STATIC_QUERY_ID: bool = C::HAS_STATIC_QUERY_ID;
}

impl<C, V> Expression for EqAny<C, V> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<Source>, V, Source> AppearsOnTable<Source> for EqAny<C, V> {}

impl<C, V> ValidGrouping<()> for EqAny<C, V> {
    type IsAggregate = is_aggregate::No;
}
