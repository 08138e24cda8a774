//! Lists audit entries for an auditor, page by page: `docs/api.md#retrieveauditentriesquery`.

use std::collections::BTreeMap;

use liveness_core::store::{FoundEntry, PageRequest, TrailFilter, TrailPage, TrailPageRequest};
use liveness_core::{AuditEntry, AuditSubject, Shown, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::optional_text::{OrEmpty, given};
use super::shown::hex;
use super::{AUDITOR, DecisionOutcome, Liveness, paging, time_span, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

const NO_SUCH_ENTRY: BusError = BusError::NotFound("there is no entry with the id before");

/// Asks for one page of the audit entries to which all given filters apply, newest first.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[validate(schema(function = "from_is_not_after_to", skip_on_field_errors = false))]
pub struct RetrieveAuditEntriesQuery {
    /// Entries that concern this user, from 1.
    #[validate(range(min = 1))]
    pub user_id: Option<i64>,
    /// Entries of this sender: the subject of a token, or `cli:` and a login.
    #[validate(length(max = 255))]
    pub principal: Option<String>,
    /// Entries of this message, or of this subcommand of the command line.
    #[validate(length(max = 255))]
    pub message: Option<String>,
    /// Entries that tell of this record, from 1: it was recorded, or it was shown, alone or in a list.
    #[validate(range(min = 1))]
    pub check_id: Option<i64>,
    /// Entries of this time or later: RFC 3339, or ISO 8601 without an offset. `24:00:00` is the end of the day, and
    /// annotations in brackets after the offset are ignored. An empty text is none.
    #[validate(custom(function = "validators::instant_or_empty"))]
    #[schemars(with = "Option<OrEmpty<Timestamp>>")]
    pub from: Option<String>,
    /// Entries from before this time, which is written like `from`, and not before it.
    #[validate(custom(function = "validators::instant_or_empty"))]
    #[schemars(with = "Option<OrEmpty<Timestamp>>")]
    pub to: Option<String>,
    /// Entries older than the one with this `Id`. The pages are counted from there.
    #[validate(range(min = 1))]
    pub before: Option<i64>,
    /// From 1; 1 where it is not given.
    #[validate(range(min = 1))]
    pub page_number: Option<i64>,
    /// 1 to 100; 20 where it is not given.
    #[validate(range(min = 1, max = 100))]
    pub page_size: Option<i64>,
}

/// One page of the audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AuditEntryPage {
    /// Its entries.
    pub items: Vec<AuditEntryItem>,
    /// From 1.
    pub page_number: i64,
    /// Entries a page.
    pub page_size: i64,
    /// Entries on all pages; null when they are more than 10,000.
    pub total_count: Option<i64>,
    /// Pages; null when the entries are more than 10,000.
    pub total_pages: Option<i64>,
    /// Whether this is not the first page.
    pub has_previous_page: bool,
    /// Whether there are entries behind this page.
    pub has_next_page: bool,
}

/// An audit entry.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AuditEntryItem {
    /// The number of the entry.
    pub id: i64,
    /// The time of the message.
    pub at: Timestamp,
    /// Who vouches for the sender: the token's `iss`. None for the command line.
    pub issuer: Option<String>,
    /// The sender: the token's subject, or `cli:` and a login.
    pub principal: String,
    /// Who acted for the sender, if it was somebody else.
    pub actor: Option<String>,
    /// The roles of the sender.
    pub roles: Vec<String>,
    /// The message, or the subcommand of the command line.
    pub message: String,
    /// The statusCode of the answer.
    pub outcome: String,
    /// `SelfServiceUser.Id` of the user concerned.
    pub user_id: Option<i64>,
    /// The record that was recorded, or shown alone.
    pub check_id: Option<i64>,
    /// SHA-256 of the face that was recorded or shown, of its bytes as they are kept; hexadecimal.
    pub face_sha256: Option<String>,
    /// What else was shown.
    pub shown: Option<AuditShown>,
    /// Why it was looked at or done, in the words of the sender.
    pub purpose: Option<String>,
    /// The address that the request came from.
    pub client_ip: Option<String>,
    /// The request's id.
    pub request_id: String,
    /// The index of the entry in the log of the trail; null until it is in the log.
    pub leaf: Option<i64>,
}

/// What a message showed besides one record.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AuditShown {
    /// The ids of the records of a list.
    pub records: Vec<i64>,
    /// How many rows were shown; 0 for a look that found nothing.
    pub count: Option<u64>,
    /// The number of the page, from 1.
    pub page: Option<i64>,
    /// The most rows of a page.
    pub page_size: Option<i64>,
    /// What was searched for: the names of the filters as in the request, and their values.
    pub filter: BTreeMap<String, String>,
    /// What else was done, in words.
    pub detail: Option<String>,
    /// What was erased: `face`, `record`, `entries` or `user`.
    pub erased: Option<String>,
    /// From when on the erased face is unreadable everywhere; null while the day of the next rotation was not known.
    pub unreadable_from: Option<Timestamp>,
    /// What was decided about the record.
    pub decision: Option<DecisionOutcome>,
    /// Whether the decision counted when it was made; null without a decision.
    pub counts: Option<bool>,
}

impl Message for RetrieveAuditEntriesQuery {
    const NAME: &'static str = "RetrieveAuditEntriesQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = AUDITOR;
    const AUDIT: Audit = Audit::BeforeReply;
    type Reply = AuditEntryPage;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/retrieve_audit_entries.json");
        Some(Description::of::<Self>(examples).refusals([NO_SUCH_ENTRY]))
    }

    fn concerns(&self) -> Option<i64> {
        self.user_id
    }

    fn summary(_: &AuditEntryPage) -> Option<&'static str> {
        Some("Audit entries retrieved successfully.")
    }
}

impl Handler<RetrieveAuditEntriesQuery> for Liveness {
    async fn handle(&self, query: RetrieveAuditEntriesQuery, call: &Call<'_>) -> Result<AuditEntryPage, BusError> {
        let page = paging::requested(query.page_number, query.page_size);
        let part = TrailPageRequest {
            before: query.before,
            skip: page.number.saturating_sub(1).saturating_mul(page.size),
            size: page.size,
        };
        let filter = query.filter()?;
        let mut named = filter.named();
        named.extend(Shown::filter_of([("before", query.before.map(|id| id.to_string()))]));
        let found = self.store.trail().search(filter, part).await?;
        call.shows(AuditSubject {
            shown: Shown {
                count: Some(found.as_ref().map_or(0, |found| found.items.len()) as u64),
                page: Some(page.number),
                page_size: Some(page.size),
                filter: named,
                ..Shown::default()
            },
            ..AuditSubject::default()
        });
        let found = found.ok_or(NO_SUCH_ENTRY)?;
        Ok(AuditEntryPage::of(found, page))
    }
}

fn from_is_not_after_to(query: &RetrieveAuditEntriesQuery) -> Result<(), ValidationError> {
    time_span::check_order(query.from.as_ref(), query.to.as_ref())
}

impl RetrieveAuditEntriesQuery {
    fn filter(&self) -> Result<TrailFilter, BusError> {
        Ok(TrailFilter {
            self_service_user_id: self.user_id,
            principal: given(self.principal.as_ref()).map(str::to_owned),
            message: given(self.message.as_ref()).map(str::to_owned),
            liveness_check_id: self.check_id,
            from: time_span::instant("from", self.from.as_ref())?,
            to: time_span::instant("to", self.to.as_ref())?,
        })
    }
}

impl AuditEntryPage {
    fn of(found: TrailPage, page: PageRequest) -> Self {
        Self {
            items: found.items.into_iter().map(AuditEntryItem::from).collect(),
            page_number: page.number,
            page_size: page.size,
            total_count: found.total,
            total_pages: found.total.map(|total| paging::total_pages(total, page)),
            has_previous_page: page.number > 1,
            has_next_page: found.has_next,
        }
    }
}

impl From<FoundEntry> for AuditEntryItem {
    fn from(FoundEntry { id, leaf, entry }: FoundEntry) -> Self {
        let AuditEntry { subject, .. } = entry;
        let mut shown = subject.shown;
        let purpose = shown.purpose.take();
        let digest = subject.face_digest;
        Self {
            id,
            at: entry.at,
            issuer: entry.issuer,
            principal: entry.principal,
            actor: entry.actor,
            roles: entry
                .roles
                .split(',')
                .filter(|role| !role.is_empty())
                .map(str::to_owned)
                .collect(),
            message: entry.message.into_owned(),
            outcome: entry.outcome.into_owned(),
            user_id: entry.self_service_user_id,
            check_id: subject.liveness_check_id,
            face_sha256: digest.map(|digest| hex(&digest)),
            shown: (!shown.is_empty()).then(|| shown.into()),
            purpose,
            client_ip: entry.client_address.map(|address| address.to_string()),
            request_id: entry.request_id,
            leaf,
        }
    }
}

impl From<Shown> for AuditShown {
    fn from(shown: Shown) -> Self {
        Self {
            records: shown.records,
            count: shown.count,
            page: shown.page,
            page_size: shown.page_size,
            filter: shown.filter,
            detail: shown.detail,
            erased: shown.erasure.as_ref().map(|erasure| erasure.erased.name().to_owned()),
            unreadable_from: shown.erasure.and_then(|erasure| erasure.unreadable_from),
            decision: shown.decision.map(|made| made.decision.into()),
            counts: shown.decision.map(|made| made.counts),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::TestBus;

    const NAME: &str = RetrieveAuditEntriesQuery::NAME;

    async fn dispatch(world: &TestBus, body: Value) -> Result<Value, BusError> {
        world.dispatch(NAME, &body.to_string(), &world.auditor()).await
    }

    /// A record of user 7 with a face, which an administrator lists, looks at, and does not find under another number.
    async fn looked_at() -> TestBus {
        let world = TestBus::new();
        world.add_customer(7).await;
        let face = json!({"sessionId": "a", "isSuccessful": true, "imageBase64": "/9j/wAALCAABAAEBAREA"});
        let sent = [
            (world.customer(7), "UpdateLivenessCheckCommand", face),
            (
                world.admin(),
                "RetrieveLivenessChecksQuery",
                json!({"selfServiceUserId": 7}),
            ),
            (
                world.admin(),
                "GetLivenessCheckQuery",
                json!({"id": 1, "purpose": "Ticket 4711"}),
            ),
            (world.admin(), "GetLivenessCheckQuery", json!({"id": 2})),
        ];
        for (sender, message, body) in sent {
            world.clock().advance(1000);
            // A record that is not found is an entry too.
            let _answer = world.dispatch(message, &body.to_string(), &sender).await;
        }
        world
    }

    fn messages(page: &Value) -> Vec<&str> {
        let items = page["Items"].as_array().unwrap();
        items.iter().map(|item| item["Message"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn an_item_has_all_that_the_entry_says() {
        let world = looked_at().await;

        let page = dispatch(&world, json!({})).await.unwrap();

        let face = "987459534458e4ce3081df15f18e22251916cb75fe733a9c80b7cd71ecce91b9";
        let not_found = json!({
            "Id": 4, "At": "2026-03-22T14:00:09Z", "Issuer": null, "Principal": "admin-1", "Actor": null, "Roles": ["admin"],
            "Message": "GetLivenessCheckQuery", "Outcome": "25", "UserId": null, "CheckId": null, "FaceSha256": null,
            "Shown": {
                "Records": [], "Count": 0, "Page": null, "PageSize": null, "Filter": {"id": "2"}, "Detail": null, "Erased": null, "UnreadableFrom": null,
                "Decision": null, "Counts": null,
            },
            "Purpose": null, "ClientIp": null, "RequestId": "test", "Leaf": null,
        });
        let mut look = not_found.clone();
        look["Id"] = json!(3);
        look["At"] = json!("2026-03-22T14:00:08Z");
        look["Outcome"] = json!("00");
        look["UserId"] = json!(7);
        look["CheckId"] = json!(1);
        look["FaceSha256"] = json!(face);
        look["Shown"] = Value::Null;
        look["Purpose"] = json!("Ticket 4711");
        let mut list = not_found.clone();
        list["Id"] = json!(2);
        list["At"] = json!("2026-03-22T14:00:07Z");
        list["Message"] = json!("RetrieveLivenessChecksQuery");
        list["Outcome"] = json!("00");
        list["UserId"] = json!(7);
        list["Shown"] = json!({
            "Records": [1], "Count": 1, "Page": 1, "PageSize": 20, "Filter": {"selfServiceUserId": "7"}, "Detail": null, "Erased": null, "UnreadableFrom": null,
            "Decision": null, "Counts": null,
        });
        let mut recording = look.clone();
        recording["Id"] = json!(1);
        recording["At"] = json!("2026-03-22T14:00:06Z");
        recording["Principal"] = json!("7");
        recording["Roles"] = json!(["customer"]);
        recording["Message"] = json!("UpdateLivenessCheckCommand");
        recording["Purpose"] = Value::Null;
        assert_eq!(page["Items"], json!([not_found, look, list, recording]));
    }

    #[tokio::test]
    async fn a_record_leads_to_its_recording_to_looks_and_to_lists() {
        let world = looked_at().await;

        let of_record = dispatch(&world, json!({"checkId": 1})).await.unwrap();
        let of_none = dispatch(&world, json!({"checkId": 2})).await.unwrap();

        let expected = [
            "GetLivenessCheckQuery",
            "RetrieveLivenessChecksQuery",
            "UpdateLivenessCheckCommand",
        ];
        assert_eq!(messages(&of_record), expected);
        assert_eq!(messages(&of_none), [""; 0]);
    }

    #[tokio::test]
    async fn a_client_reads_on_behind_the_last_item() {
        let world = looked_at().await;

        let mut read = Vec::new();
        let mut body = json!({"pageSize": 3, "to": "2026-03-22T14:00:10Z"});
        world.clock().advance(1000);
        loop {
            let page = dispatch(&world, body.clone()).await.unwrap();
            let ids = page["Items"].as_array().unwrap().iter();
            read.extend(ids.map(|item| item["Id"].as_i64().unwrap()));
            body["before"] = json!(read.last());
            if page["HasNextPage"] == false {
                break;
            }
        }

        assert_eq!(read, [4, 3, 2, 1]);
        let refused = dispatch(&world, json!({"before": 1_000_000})).await;
        assert!(matches!(refused, Err(BusError::NotFound(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn fields_have_rules() {
        let world = TestBus::new();
        let long = "x".repeat(256);
        for (body, field, code) in [
            (json!({"userId": 0}), "userId", "range"),
            (json!({"checkId": 0}), "checkId", "range"),
            (json!({"before": 0}), "before", "range"),
            (json!({"pageNumber": 0}), "pageNumber", "range"),
            (json!({"pageSize": 101}), "pageSize", "range"),
            (json!({"principal": long}), "principal", "length"),
            (json!({"message": long}), "message", "length"),
            (json!({"from": "yesterday"}), "from", "format"),
            (
                json!({"from": "2026-03-22T14:00:00Z", "to": "2026-03-22T13:00:00Z"}),
                "to",
                "range",
            ),
        ] {
            let Err(BusError::Invalid(errors)) = dispatch(&world, body.clone()).await else {
                panic!("{body} was taken");
            };
            let errors: Vec<_> = errors
                .iter()
                .map(|error| (error.field.as_str(), &*error.code))
                .collect();
            assert_eq!(errors, [(field, code)], "{body}");
        }
        let empty = json!({"principal": "", "message": "", "from": "", "to": ""});
        assert!(dispatch(&world, empty).await.is_ok());
    }
}
