//! Which records were erased, as the audit entries of their erasures tell.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::Erased;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl;

/// Those of the records of whose erasure an entry tells.
pub(crate) fn among(conn: &mut Connection<'_>, check_ids: &[i64]) -> Result<BTreeSet<i64>, StoreError> {
    if check_ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let id = dsl::liveness_check_id.assume_not_null();
    let told = format!("%\"erased\":\"{}\"%", Erased::Record.name());
    let ids: Vec<i64> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(eq_any(id, check_ids.to_vec())?)
        .filter(dsl::record_digest.is_not_null().and(dsl::subject.like(told)))
        .select(id)
        .load(*conn))?;
    Ok(ids.into_iter().collect())
}
