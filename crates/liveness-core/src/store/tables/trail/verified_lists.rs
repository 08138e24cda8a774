//! Compares the lists that showed records with the rows that lead to them from each record.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::bound::ToldList;
use super::verified::TrailVerification;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_lists as lists;

/// Verifies that a search for a record finds these lists.
pub(crate) fn verify(
    conn: &mut Connection<'_>,
    told: &[ToldList],
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    let mut of_writers = BTreeMap::<&[u8], Vec<&ToldList>>::new();
    for list in told {
        of_writers.entry(&list.writer).or_default().push(list);
    }
    for (writer, told) in of_writers {
        let found = rows(conn, writer, &told)?;
        for list in told {
            let is_found = |bucket: &i64| found.contains(&(*bucket, list.count));
            if !list.buckets.iter().all(is_found) {
                done.find(format!(
                    "a row of liveness_audit_lists was taken away: it leads from records to the list of audit entry {} (leaf {})",
                    list.id, list.leaf
                ));
            }
        }
    }
    Ok(())
}

/// The rows of lists of one writer.
pub(crate) fn rows(
    conn: &mut Connection<'_>,
    writer: &[u8],
    told: &[&ToldList],
) -> Result<BTreeSet<(i64, i64)>, StoreError> {
    let buckets: BTreeSet<i64> = told.iter().flat_map(|list| list.buckets.iter().copied()).collect();
    let buckets: Vec<i64> = buckets.into_iter().collect();
    let counts = told.iter().map(|list| list.count);
    let (first, last) = (counts.clone().min(), counts.max());
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(BTreeSet::new());
    };
    let rows: Vec<(i64, i64)> = on_either!(conn, |conn| lists::table
        .filter(eq_any(lists::bucket, buckets.clone())?)
        .filter(lists::writer.eq(writer))
        .filter(lists::writer_count.ge(first).and(lists::writer_count.le(last)))
        .select((lists::bucket, lists::writer_count))
        .load(*conn))?;
    Ok(rows.into_iter().collect())
}
