//! Gives a customer a receipt of their own record, which others verify without us: `docs/api.md#getreceiptquery`.

use liveness_core::store::{InLog, RecordInLog};
use liveness_core::trail::ReceiptError;
use liveness_core::{AuditSubject, Shown, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use validator::Validate;

use super::shown::record_shown;
use super::{CUSTOMER, Liveness};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Asks for a receipt of one's own record.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetReceiptQuery {
    /// The record's number, from 1.
    #[validate(required, range(min = 1))]
    pub id: Option<i64>,
}

/// A receipt, and the proof that the log has what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SignedReceipt {
    /// A compact JWS, by a key of `/.well-known/jwks.json`.
    pub receipt: String,
    /// The text of a C2SP tlog-proof: the entry is in the log.
    pub proof: String,
    /// The bytes of the entry, which are JSON.
    pub entry: String,
    /// What the user and the record are hashed with, in hex. Keep it: only with it can be shown whose the receipt is.
    pub nonce: Option<String>,
}

/// What a receipt says. The names are those of RFC 7519 and of the contract.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    jti: String,
    sub: String,
    check: CheckClaims,
    /// Null for a record from before records were judged.
    verdict: Option<&'static str>,
    /// The version of the policy by which it was judged.
    policy: Option<String>,
    /// No presentation attack detection has run on our side.
    pad: &'static str,
    record_sha256: String,
    face_sha256: Option<String>,
    log: LogClaims<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckClaims {
    id: i64,
    session_id: String,
    is_successful: bool,
    verification_result: Option<bool>,
    created_at: Timestamp,
}

#[derive(Serialize)]
struct LogClaims<'a> {
    origin: &'a str,
    index: u64,
}

const NO_SUCH_CHECK: BusError = BusError::NotFound("you have no such liveness check");
const UNBOUND: BusError =
    BusError::NotFound("there is no receipt: the liveness check is older than the log of the trail");
const NO_RECEIPTS: BusError = BusError::NotFound("there are no receipts here");

impl Message for GetReceiptQuery {
    const NAME: &'static str = "GetReceiptQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::BeforeReply;
    type Reply = SignedReceipt;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/get_receipt.json");
        Some(Description::of::<Self>(examples).refusals([NO_SUCH_CHECK, UNBOUND, NO_RECEIPTS]))
    }

    fn summary(_: &SignedReceipt) -> Option<&'static str> {
        Some("Receipt retrieved successfully.")
    }
}

impl Handler<GetReceiptQuery> for Liveness {
    async fn handle(&self, query: GetReceiptQuery, call: &Call<'_>) -> Result<SignedReceipt, BusError> {
        let id = query.id.unwrap_or_default();
        let user = call.user()?.id;
        let Some(signer) = &self.signer else {
            call.shows(not_found(id));
            return Err(NO_RECEIPTS);
        };
        let found = match self.store.trail().record_in_log(signer, user, id).await? {
            InLog::Proven(found) => found,
            InLog::Unbound => {
                call.shows(not_found(id));
                return Err(UNBOUND);
            }
            _ => {
                call.shows(not_found(id));
                return Err(NO_SUCH_CHECK);
            }
        };
        call.shows(record_shown(Some((id, None)), None));
        let (claims, rest) = split(*found, signer.verifier().origin(), call.now());
        let receipt = self.store.trail().sign_receipt(signer, &claims).await;
        let receipt = receipt.map_err(|error| match error {
            ReceiptError::Signer(error) => BusError::Unavailable(error.into()),
            error => BusError::Internal(error.into()),
        })?;
        Ok(SignedReceipt { receipt, ..rest })
    }
}

/// A receipt that was asked for, and is not there.
fn not_found(id: i64) -> AuditSubject {
    let mut subject = record_shown(None, None);
    subject.shown.filter = Shown::filter_of([("id", Some(id.to_string()))]);
    subject
}

/// What is signed, and what comes beside it.
///
/// There is no `exp`: what was recorded at a time stays true, and the log is what outlives the key.
fn split(found: RecordInLog, origin: &str, now: Timestamp) -> (Claims<'_>, SignedReceipt) {
    let (verdict, policy) = found.verdict.unzip();
    let claims = Claims {
        iss: origin,
        iat: now.unix_millis().div_euclid(1000),
        jti: Uuid::new_v4().to_string(),
        sub: found.user_sha256,
        check: CheckClaims {
            id: found.id,
            session_id: found.session_id,
            is_successful: found.is_successful,
            verification_result: found.verification_result,
            created_at: found.created_at,
        },
        verdict: verdict.map(|verdict| verdict.as_str()),
        policy,
        pad: "none",
        record_sha256: found.record_sha256,
        face_sha256: found.face_sha256,
        log: LogClaims {
            origin,
            index: found.index,
        },
    };
    let rest = SignedReceipt {
        receipt: String::new(),
        proof: found.proof,
        entry: found.entry,
        nonce: found.nonce,
    };
    (claims, rest)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use liveness_core::policy::Policy;
    use liveness_core::store::StoredUsers;
    use liveness_core::trail::{KeyError, MacKey, SignerError, TlogProof, TrailSigner, TrailVerifier};
    use serde_json::{Value, json};

    use super::*;
    use crate::Bus;
    use crate::liveness::{Settings, module};
    use crate::testing::TestBus;

    const NAME: &str = GetReceiptQuery::NAME;

    async fn record(world: &TestBus, user: i64, body: Value) {
        let customer = world.customer(user);
        world
            .dispatch("UpdateLivenessCheckCommand", &body.to_string(), &customer)
            .await
            .unwrap();
    }

    async fn receipt(world: &TestBus, user: i64, id: i64) -> Result<SignedReceipt, BusError> {
        world
            .send(GetReceiptQuery { id: Some(id) }, &world.customer(user))
            .await
    }

    /// The claims of a receipt, whose signature is verified by the key of the trail.
    fn claims(world: &TestBus, receipt: &str) -> Value {
        let (signed, signature) = receipt.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verifier = world.trail_key().verifier();
        verifier.verify(signed.as_bytes(), &signature).unwrap();
        let claims = signed.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_receipt_says_what_was_recorded_and_the_log_has_its_entry() {
        let world = TestBus::new();
        let face = json!({
            "sessionId": "a", "isSuccessful": true, "imageBase64": "/9j/wAALCAABAAEBAREA",
            "metadata": {"verificationResult": true},
        });
        record(&world, 7, json!({"sessionId": "before", "isSuccessful": false})).await;
        record(&world, 7, face).await;

        let given = receipt(&world, 7, 2).await.unwrap();

        let mut claims = claims(&world, &given.receipt);
        let entry: Value = serde_json::from_str(&given.entry).unwrap();
        let proof = TlogProof::parse(&given.proof).unwrap();
        let verifier = world.trail_key().verifier();
        proof.verify(given.entry.as_bytes(), verifier).unwrap();
        assert!(claims["jti"].take().is_string());
        let recorded = world.store().checks().evidence(2).await.unwrap().unwrap();
        let verdict = recorded.check.verdict.unwrap();
        let expected = json!({
            "iss": verifier.origin(), "iat": 1_774_188_005, "jti": null, "sub": entry["user"],
            "check": {
                "id": 2, "sessionId": "a", "isSuccessful": true, "verificationResult": true,
                "createdAt": "2026-03-22T14:00:05Z",
            },
            "verdict": verdict.as_str(), "policy": Policy::record().version(), "pad": "none",
            "recordSha256": entry["recordSha256"], "faceSha256": entry["faceSha256"],
            "log": {"origin": verifier.origin(), "index": proof.index},
        });
        assert_eq!(claims, expected);
        assert_eq!(entry["record"], 2);
        // 16 bytes.
        assert_eq!(given.nonce.unwrap().len(), 32);
    }

    #[tokio::test]
    async fn a_record_of_another_user_is_not_found_like_none() {
        let world = TestBus::new();
        record(&world, 8, json!({"sessionId": "a", "isSuccessful": true})).await;
        for id in [1, 99] {
            let refused = receipt(&world, 7, id).await;
            assert_eq!(format!("{refused:?}"), format!("{:?}", Err::<(), _>(NO_SUCH_CHECK)));
        }
    }

    /// A signer that is out of reach. Everything else of the key is known here.
    #[derive(Debug)]
    struct Away(TrailVerifier, MacKey);

    impl TrailSigner for Away {
        fn verifier(&self) -> &TrailVerifier {
            &self.0
        }

        fn sign(&self, _text: &[u8]) -> Result<[u8; 64], SignerError> {
            Err(SignerError {
                problem: "it is away".to_owned(),
                mend: "wait".to_owned(),
            })
        }

        fn entry_mac_key(&self) -> Result<MacKey, KeyError> {
            Ok(self.1.clone())
        }
    }

    #[tokio::test]
    async fn a_receipt_that_its_signer_does_not_sign_is_unavailable() {
        let world = TestBus::new();
        record(&world, 7, json!({"sessionId": "a", "isSuccessful": true})).await;
        let store = world.store().clone();
        let users = Arc::new(StoredUsers::new(store.users().clone(), true));
        let key = world.trail_key();
        let away = Away(key.verifier().clone(), key.entry_mac_key().unwrap());
        let liveness = Liveness::new(store.clone(), users, Settings::default()).with_trail_signer(Arc::new(away));
        let unsigned = Bus::builder()
            .module(module(liveness))
            .audit_sink(store)
            .build()
            .unwrap();

        let refused = unsigned
            .dispatch(NAME, br#"{"id":1}"#, &world.customer(7), &mut Vec::new())
            .await;

        assert!(matches!(refused, Err(BusError::Unavailable(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn without_a_key_there_are_no_receipts() {
        let world = TestBus::new();
        record(&world, 7, json!({"sessionId": "a", "isSuccessful": true})).await;
        let store = world.store().clone();
        let users = Arc::new(StoredUsers::new(store.users().clone(), true));
        let keyless = module(Liveness::new(store.clone(), users, Settings::default()));
        let keyless = Bus::builder().module(keyless).audit_sink(store).build().unwrap();

        let refused = keyless
            .dispatch(NAME, br#"{"id":1}"#, &world.customer(7), &mut Vec::new())
            .await;

        assert_eq!(format!("{refused:?}"), format!("{:?}", Err::<(), _>(NO_RECEIPTS)));
    }
}
