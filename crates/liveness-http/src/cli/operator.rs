//! Who works on the command line, and the trace that they leave.

use liveness_core::store::{Store, StoreError};
use liveness_core::{AuditEntry, Clock as _, SystemClock};

/// Somebody on this machine, at one task.
#[derive(Debug, Clone)]
pub(super) struct Operator {
    principal: String,
    task_id: String,
}

impl Operator {
    /// Who runs this process, at a task of its own.
    pub(super) fn at_work() -> Result<Self, std::io::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(std::io::Error::other)?;
        let uid = rustix::process::getuid().as_raw();
        let name = user_name(uid).unwrap_or_else(|| uid.to_string());
        Ok(Self {
            principal: format!("cli:{name}"),
            task_id: format!("cli-{:032x}", u128::from_be_bytes(id)),
        })
    }

    /// The trace of doing something that concerns a user, or many. All of one task have the same request id.
    pub(super) fn entry(&self, message: &'static str, user: Option<i64>) -> AuditEntry {
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

    /// Leaves that trace; it is durable when this answers.
    pub(super) async fn leave_trace(
        &self,
        store: &Store,
        message: &'static str,
        user: Option<i64>,
    ) -> Result<(), StoreError> {
        store.trail().append(self.entry(message, user)).await
    }
}

/// The environment may say anything; the machine's own list of its users does not.
fn user_name(uid: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut named = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = named.find(|fields| fields.get(2) == Some(&uid.to_string().as_str()))?;
    found.first().map(|name| (*name).to_owned())
}
