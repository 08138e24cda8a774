//! The leaf of an audit entry: the bytes that the log keeps of it, `docs/trail.md#leaves`.
//!
//! What names a person is in the leaf only as SHA-256 over a nonce and the text. The row keeps the nonce and the text.
//! When they are erased, the leaf says nothing about the person any more, and every proof holds.

mod nonces;
mod old_entry;

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

use crate::Timestamp;
use crate::audit::{DecisionMade, Erasure, HoldChange, Shown};

pub(crate) use self::nonces::Nonces;
use self::nonces::{ERASED, NONCE};
pub(crate) use self::old_entry::OldEntry;

/// SHA-256 of something.
pub(crate) type Sha256 = [u8; 32];

/// The columns that every entry has, also one from before entries had a writer. The order of the fields is that of the bytes of
/// such an [`OldEntry`].
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BasicColumns<'a> {
    pub(crate) at: i64,
    pub(crate) request_id: &'a str,
    pub(crate) principal: &'a str,
    pub(crate) issuer: Option<&'a str>,
    pub(crate) actor: Option<&'a str>,
    pub(crate) roles: &'a str,
    pub(crate) client_ip: Option<&'a str>,
    pub(crate) self_service_user_id: Option<i64>,
    pub(crate) message: &'a str,
    pub(crate) outcome: &'a str,
}

impl BasicColumns<'_> {
    /// Checks that the columns of the sender are empty, because the sender was erased: the leaf does not bind them any more.
    fn check_sender_erased(&self) -> Result<(), String> {
        let has_sender = !(self.principal.is_empty() && self.request_id.is_empty())
            || [self.issuer, self.actor, self.client_ip].iter().any(Option::is_some);
        if has_sender {
            return Err("its sender was erased, and it has one".to_owned());
        }
        Ok(())
    }
}

/// The columns of an audit entry, as they are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryColumns<'a> {
    pub(crate) writer: &'a [u8],
    pub(crate) writer_count: i64,
    pub(crate) nonces: Nonces<'a>,
    pub(crate) basic: BasicColumns<'a>,
    pub(crate) liveness_check_id: Option<i64>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) record_digest: Option<&'a [u8]>,
    pub(crate) face_digest: Option<&'a [u8]>,
}

/// The leaf as JSON. The order of the fields is that of the bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Leaf<'a> {
    version: u8,
    writer: String,
    count: i64,
    at: Timestamp,
    message: &'a str,
    outcome: &'a str,
    roles: &'a str,
    sender: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    face_sha256: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erasure: Option<Erasure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<DecisionMade>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<HoldChange>,
}

impl EntryColumns<'_> {
    /// The leaf of the entry.
    ///
    /// # Errors
    ///
    /// What is wrong with the columns, if no entry has them.
    pub(crate) fn leaf(&self) -> Result<Vec<u8>, String> {
        let shown = self.shown()?;
        self.check_erased(&shown)?;
        let sender = self.sender()?;
        let basic = &self.basic;
        let leaf = Leaf {
            version: 1,
            writer: hex(self.writer),
            count: self.writer_count,
            at: Timestamp::from_unix_millis(basic.at).ok_or("its time is out of range")?,
            message: basic.message,
            outcome: basic.outcome,
            roles: basic.roles,
            sender: self.nonces.sender.digest(&sender),
            user: basic.self_service_user_id.map(|id| self.nonces.user_digest(id)),
            record: self.liveness_check_id,
            record_sha256: self.record_digest.map(hex),
            face_sha256: self.face_digest.map(hex),
            records: shown.records,
            shown: shown.count,
            page: shown.page,
            page_size: shown.page_size,
            about: self
                .subject
                .map(|subject| self.nonces.subject.digest(subject.as_bytes())),
            erasure: shown.erasure,
            decision: shown.decision,
            hold: shown.hold,
        };
        serde_json::to_vec(&leaf).map_err(|error| error.to_string())
    }

    fn sender(&self) -> Result<Vec<u8>, String> {
        let BasicColumns {
            issuer,
            principal,
            actor,
            request_id,
            client_ip,
            ..
        } = self.basic;
        let sender = (issuer, principal, actor, request_id, client_ip);
        serde_json::to_vec(&sender).map_err(|error| error.to_string())
    }

    /// What was shown.
    pub(crate) fn shown(&self) -> Result<Shown, String> {
        let shown = self.subject.map(serde_json::from_str::<Shown>).transpose();
        let shown = shown.map_err(|error| format!("its subject is not what an entry has: {error}"))?;
        Ok(shown.unwrap_or_default())
    }

    /// What was erased has no value: the leaf does not bind it any more.
    fn check_erased(&self, shown: &Shown) -> Result<(), String> {
        if self.nonces.has_no_sender() {
            self.basic.check_sender_erased()?;
        }
        if self.nonces.subject.is_erased() && shown.clone().without_names() != *shown {
            return Err("its words were erased, and it has some".to_owned());
        }
        Ok(())
    }

    /// The nonces that its row has once the sender is erased, or the user and the words.
    ///
    /// # Errors
    ///
    /// When the columns are not those of an entry.
    pub(crate) fn erased_nonces(&self, sender: bool, subject: bool) -> Result<Vec<u8>, String> {
        let mut row = Vec::with_capacity(3 * (size_of::<Sha256>() + 1));
        if sender {
            self.nonces.sender.push_erased(&self.sender()?, &mut row);
        } else {
            self.nonces.sender.push(&mut row);
        }
        if subject {
            let user = self.basic.self_service_user_id.unwrap_or_default().to_string();
            self.nonces.user.push_erased(user.as_bytes(), &mut row);
            let words = self.subject.unwrap_or_default();
            self.nonces.subject.push_erased(words.as_bytes(), &mut row);
        } else {
            self.nonces.user.push(&mut row);
            self.nonces.subject.push(&mut row);
        }
        Ok(row)
    }
}

/// SHA-256 over the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> Sha256 {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut digest = Sha256::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// Bytes as hexadecimal digits, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
