//! The person who runs a subcommand, and the audit entries of their work.

use liveness_core::store::{Store, StoreError};
use liveness_core::{AuditEntry, AuditSubject, Clock as _, Shown, SystemClock};

/// What the kernel says where nobody has logged in, such as in a container and for a timer.
const NO_LOGIN: u32 = u32::MAX;

/// A person on this machine, at one task.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    name: String,
    roles: String,
    task_id: String,
}

impl Operator {
    /// The person who runs this process, with a new task.
    pub(crate) fn current() -> Result<Self, std::io::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(std::io::Error::other)?;
        // The login stays the same through `sudo` and `su`. Variables such as SUDO_USER are not asked, because the user can set
        // them.
        let login = std::fs::read_to_string("/proc/self/loginuid").ok();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let account = rustix::process::geteuid().as_raw();
        Ok(Self::of(login.as_deref(), account, &users, u128::from_be_bytes(id)))
    }

    /// `login` is the file `loginuid`, `account` the effective user, and `users` the file `/etc/passwd`.
    fn of(login: Option<&str>, account: u32, users: &str, task_id: u128) -> Self {
        let name_of = |id: u32| user_name(id, users).unwrap_or_else(|| id.to_string());
        let login = login.and_then(|login| login.trim().parse().ok());
        let login = login.filter(|login| *login != NO_LOGIN);
        let account = name_of(account);
        let roles = match login {
            Some(_) => format!("operator,user:{account}"),
            None => "operator".to_owned(),
        };
        Self {
            name: format!("cli:{}", login.map_or(account, name_of)),
            roles,
            task_id: format!("cli-{task_id:032x}"),
        }
    }

    /// `cli:` and the name of the login, or of the effective user where nobody has logged in.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// An audit entry of a subcommand that concerns one user, or many. All entries of a task have the same request id.
    pub(crate) fn entry(&self, command: &'static str, user: Option<i64>, subject: AuditSubject) -> AuditEntry {
        AuditEntry {
            at: SystemClock.now(),
            request_id: self.task_id.clone(),
            principal: self.name.clone(),
            issuer: None,
            actor: None,
            roles: self.roles.clone(),
            self_service_user_id: user,
            message: command.into(),
            outcome: "00".into(),
            client_address: None,
            subject,
        }
    }

    /// Writes such an entry, of no single record. It is durable when this returns.
    pub(crate) async fn audit(
        &self,
        store: &Store,
        command: &'static str,
        user: Option<i64>,
        shown: Shown,
    ) -> Result<(), StoreError> {
        let subject = AuditSubject {
            shown,
            ..AuditSubject::default()
        };
        store.trail().append(self.entry(command, user, subject)).await
    }

    /// Writes the entry of a step that concerns many users or none: what it is, and how many it was about.
    pub(crate) async fn audit_step(
        &self,
        store: &Store,
        command: &'static str,
        detail: String,
        count: Option<u64>,
    ) -> Result<(), StoreError> {
        let shown = Shown {
            detail: Some(detail),
            count,
            ..Shown::default()
        };
        self.audit(store, command, None, shown).await
    }
}

/// The name of a user in a file like `/etc/passwd`.
fn user_name(id: u32, users: &str) -> Option<String> {
    let mut named = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = named.find(|fields| fields.get(2) == Some(&id.to_string().as_str()))?;
    found.first().map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000:Alice,,,:/home/alice:/bin/bash\n";

    #[test]
    fn a_person_is_named_by_their_login_whatever_account_they_use() {
        let cases = [
            (Some("1000"), 0, "cli:alice", "operator,user:root"),
            (Some("1000\n"), 1000, "cli:alice", "operator,user:alice"),
            (Some("0"), 0, "cli:root", "operator,user:root"),
            (Some("1001"), 998, "cli:1001", "operator,user:998"),
            (Some("4294967295"), 1000, "cli:alice", "operator"),
            (Some(""), 0, "cli:root", "operator"),
            (None, 998, "cli:998", "operator"),
        ];
        for (login, account, name, roles) in cases {
            let operator = Operator::of(login, account, USERS, 0);
            assert_eq!((operator.name(), operator.roles.as_str()), (name, roles), "{login:?}");
        }
    }
}
