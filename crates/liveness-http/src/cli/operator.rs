//! The person who runs a subcommand, and the audit entries of their work.

use std::borrow::Cow;

use liveness_core::store::{Store, StoreError};
use liveness_core::{AuditEntry, Clock as _, SystemClock};

/// A user of this machine, at one task.
#[derive(Debug, Clone)]
pub(super) struct Operator {
    principal: String,
    task_id: String,
}

impl Operator {
    /// The user who runs this process, with a new task.
    pub(super) fn current() -> Result<Self, std::io::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(std::io::Error::other)?;
        let uid = rustix::process::getuid().as_raw();
        let name = user_name(uid).unwrap_or_else(|| uid.to_string());
        Ok(Self {
            principal: format!("cli:{name}"),
            task_id: format!("cli-{:032x}", u128::from_be_bytes(id)),
        })
    }

    /// An audit entry of an action on one user, or on many. All entries of a task have the same request id.
    pub(super) fn entry(&self, message: impl Into<Cow<'static, str>>, user: Option<i64>) -> AuditEntry {
        AuditEntry {
            at: SystemClock.now(),
            request_id: self.task_id.clone(),
            principal: self.principal.clone(),
            roles: "operator".to_owned(),
            self_service_user_id: user,
            message: message.into(),
            outcome: "00".into(),
            client_address: None,
        }
    }

    /// Writes that entry. It is durable when this returns.
    pub(super) async fn audit(
        &self,
        store: &Store,
        message: &'static str,
        user: Option<i64>,
    ) -> Result<(), StoreError> {
        store.trail().append(self.entry(message, user)).await
    }
}

/// The user's name in `/etc/passwd`. The environment is not asked, because the user can set it.
fn user_name(uid: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut named = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = named.find(|fields| fields.get(2) == Some(&uid.to_string().as_str()))?;
    found.first().map(|name| (*name).to_owned())
}
