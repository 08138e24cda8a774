//! Lists a customer's own records, and who has looked at their faces: `docs/api.md#retrievemylivenesschecksquery`.

use std::collections::HashMap;

use liveness_core::store::{CheckFilter, FaceLook, PageRequest};
use liveness_core::{AuditSubject, LivenessCheck, Shown, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{CUSTOMER, GetLivenessCheckQuery, GetUserLivenessCheckQuery, Liveness, paging};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// What shows faces: two messages, and the export of the command line.
const LOOKS: &[&str] = &[
    GetUserLivenessCheckQuery::NAME,
    GetLivenessCheckQuery::NAME,
    "checks export",
];
/// Those who look at faces. Other roles of theirs might name a person.
const ROLES: [&str; 4] = ["admin", "officer", "auditor", "operator"];

/// Asks for one page of one's own records, newest first.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetrieveMyLivenessChecksQuery {
    /// From 1; 1 where it is not given.
    #[validate(range(min = 1))]
    pub page_number: Option<i64>,
    /// 1 to 100; 20 where it is not given.
    #[validate(range(min = 1, max = 100))]
    pub page_size: Option<i64>,
}

/// One page of one's own records.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct MyLivenessCheckPage {
    /// Its records.
    pub items: Vec<MyLivenessCheck>,
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

/// A record of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct MyLivenessCheck {
    /// The record's number.
    pub id: i64,
    /// The SDK's session.
    pub session_id: String,
    /// Whether the SDK called it a success.
    pub is_successful: bool,
    /// When the run ended, by the phone's clock.
    pub completed_at: Option<Timestamp>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// Whether a face is kept with it.
    pub has_image: bool,
    /// When the face was erased.
    pub face_erased_at: Option<Timestamp>,
    /// When somebody looked at the face, newest first.
    pub looks: Vec<Look>,
}

/// A look at a face.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// The role in which it was looked at: `admin`, or `operator` for the command line.
    pub role: Option<String>,
    /// For what purpose, in the words of who looked.
    pub purpose: Option<String>,
}

impl Message for RetrieveMyLivenessChecksQuery {
    const NAME: &'static str = "RetrieveMyLivenessChecksQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::BeforeReply;
    type Reply = MyLivenessCheckPage;

    fn description() -> Option<Description> {
        Some(Description::of::<Self>(include_str!(
            "examples/retrieve_my_liveness_checks.json"
        )))
    }

    fn summary(_: &MyLivenessCheckPage) -> Option<&'static str> {
        Some("Liveness checks retrieved successfully.")
    }
}

impl Handler<RetrieveMyLivenessChecksQuery> for Liveness {
    async fn handle(
        &self,
        query: RetrieveMyLivenessChecksQuery,
        call: &Call<'_>,
    ) -> Result<MyLivenessCheckPage, BusError> {
        let page = paging::requested(query.page_number, query.page_size);
        let user = call.user()?.id;
        let own = CheckFilter {
            self_service_user_id: Some(user),
            ..CheckFilter::default()
        };
        let found = self.store.checks().page(own, page).await?;
        let ids: Vec<i64> = found.items.iter().map(|check| check.id).collect();
        let looks = self.store.trail().looks(user, ids.clone(), LOOKS).await?;
        call.shows(AuditSubject {
            shown: Shown {
                count: Some(ids.len() as u64),
                records: ids,
                page: Some(page.number),
                page_size: Some(page.size),
                ..Shown::default()
            },
            ..AuditSubject::default()
        });
        Ok(MyLivenessCheckPage::of(found.items, looks, page, found.total))
    }
}

impl MyLivenessCheckPage {
    fn of(checks: Vec<LivenessCheck>, looks: Vec<FaceLook>, page: PageRequest, total: i64) -> Self {
        let mut looks_of: HashMap<i64, Vec<Look>> = HashMap::new();
        for look in looks {
            looks_of.entry(look.liveness_check_id).or_default().push(look.into());
        }
        let items = checks.into_iter().map(|check| {
            let looks = looks_of.remove(&check.id).unwrap_or_default();
            MyLivenessCheck::of(check, looks)
        });
        let total_pages = paging::total_pages(total, page);
        Self {
            items: items.collect(),
            page_number: page.number,
            page_size: page.size,
            total_count: total,
            total_pages,
            has_previous_page: page.number > 1,
            has_next_page: page.number < total_pages,
        }
    }
}

impl MyLivenessCheck {
    fn of(check: LivenessCheck, looks: Vec<Look>) -> Self {
        Self {
            id: check.id,
            session_id: check.session_id,
            is_successful: check.is_successful,
            completed_at: check.completed_at,
            created_at: check.created_at,
            has_image: check.has_image,
            face_erased_at: check.face_erased_at,
            looks,
        }
    }
}

impl From<FaceLook> for Look {
    fn from(look: FaceLook) -> Self {
        let held = |role: &&str| look.roles.split(',').any(|held| held == *role);
        Self {
            at: look.at,
            role: ROLES.iter().find(|role| held(role)).map(|role| (*role).to_owned()),
            purpose: look.purpose,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Principal;
    use crate::testing::TestBus;

    const NAME: &str = RetrieveMyLivenessChecksQuery::NAME;

    async fn record(world: &TestBus, user: i64, body: Value) {
        world.clock().advance(1000);
        let customer = world.customer(user);
        world
            .dispatch("UpdateLivenessCheckCommand", &body.to_string(), &customer)
            .await
            .unwrap();
    }

    async fn look(world: &TestBus, message: &str, body: Value) {
        world.clock().advance(1000);
        // The role beside `admin` names a person.
        let reviewer = Principal::new("reviewer-1")
            .with_role("team-of-jane")
            .with_role("admin");
        let reviewer = world.context(reviewer).build();
        world.dispatch(message, &body.to_string(), &reviewer).await.unwrap();
    }

    #[tokio::test]
    async fn a_customer_sees_the_looks_at_their_own_faces_and_not_who_looked() {
        let world = TestBus::new();
        for user in [7, 8] {
            world.add_customer(user).await;
        }
        let with_face = |session| {
            json!({
                "sessionId": session, "isSuccessful": true, "imageBase64": "/9j/wAALCAABAAEBAREA",
                "metadata": {"verificationResult": true, "completedAt": "2026-03-22T14:00:00Z"},
            })
        };
        record(&world, 8, with_face("b")).await;
        record(&world, 7, json!({"sessionId": "a", "isSuccessful": false})).await;
        record(&world, 7, with_face("c")).await;
        look(
            &world,
            "GetLivenessCheckQuery",
            json!({"id": 3, "purpose": "Ticket 4711"}),
        )
        .await;
        look(&world, "GetLivenessCheckQuery", json!({"id": 2})).await;
        look(&world, "RetrieveLivenessChecksQuery", json!({})).await;
        look(
            &world,
            "GetUserLivenessCheckQuery",
            json!({"userId": 8, "purpose": "of another"}),
        )
        .await;
        look(&world, "GetUserLivenessCheckQuery", json!({"userId": 7})).await;

        let shown = world.dispatch(NAME, "{}", &world.customer(7)).await.unwrap();

        let expected = json!({
            "Items": [
                {
                    "Id": 3, "SessionId": "c", "IsSuccessful": true, "CompletedAt": "2026-03-22T14:00:00Z",
                    "CreatedAt": "2026-03-22T14:00:08Z", "HasImage": true, "FaceErasedAt": null,
                    "Looks": [
                        {"At": "2026-03-22T14:00:13Z", "Role": "admin", "Purpose": null},
                        {"At": "2026-03-22T14:00:09Z", "Role": "admin", "Purpose": "Ticket 4711"},
                    ],
                },
                {
                    "Id": 2, "SessionId": "a", "IsSuccessful": false, "CompletedAt": null,
                    "CreatedAt": "2026-03-22T14:00:07Z", "HasImage": false, "FaceErasedAt": null, "Looks": [],
                },
            ],
            "PageNumber": 1, "PageSize": 20, "TotalCount": 2, "TotalPages": 1,
            "HasPreviousPage": false, "HasNextPage": false,
        });
        assert_eq!(shown, expected);
    }

    #[tokio::test]
    async fn pages_follow_each_other_and_the_one_past_the_end_is_empty() {
        let world = TestBus::new();
        for session in ["a", "b", "c"] {
            record(&world, 7, json!({"sessionId": session, "isSuccessful": true})).await;
        }
        for (page, sessions, has_previous, has_next) in [
            (1, &["c", "b"][..], false, true),
            (2, &["a"], true, false),
            (3, &[], true, false),
        ] {
            let query = RetrieveMyLivenessChecksQuery {
                page_number: Some(page),
                page_size: Some(2),
            };
            let shown = world.send(query, &world.customer(7)).await.unwrap();
            let found: Vec<_> = shown.items.iter().map(|item| item.session_id.as_str()).collect();
            assert_eq!(found, sessions, "page {page}");
            assert_eq!((shown.has_previous_page, shown.has_next_page), (has_previous, has_next));
            assert_eq!((shown.total_count, shown.total_pages), (3, 2));
        }
    }
}
