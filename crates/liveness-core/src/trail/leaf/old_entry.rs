//! The leaf of an entry from before entries had a writer.

use serde::Serialize;

use super::super::MacKey;
use super::{ERASED, NONCE, Sha256, hex, sha256};

/// The columns of an entry from before entries had a writer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OldEntry<'a> {
    pub(crate) id: i64,
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

impl OldEntry<'_> {
    /// The leaf of the entry. Its message may name a person, so all of it is hashed. The row has no nonce: it is made from
    /// the key.
    ///
    /// # Errors
    ///
    /// When the columns are not JSON, which cannot be.
    pub(crate) fn leaf(&self, key: &MacKey) -> Result<Vec<u8>, String> {
        Ok(self.leaf_of(&hex(&self.digest(key)?)))
    }

    /// The leaf of an entry that does not say any more who sent it. Its nonces are a digest then.
    ///
    /// # Errors
    ///
    /// What is wrong with the columns, if no such entry has them.
    pub(crate) fn erased_leaf(&self, nonces: &[u8]) -> Result<Vec<u8>, String> {
        let digest = match nonces.split_first() {
            Some((&ERASED, digest)) if digest.len() == size_of::<Sha256>() => digest,
            _ => return Err("it has no writer, and nonces that no entry without one has".to_owned()),
        };
        let has_sender = !(self.principal.is_empty() && self.request_id.is_empty())
            || [self.issuer, self.actor, self.client_ip].iter().any(Option::is_some);
        if has_sender {
            return Err("its sender was erased, and it has one".to_owned());
        }
        Ok(self.leaf_of(&hex(digest)))
    }

    /// The nonces that its row has once the sender is erased.
    ///
    /// # Errors
    ///
    /// As [`leaf`](Self::leaf).
    pub(crate) fn erased_nonces(&self, key: &MacKey) -> Result<Vec<u8>, String> {
        let mut row = vec![ERASED];
        row.extend_from_slice(&self.digest(key)?);
        Ok(row)
    }

    fn leaf_of(&self, digest: &str) -> Vec<u8> {
        format!(r#"{{"version":0,"id":{},"entry":"{digest}"}}"#, self.id).into_bytes()
    }

    fn digest(&self, key: &MacKey) -> Result<Sha256, String> {
        let nonce = key.mac(format!("entry {}", self.id).as_bytes());
        let entry = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        Ok(sha256(&[&nonce[..NONCE], &entry]))
    }
}
