//! `INSERT`, of many rows at once.
//!
//! The statement is the same however many rows there are, so that an engine that has it prepared parses and plans nothing.
//! PostgreSQL is far away: it is told all rows at once, as an array for each column. SQLite is here, and told row by row.
//! diesel would write each row's values into the statement, which is then another for each number of rows.

use std::marker::PhantomData;

use diesel::RunQueryDsl;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

use super::connection::Connection;
use super::error::StoreError;

/// A row to be inserted, which [`row!`] makes.
pub(super) trait Row: Sized {
    /// Many of them, by columns.
    type Columns: FromIterator<Self> + Columns;
    /// A type that no other row has.
    type Id: 'static;

    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];

    /// The values, with what is between them.
    fn push_values<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

/// The values of many rows.
pub(super) trait Columns {
    /// An array a column, with what is between them.
    fn push_arrays<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

/// What is done where a row is there already, and what comes back.
pub(super) trait Then: 'static {
    const ON_CONFLICT: &'static str = "";
    /// Of PostgreSQL only. SQLite would keep a journal of each page that the statement touches, in case that it fails
    /// half-way; what it has done is asked of the connection.
    const RETURNING: &'static str = "";
    /// The types of what comes back.
    type Returned;
}

/// Nothing.
pub(super) struct Only;

impl Then for Only {
    type Returned = ();
}

/// The rows of a table, whose columns they name, with their types in Rust and in SQL.
macro_rules! row {
    (
        struct $Row:ident $(<$life:lifetime>)? of $table:literal, in columns $Columns:ident {
            $first:ident: $first_type:ty => $first_sql:ty,
            $($column:ident: $type:ty => $sql:ty,)*
        }
    ) => {
        struct $Row $(<$life>)? {
            $first: $first_type,
            $($column: $type,)*
        }

        #[derive(Default)]
        struct $Columns $(<$life>)? {
            $first: Vec<$first_type>,
            $($column: Vec<$type>,)*
        }

        impl $(<$life>)? FromIterator<$Row $(<$life>)?> for $Columns $(<$life>)? {
            fn from_iter<Rows: IntoIterator<Item = $Row $(<$life>)?>>(rows: Rows) -> Self {
                let mut columns = Self::default();
                for row in rows {
                    columns.$first.push(row.$first);
                    $(columns.$column.push(row.$column);)*
                }
                columns
            }
        }

        impl $(<$life>)? $crate::store::insert::Columns for $Columns $(<$life>)? {
            fn push_arrays<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                out.push_bind_param::<diesel::sql_types::Array<$first_sql>, _>(&self.$first)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<diesel::sql_types::Array<$sql>, _>(&self.$column)?;
                )*
                Ok(())
            }
        }

        impl $(<$life>)? $crate::store::insert::Row for $Row $(<$life>)? {
            type Columns = $Columns $(<$life>)?;
            type Id = $crate::store::insert::id!($Row $($life)?);

            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[stringify!($first), $(stringify!($column),)*];

            fn push_values<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                out.push_bind_param::<$first_sql, _>(&self.$first)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<$sql, _>(&self.$column)?;
                )*
                Ok(())
            }
        }
    };
}

/// The type of a row that borrows from nothing.
macro_rules! id {
    ($Row:ident) => {
        $Row
    };
    ($Row:ident $life:lifetime) => {
        $Row<'static>
    };
}

pub(super) use {id, row};

/// Inserts rows of which nothing comes back.
pub(super) fn execute<R: Row, T: Then>(conn: &mut Connection<'_>, rows: Vec<R>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    match conn {
        Connection::Sqlite(conn) => {
            for row in &rows {
                OneRow::<_, T>::of(row).execute(*conn)?;
            }
        }
        Connection::Postgres(conn) => {
            AllRows::<_, T>::of(rows).execute(*conn)?;
        }
    }
    Ok(())
}

/// The statement of one row.
pub(super) struct OneRow<'r, R, T> {
    row: &'r R,
    then: PhantomData<T>,
}

impl<'r, R: Row, T: Then> OneRow<'r, R, T> {
    pub(super) fn of(row: &'r R) -> Self {
        Self { row, then: PhantomData }
    }
}

impl<R: Row, T: Then> QueryFragment<Sqlite> for OneRow<'_, R, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push_head::<R, _>(&mut out);
        out.push_sql(" VALUES (");
        self.row.push_values(out.reborrow())?;
        out.push_sql(") ");
        out.push_sql(T::ON_CONFLICT);
        Ok(())
    }
}

impl<R: Row, T: Then> QueryId for OneRow<'_, R, T> {
    type QueryId = (R::Id, T);
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R, T, Conn> RunQueryDsl<Conn> for OneRow<'_, R, T> {}

/// The statement of all rows.
pub(super) struct AllRows<R: Row, T> {
    columns: R::Columns,
    then: PhantomData<T>,
}

impl<R: Row, T: Then> AllRows<R, T> {
    pub(super) fn of(rows: Vec<R>) -> Self {
        Self {
            columns: rows.into_iter().collect(),
            then: PhantomData,
        }
    }
}

impl<R: Row, T: Then> QueryFragment<Pg> for AllRows<R, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push_head::<R, _>(&mut out);
        out.push_sql(" SELECT * FROM unnest(");
        self.columns.push_arrays(out.reborrow())?;
        out.push_sql(") ");
        out.push_sql(T::ON_CONFLICT);
        out.push_sql(" ");
        out.push_sql(T::RETURNING);
        Ok(())
    }
}

impl<R: Row, T: Then> QueryId for AllRows<R, T> {
    type QueryId = (R::Id, T);
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Row, T: Then> Query for AllRows<R, T> {
    type SqlType = T::Returned;
}

impl<R: Row, T, Conn> RunQueryDsl<Conn> for AllRows<R, T> {}

fn push_head<R: Row, DB: diesel::backend::Backend>(out: &mut AstPass<'_, '_, DB>) {
    out.push_sql("INSERT INTO ");
    out.push_sql(R::TABLE);
    for (place, column) in R::COLUMNS.iter().enumerate() {
        out.push_sql(if place == 0 { " (" } else { ", " });
        out.push_sql(column);
    }
    out.push_sql(")");
}
