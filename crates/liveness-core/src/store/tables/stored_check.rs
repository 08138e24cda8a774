//! The bytes of a record, from which its digest is made: `docs/trail.md#records`.

use diesel::backend::Backend;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use crate::store::engine::bulk_insert::Row;
use crate::store::tables::schema::liveness_checks;
use crate::trail::canonical::CanonicalValue;

/// The bytes of a row that has no id yet.
pub(crate) fn without_id(row: &impl Row) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    0_i64.push(&mut bytes);
    row.push_canonical(&mut bytes);
    bytes
}

/// Puts the id of the record into its bytes.
pub(crate) fn set_id(bytes: &mut [u8], id: i64) {
    let mut value = Vec::with_capacity(9);
    id.push(&mut value);
    if let Some(place) = bytes.get_mut(..value.len()) {
        place.copy_from_slice(&value);
    }
}

/// A value that is no part of the bytes, because it is taken away with the face.
#[derive(Debug)]
pub(crate) struct OutsideDigest<T>(pub(crate) T);

impl<T> CanonicalValue for OutsideDigest<T> {
    fn push(&self, _row: &mut Vec<u8>) {}
}

impl<T: ToSql<ST, DB>, ST, DB: Backend> ToSql<ST, DB> for OutsideDigest<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

/// The verdict of a record, and the issued session that it used up, as they are stored.
#[derive(Queryable, Selectable, Debug)]
#[diesel(table_name = liveness_checks)]
pub(crate) struct StoredJudgment {
    pub(crate) verdict: Option<i32>,
    // diesel's table has no room for the columns that follow.
    #[diesel(select_expression = sql::<Nullable<Binary>>("liveness_checks.verdict_policy"))]
    #[diesel(select_expression_type = SqlLiteral<Nullable<Binary>>)]
    pub(crate) policy: Option<Vec<u8>>,
    #[diesel(select_expression = sql::<Nullable<Text>>("liveness_checks.verdict_reasons"))]
    #[diesel(select_expression_type = SqlLiteral<Nullable<Text>>)]
    pub(crate) reasons: Option<String>,
    #[diesel(select_expression = sql::<Nullable<Text>>("liveness_checks.issued_session"))]
    #[diesel(select_expression_type = SqlLiteral<Nullable<Text>>)]
    pub(crate) issued_session: Option<String>,
    /// No part of the bytes: the log tells what was decided.
    pub(crate) decision: Option<i32>,
}

impl StoredJudgment {
    /// Adds the columns to the bytes of their record. A record from before verdicts has none, and keeps the bytes that it had.
    fn push(&self, bytes: &mut Vec<u8>) {
        let is_judged =
            self.verdict.is_some() || self.policy.is_some() || self.reasons.is_some() || self.issued_session.is_some();
        if is_judged {
            self.verdict.push(bytes);
            self.policy.push(bytes);
            self.reasons.push(bytes);
            self.issued_session.push(bytes);
        }
    }
}

macro_rules! stored_check {
    ($($(#[$($read:tt)*])* $column:ident: $type:ty,)*; has_image, $($later:ident: $later_type:ty,)*) => {
        /// A record with all of its columns, as it is stored.
        #[derive(Queryable, Selectable, Debug)]
        #[diesel(table_name = liveness_checks)]
        pub(crate) struct StoredCheck {
            $($(#[$($read)*])* pub(crate) $column: $type,)*
            pub(crate) has_image: bool,
            $(pub(crate) $later: $later_type,)*
            #[diesel(embed)]
            pub(crate) judgment: StoredJudgment,
            /// No part of the bytes: the log tells when a face was erased.
            pub(crate) face_erased_at: Option<i64>,
        }

        impl StoredCheck {
            /// The bytes of the record. It had a face if that was erased.
            pub(crate) fn canonical(&self) -> Vec<u8> {
                let mut bytes = Vec::with_capacity(1024);
                $(self.$column.push(&mut bytes);)*
                (self.has_image || self.face_erased_at.is_some()).push(&mut bytes);
                $(self.$later.push(&mut bytes);)*
                self.judgment.push(&mut bytes);
                bytes
            }
        }
    };
}

// The order is that of `NewCheckRow`, after the id. SQLite holds 64 bits in any column of integers: the digest is over all of them.
stored_check! {
    id: i64,
    self_service_user_id: i64,
    pre_registration_id: Option<i64>,
    session_id: String,
    is_successful: bool,
    verification_result: Option<bool>,
    passed: bool,
    #[diesel(select_expression = sql::<Nullable<BigInt>>("CAST(liveness_checks.session_duration AS BIGINT)"))]
    #[diesel(select_expression_type = SqlLiteral<Nullable<BigInt>>)]
    session_duration: Option<i64>,
    lighting_value: Option<f64>,
    challenge_count: Option<i32>,
    completed_challenges: Option<String>,
    challenges: Option<String>,
    sdk_timestamp: Option<i64>,
    completed_at: Option<i64>,
    final_capture_verification_result: Option<bool>,
    #[diesel(select_expression = sql::<Nullable<BigInt>>("CAST(liveness_checks.final_capture_session_duration AS BIGINT)"))]
    #[diesel(select_expression_type = SqlLiteral<Nullable<BigInt>>)]
    final_capture_session_duration: Option<i64>,
    final_capture_lighting_value: Option<f64>,
    image_verification_result: Option<bool>,
    #[diesel(select_expression = sql::<Nullable<BigInt>>("CAST(liveness_checks.image_session_duration AS BIGINT)"))]
    #[diesel(select_expression_type = SqlLiteral<Nullable<BigInt>>)]
    image_session_duration: Option<i64>,
    image_lighting_value: Option<f64>,
    ; has_image,
    image_path: Option<String>,
    device_info: Option<String>,
    client_ip: Option<String>,
    created_at: i64,
    metadata: Option<String>,
    image_metadata: Option<String>,
    idempotency_key: Option<String>,
    request_fingerprint: Option<Vec<u8>>,
}
