//! `serve --dev`: a key for this run, and a script to paste that tries the messages of all roles.

use std::io::Write as _;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_core::store::Store;
use liveness_core::{Clock as _, SystemClock};
use serde_json::json;

use super::start_error::StartError;
use crate::config::ServeConfig;
use crate::face_keys::FaceKeeper;
use crate::operator::Operator;
use crate::token::{OWN_ISSUER, TokenRules, TokenVerifier, VerificationKey, sign_hs256};

/// Has faces sealed with keys beside a SQLite file that `serve --dev` made, or makes, unless other keys are configured.
pub(crate) fn with_dev_faces(mut config: ServeConfig) -> Result<ServeConfig, StartError> {
    let Some(file) = Store::file_of(config.database.url())? else {
        return Ok(config);
    };
    if config.faces.face_keys.is_none() && (!file.exists() || config.open_existing()?.is_scratch()?) {
        config.faces.face_keys = Some(FaceKeeper::Folder(file.with_extension("face-keys")));
    }
    Ok(config)
}

const LIFETIME_SECONDS: i64 = 12 * 60 * 60;
/// A drawn face, which belongs to nobody.
const FACE: &[u8] = include_bytes!("../../assets/face.jpg");

/// The key of this run. It is never stored.
pub(crate) struct DevKey([u8; 32]);

impl DevKey {
    pub(crate) fn random() -> Result<Self, std::io::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(std::io::Error::other)?;
        Ok(Self(secret))
    }

    /// A verifier that accepts tokens by this key only.
    pub(crate) fn verifier(&self) -> Result<TokenVerifier, StartError> {
        let key = VerificationKey::hs256(&self.0).map_err(StartError::Secret)?;
        Ok(TokenVerifier::new(vec![key], TokenRules::default()))
    }

    /// Prints the script to standard output. The log goes to standard error.
    pub(crate) fn print_script(&self, address: SocketAddr, database_url: &str) -> Result<(), std::io::Error> {
        // Whoever starts the host acts for all of them. RFC 8693, section 4.1.
        let actor = json!({ "sub": Operator::current()?.name() });
        let expires = SystemClock.now().unix_millis() / 1000 + LIFETIME_SECONDS;
        let customer = sign_hs256(
            &self.0,
            &json!({
                "iss": OWN_ISSUER, "sub": "1234", "role": "customer", "exp": expires, "email": "customer@example.com",
                "given_name": "Jane", "family_name": "Doe", "name": "Jane Doe", "act": actor,
            }),
        )?;
        let admin = json!({ "iss": OWN_ISSUER, "sub": "reviewer", "role": "admin", "exp": expires, "act": actor });
        let admin = sign_hs256(&self.0, &admin)?;
        let auditor = json!({ "iss": OWN_ISSUER, "sub": "auditor", "role": "auditor", "exp": expires, "act": actor });
        let auditor = sign_hs256(&self.0, &auditor)?;
        let officer = json!({ "iss": OWN_ISSUER, "sub": "officer", "role": "officer", "exp": expires, "act": actor });
        let officer = sign_hs256(&self.0, &officer)?;
        let mut out = std::io::stdout().lock();
        out.write_all(script(address, database_url, [&customer, &admin, &auditor, &officer]).as_bytes())?;
        out.flush()
    }
}

/// The script. It works when pasted as a whole, and also line by line.
fn script(address: SocketAddr, database_url: &str, [customer, admin, auditor, officer]: [&str; 4]) -> String {
    // A PostgreSQL URL may hold a password.
    let database = if database_url.starts_with("sqlite://") {
        database_url
    } else {
        "PostgreSQL"
    };
    let mut text = format!(
        "# liveness serves http://{address} with a key made for this run; its records are in {database}.\n\
         # Paste into another terminal. First the tokens of customer 1234, of an administrator, of an auditor and of an officer, good for 12 hours:\n\n\
         export CUSTOMER={customer}\nexport ADMIN={admin}\nexport AUDITOR={auditor}\nexport OFFICER={officer}\n\n\
         # The review page is http://{address}/admin: sign in there with the token of the administrator or of the officer.\n"
    );
    for (story, name, role, body) in steps() {
        text.push_str(&format!(
            "\n# {story}\n\
             curl -sS -w '\\n' http://{address}/api/BPMSelfService/commands/{name} \
             -H \"Authorization: Bearer ${role}\" -H 'Content-Type: application/json' -d '{body}'\n"
        ));
    }
    text
}

/// Each step of the script: what happens, the message, the variable of the token, and the body.
fn steps() -> [(&'static str, &'static str, &'static str, String); 16] {
    [
        (
            "The app asks for a session, and for the challenges of the run",
            "StartLivenessSessionCommand",
            "CUSTOMER",
            "{}".to_owned(),
        ),
        (
            "The customer passes, with a face",
            "SubmitLivenessCheckCommand",
            "CUSTOMER",
            SUBMIT.replace("FACE", &STANDARD.encode(FACE)),
        ),
        (
            "The customer asks whether they have passed",
            "CheckLivenessStatusQuery",
            "CUSTOMER",
            "{}".to_owned(),
        ),
        (
            "The administrator looks at the face",
            "GetUserLivenessCheckQuery",
            "ADMIN",
            r#"{"userId":1234,"purpose":"Ticket 4711"}"#.to_owned(),
        ),
        (
            "The customer fails another run",
            "UpdateLivenessCheckCommand",
            "CUSTOMER",
            UPDATE.to_owned(),
        ),
        (
            "The administrator lists the records",
            "RetrieveLivenessChecksQuery",
            "ADMIN",
            r#"{"pageSize":20}"#.to_owned(),
        ),
        (
            "The administrator opens one of them",
            "GetLivenessCheckQuery",
            "ADMIN",
            r#"{"id":1}"#.to_owned(),
        ),
        (
            "The administrator decides about it",
            "ReviewLivenessCheckCommand",
            "ADMIN",
            r#"{"id":1,"decision":"approve","reason":"Face and challenges fit","decisionsSeen":0}"#.to_owned(),
        ),
        (
            "The customer asks who has looked at their face, and why",
            "RetrieveMyLivenessChecksQuery",
            "CUSTOMER",
            "{}".to_owned(),
        ),
        (
            "The customer gets a receipt, which others verify",
            "GetReceiptQuery",
            "CUSTOMER",
            r#"{"id":1}"#.to_owned(),
        ),
        (
            "The auditor asks who has seen the record, alone or in a list",
            "RetrieveAuditEntriesQuery",
            "AUDITOR",
            r#"{"checkId":1}"#.to_owned(),
        ),
        (
            "The administrator lets the customer try again, however often they have failed",
            "UnlockUserCommand",
            "ADMIN",
            r#"{"userId":1234,"reason":"Passport seen"}"#.to_owned(),
        ),
        (
            "The officer keeps what is recorded of the customer from being erased",
            "PlaceLegalHoldCommand",
            "OFFICER",
            r#"{"userId":1234,"reason":"Lawsuit 2026-7"}"#.to_owned(),
        ),
        (
            "The officer allows it again",
            "LiftLegalHoldCommand",
            "OFFICER",
            r#"{"userId":1234,"reason":"Lawsuit 2026-7 has ended"}"#.to_owned(),
        ),
        (
            "The officer erases the face",
            "EraseFaceCommand",
            "OFFICER",
            r#"{"id":1,"reason":"Request 2026-118"}"#.to_owned(),
        ),
        (
            "The officer erases what names the customer",
            "EraseUserCommand",
            "OFFICER",
            r#"{"userId":1234,"reason":"Request 2026-118"}"#.to_owned(),
        ),
    ]
}

const SUBMIT: &str = concat!(
    r#"{"sessionId":"sdk-session-abc123","isSuccessful":true,"imageBase64":"data:image/jpeg;base64,FACE","#,
    r#""metadata":{"timestamp":1742680800000,"completedAt":"2026-03-22T14:00:00Z","verificationResult":true,"#,
    r#""sessionDuration":4200,"lightingValue":0.93,"challengeCount":3,"#,
    r#""completedChallenges":["BLINK","SMILE","TURN_LEFT"],"challenges":["BLINK","SMILE","TURN_LEFT"],"#,
    r#""finalCapture":{"verificationResult":true,"sessionDuration":1100,"lightingValue":0.95}},"#,
    r#""imageMetadata":{"verificationResult":true,"sessionDuration":900,"lightingValue":0.91}}"#,
);

const UPDATE: &str = concat!(
    r#"{"sessionId":"sdk-session-abc124","isSuccessful":false,"#,
    r#""metadata":{"verificationResult":false,"sessionDuration":8000,"lightingValue":0.42,"#,
    r#""challengeCount":3,"completedChallenges":["BLINK"]}}"#,
);
