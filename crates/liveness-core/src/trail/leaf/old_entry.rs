//! The leaf of an old entry: one that was written by a version whose entries had no writer.

use serde::Serialize;

use super::super::MacKey;
use super::{BasicColumns, ERASED, NONCE, Sha256, hex, sha256};

/// The columns of an entry from before entries had a writer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OldEntry<'a> {
    pub(crate) id: i64,
    #[serde(flatten)]
    pub(crate) basic: BasicColumns<'a>,
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
        self.basic.check_sender_erased()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests in the logs of older versions are over these bytes.
    #[test]
    fn the_bytes_of_an_old_entry_stay_as_they_are() {
        let entry = OldEntry {
            id: 7,
            basic: BasicColumns {
                at: 1_774_188_005_000,
                request_id: "r-1",
                principal: "1234",
                issuer: None,
                actor: None,
                roles: "customer",
                client_ip: Some("192.0.2.1"),
                self_service_user_id: Some(1234),
                message: "UpdateLivenessCheckCommand",
                outcome: "00",
            },
        };
        assert_eq!(
            serde_json::to_string(&entry).unwrap(),
            r#"{"id":7,"at":1774188005000,"requestId":"r-1","principal":"1234","issuer":null,"actor":null,"roles":"customer","clientIp":"192.0.2.1","selfServiceUserId":1234,"message":"UpdateLivenessCheckCommand","outcome":"00"}"#
        );
    }
}
