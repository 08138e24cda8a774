//! The query for what one search of the audit trail finds. It goes by one index.

/// The condition of the index of principals, which has only what others did than the user of the entry. An engine uses the index if
/// a query has the same text.
pub(crate) const BY_OTHERS: &str = "(self_service_user_id IS NULL OR principal <> CAST(self_service_user_id AS TEXT))";

/// The part of an index from the time `$from` and before the place `$before`, newest first. `$column` is the first column
/// of the index, and leads the order. So exactly one index has that order, whatever the engine's statistics are.
macro_rules! part_of_index {
    ($query:expr, $column:ident: $type:ty = $value:expr, $search:expr) => {
        $query
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", at, id) < ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>($search.before.0)
                    .sql(", ")
                    .bind::<BigInt, _>($search.before.1)
                    .sql(")"),
            )
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", at) >= ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>($search.from)
                    .sql(")"),
            )
            .order(dsl::$column.desc())
    };
}
pub(crate) use part_of_index;

/// The query for what one search of `Search::by_index` finds, on either engine. With CASE, the engine cannot use the index of a
/// condition that is not the narrowest, and does not think that it leaves few rows, which it would rather sort.
macro_rules! matching {
    ($search:expr, $is_citus:expr) => {{
        use diesel::dsl::sql;
        use diesel::sql_types::{BigInt, Bool, Text};
        use $crate::store::tables::trail::matching::{BY_OTHERS, part_of_index};
        let search = $search;
        let query = dsl::liveness_audit_entries.into_boxed();
        let mut query = match (search.user, search.principal, search.message) {
            (Some(user), ..) => part_of_index!(query, self_service_user_id: BigInt = user, search),
            (None, Some(principal), _) => {
                part_of_index!(query, principal: Text = principal, search).filter(sql::<Bool>(BY_OTHERS))
            }
            (None, None, Some(message)) => part_of_index!(query, message: Text = message, search),
            (None, None, None) => query
                .filter(
                    sql::<Bool>("(at, id) < (")
                        .bind::<BigInt, _>(search.before.0)
                        .sql(", ")
                        .bind::<BigInt, _>(search.before.1)
                        .sql(")"),
                )
                .filter(dsl::at.ge(search.from)),
        };
        if let (true, Some(user)) = ($is_citus, search.user) {
            // With the user, Citus knows the shard.
            query = query.filter(dsl::self_service_user_id.eq(user));
        }
        if let (Some(_), Some(principal)) = (search.user, search.principal) {
            query = query.filter(sql::<Bool>("CASE WHEN principal = ").bind::<Text, _>(principal).sql(" THEN TRUE ELSE FALSE END"));
        }
        if let (true, Some(message)) = (search.user.is_some() || search.principal.is_some(), search.message) {
            query = query.filter(sql::<Bool>("CASE WHEN message = ").bind::<Text, _>(message).sql(" THEN TRUE ELSE FALSE END"));
        }
        query.then_order_by((dsl::at.desc(), dsl::id.desc()))
    }};
}
pub(crate) use matching;
