//! `INSERT` of many rows.
//!
//! - PostgreSQL is a network away. It gets all rows at once, as one array for each column.
//! - SQLite is in the same process. It gets one row at a time.
//! - Citus locks all shards for an insert from arrays. It gets all rows at once, each row with its own values.
//!
//! On PostgreSQL and SQLite, the statement is the same for any number of rows. So it stays prepared, and is neither
//! parsed nor planned again. diesel's own insert makes a new statement for each number of rows, as the form for Citus
//! does.

mod statements;

use diesel::RunQueryDsl as _;
use diesel::pg::Pg;
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

pub(crate) use self::statements::{AllRows, EachRow, OneRow};
use super::connection::Connection;
use super::error::StoreError;

/// A row to insert. [`row!`] implements it.
pub(crate) trait Row: Sized {
    /// The values of many rows, in one list for each column.
    type Columns: FromIterator<Self> + Columns;
    /// A type of this row only. It identifies the prepared statement.
    type Id: 'static;

    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];

    /// Adds the values of the row to a statement for SQLite, separated by commas.
    fn push_values<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
    /// Adds the values of the row to a statement for PostgreSQL, separated by commas.
    fn push_pg_values<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
    /// Adds the values of the row to its bytes, from which its digest is made.
    fn push_canonical(&self, row: &mut Vec<u8>);
}

/// The values of many rows, in one list for each column.
pub(crate) trait Columns {
    /// Adds one array for each column to a statement, separated by commas.
    fn push_arrays<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

/// The clauses that follow the values.
pub(crate) trait Clauses: 'static {
    const ON_CONFLICT: &'static str = "";
    /// For PostgreSQL only. With RETURNING, SQLite would keep a journal of each page that the statement changes, in
    /// case the statement fails half-way. On SQLite, `last_insert_rowid()` gives the id instead.
    const RETURNING: &'static str = "";
    /// The SQL types of the columns that RETURNING names.
    type Returned;
}

/// No clauses.
pub(crate) struct NoClauses;

impl Clauses for NoClauses {
    type Returned = ();
}

/// Defines a row of a table: its columns, with their types in Rust and in SQL.
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

        impl $(<$life>)? $crate::store::engine::bulk_insert::Columns for $Columns $(<$life>)? {
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

        impl $(<$life>)? $crate::store::engine::bulk_insert::Row for $Row $(<$life>)? {
            type Columns = $Columns $(<$life>)?;
            type Id = $crate::store::engine::bulk_insert::id!($Row $($life)?);

            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[stringify!($first), $(stringify!($column),)*];

            $crate::store::engine::bulk_insert::push_values!(push_values, diesel::sqlite::Sqlite, {
                $first: $first_sql, $($column: $sql,)*
            });
            $crate::store::engine::bulk_insert::push_values!(push_pg_values, diesel::pg::Pg, {
                $first: $first_sql, $($column: $sql,)*
            });

            fn push_canonical(&self, row: &mut Vec<u8>) {
                $crate::trail::canonical::CanonicalValue::push(&self.$first, row);
                $($crate::trail::canonical::CanonicalValue::push(&self.$column, row);)*
            }
        }
    };
}

/// Defines the function that adds the values of a row to a statement of one engine.
macro_rules! push_values {
    ($name:ident, $DB:ty, { $first:ident: $first_sql:ty, $($column:ident: $sql:ty,)* }) => {
        fn $name<'b>(
            &'b self,
            mut out: diesel::query_builder::AstPass<'_, 'b, $DB>,
        ) -> diesel::QueryResult<()> {
            out.push_bind_param::<$first_sql, _>(&self.$first)?;
            $(
                out.push_sql(", ");
                out.push_bind_param::<$sql, _>(&self.$column)?;
            )*
            Ok(())
        }
    };
}

/// The row's type with a static lifetime.
macro_rules! id {
    ($Row:ident) => {
        $Row
    };
    ($Row:ident $life:lifetime) => {
        $Row<'static>
    };
}

pub(crate) use {id, push_values, row};

/// Inserts rows and returns nothing.
pub(crate) fn execute<R: Row, C: Clauses>(conn: &mut Connection<'_>, rows: Vec<R>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    match conn {
        Connection::Sqlite(conn) => {
            for row in &rows {
                OneRow::<_, C>::of(row).execute(*conn)?;
            }
        }
        Connection::Postgres(conn) => {
            AllRows::<_, C>::of(rows).execute(*conn)?;
        }
        Connection::Citus(conn) => {
            EachRow::<_, C>::of(&rows).execute(*conn)?;
        }
    }
    Ok(())
}
