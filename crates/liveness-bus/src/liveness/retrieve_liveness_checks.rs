//! Lists records for an administrator, page by page: `docs/api.md#retrievelivenesschecksquery`.

use std::collections::HashMap;

use liveness_core::store::{CheckFilter, CheckPage, PageRequest};
use liveness_core::{AuditSubject, LivenessCheck, SessionId, Shown, Timestamp, User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::judgment::{self, DecisionFilter, DecisionOutcome, VerdictOutcome};
use super::optional_text::{OrEmpty, given};
use super::{ADMIN, Liveness, paging, time_span, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Asks for one page of the records to which all given filters apply.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[validate(schema(function = "from_is_not_after_to", skip_on_field_errors = false))]
pub struct RetrieveLivenessChecksQuery {
    /// Records of users of this pre-registration, from 1.
    #[validate(range(min = 1))]
    pub pre_registration_id: Option<i64>,
    /// Records of this user, from 1.
    #[validate(range(min = 1))]
    pub self_service_user_id: Option<i64>,
    /// Records of this session of the SDK.
    #[validate(custom(function = "validators::session_id_or_empty"))]
    #[schemars(with = "Option<OrEmpty<SessionId>>")]
    pub session_id: Option<String>,
    /// Records that were created at this time or later: RFC 3339, or ISO 8601 without an offset. `24:00:00` is the end of
    /// the day, and annotations in brackets after the offset are ignored. An empty text is none.
    #[validate(custom(function = "validators::instant_or_empty"))]
    #[schemars(with = "Option<OrEmpty<Timestamp>>")]
    pub from: Option<String>,
    /// Records that were created before this time, which is written like `from`, and not before it.
    #[validate(custom(function = "validators::instant_or_empty"))]
    #[schemars(with = "Option<OrEmpty<Timestamp>>")]
    pub to: Option<String>,
    /// Records whose run the SDK called a success, or those it did not.
    pub is_successful: Option<bool>,
    /// Records with a face, or those without one.
    pub has_image: Option<bool>,
    /// Records that were judged like this.
    #[validate(custom(function = "judgment::verdict_or_empty"))]
    #[schemars(with = "Option<OrEmpty<VerdictOutcome>>")]
    pub verdict: Option<String>,
    /// Records on which this was decided; `none` for those that are undecided.
    #[validate(custom(function = "judgment::decision_or_empty"))]
    #[schemars(with = "Option<OrEmpty<DecisionFilter>>")]
    pub decision: Option<String>,
    /// Whether the newest records come first, or the oldest; `newest` where it is not given.
    #[validate(custom(function = "order_or_empty"))]
    #[schemars(with = "Option<OrEmpty<ListOrder>>")]
    pub order: Option<String>,
    /// From 1; 1 where it is not given.
    #[validate(range(min = 1))]
    pub page_number: Option<i64>,
    /// 1 to 100; 20 where it is not given.
    #[validate(range(min = 1, max = 100))]
    pub page_size: Option<i64>,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ListOrder {
    Newest,
    Oldest,
}

fn order_or_empty(text: &str) -> Result<(), ValidationError> {
    judgment::or_empty::<ListOrder>(text, "must be `newest` or `oldest`")
}

/// One page.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct LivenessCheckPage {
    /// Its records.
    pub items: Vec<LivenessCheckItem>,
    /// From 1.
    pub page_number: i64,
    /// Records a page.
    pub page_size: i64,
    /// Records on all pages.
    pub total_count: i64,
    /// Pages; none when there are no records.
    pub total_pages: i64,
    /// Whether this is not the first page.
    pub has_previous_page: bool,
    /// Whether there are records behind this page.
    pub has_next_page: bool,
}

/// A record without its face, and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are those of LivenessCheck and User")]
pub struct LivenessCheckItem {
    pub id: i64,
    pub self_service_user_id: i64,
    pub pre_registration_id: Option<i64>,
    pub user_id2: Option<String>,
    pub email_address: Option<String>,
    pub display_name: Option<String>,
    pub session_id: String,
    pub is_successful: bool,
    pub verification_result: Option<bool>,
    pub session_duration: Option<i32>,
    pub lighting_value: Option<f64>,
    pub challenge_count: Option<i32>,
    pub completed_challenges: Option<Vec<String>>,
    pub final_capture_verification_result: Option<bool>,
    pub has_image: bool,
    pub image_path: Option<String>,
    pub image_verification_result: Option<bool>,
    pub completed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub device_info: Option<String>,
    pub client_ip: Option<String>,
    pub verdict: Option<VerdictOutcome>,
    pub decision: Option<DecisionOutcome>,
}

impl Message for RetrieveLivenessChecksQuery {
    const NAME: &'static str = "RetrieveLivenessChecksQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = ADMIN;
    const AUDIT: Audit = Audit::BeforeReply;
    type Reply = LivenessCheckPage;

    fn description() -> Option<Description> {
        Some(Description::of::<Self>(include_str!(
            "examples/retrieve_liveness_checks.json"
        )))
    }

    fn concerns(&self) -> Option<i64> {
        self.self_service_user_id
    }

    fn summary(_: &LivenessCheckPage) -> Option<&'static str> {
        Some("Liveness checks retrieved successfully.")
    }
}

impl Handler<RetrieveLivenessChecksQuery> for Liveness {
    async fn handle(&self, query: RetrieveLivenessChecksQuery, call: &Call<'_>) -> Result<LivenessCheckPage, BusError> {
        let page = paging::requested(query.page_number, query.page_size);
        let filter = query.filter()?;
        let mut named = filter.named();
        named.extend(Shown::filter_of([(
            "order",
            given(query.order.as_ref()).map(str::to_owned),
        )]));
        let is_oldest_first =
            given(query.order.as_ref()).and_then(judgment::word::<ListOrder>) == Some(ListOrder::Oldest);
        let checks = self.store.checks();
        let CheckPage { items, total } = if is_oldest_first {
            checks.page_oldest_first(filter, page).await?
        } else {
            checks.page(filter, page).await?
        };
        call.shows(AuditSubject {
            shown: Shown {
                records: items.iter().map(|check| check.id).collect(),
                count: Some(items.len() as u64),
                page: Some(page.number),
                page_size: Some(page.size),
                filter: named,
                ..Shown::default()
            },
            ..AuditSubject::default()
        });
        let users = self.users_of(&items).await?;
        let items = items.into_iter().map(|check| {
            let user = users.get(&check.self_service_user_id);
            LivenessCheckItem::of(check, user)
        });
        Ok(LivenessCheckPage::of(items.collect(), page, total))
    }
}

fn from_is_not_after_to(query: &RetrieveLivenessChecksQuery) -> Result<(), ValidationError> {
    time_span::check_order(query.from.as_ref(), query.to.as_ref())
}

impl RetrieveLivenessChecksQuery {
    fn filter(&self) -> Result<CheckFilter, BusError> {
        let session_id = given(self.session_id.as_ref()).map(SessionId::parse).transpose();
        let session_id = session_id.map_err(|violation| BusError::invalid("sessionId", violation))?;
        Ok(CheckFilter {
            pre_registration_id: self.pre_registration_id,
            self_service_user_id: self.self_service_user_id,
            session_id: session_id.map(|id| id.as_str().to_owned()),
            from: time_span::instant("from", self.from.as_ref())?,
            to: time_span::instant("to", self.to.as_ref())?,
            is_successful: self.is_successful,
            has_image: self.has_image,
            verdict: given(self.verdict.as_ref())
                .and_then(judgment::word::<VerdictOutcome>)
                .map(Into::into),
            decision: given(self.decision.as_ref())
                .and_then(judgment::word::<DecisionFilter>)
                .map(Into::into),
        })
    }
}

impl Liveness {
    async fn users_of(&self, checks: &[LivenessCheck]) -> Result<HashMap<i64, User>, BusError> {
        let mut ids: Vec<i64> = checks.iter().map(|check| check.self_service_user_id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(self
            .users
            .find(&ids)
            .await?
            .into_iter()
            .map(|user| (user.id, user))
            .collect())
    }
}

impl LivenessCheckPage {
    fn of(items: Vec<LivenessCheckItem>, page: PageRequest, total: i64) -> Self {
        let total_pages = paging::total_pages(total, page);
        Self {
            items,
            page_number: page.number,
            page_size: page.size,
            total_count: total,
            total_pages,
            has_previous_page: page.number > 1,
            has_next_page: page.number < total_pages,
        }
    }
}

impl LivenessCheckItem {
    /// An item for a record and its user, if the directory knows the user.
    pub fn of(check: LivenessCheck, user: Option<&User>) -> Self {
        Self {
            id: check.id,
            self_service_user_id: check.self_service_user_id,
            pre_registration_id: check.pre_registration_id,
            user_id2: user.map(|user| user.user_id.clone()),
            email_address: user.and_then(|user| user.email_address.clone()),
            display_name: user.and_then(|user| user.display_name.clone()),
            session_id: check.session_id,
            is_successful: check.is_successful,
            verification_result: check.verification_result,
            session_duration: check.session_duration,
            lighting_value: check.lighting_value,
            challenge_count: check.challenge_count,
            completed_challenges: check.completed_challenges,
            final_capture_verification_result: check.final_capture_verification_result,
            has_image: check.has_image,
            image_path: check.image_path,
            image_verification_result: check.image_verification_result,
            completed_at: check.completed_at,
            created_at: check.created_at,
            device_info: check.device_info,
            client_ip: check.client_ip,
            verdict: check.verdict.map(Into::into),
            decision: check.decision.map(Into::into),
        }
    }
}
