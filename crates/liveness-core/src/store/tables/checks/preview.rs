//! Checks a report before its image is decoded and stored, the two most expensive steps. It finds reports that would be refused, and
//! repeated calls. The transaction that records the report checks both again, and that result counts.

use super::find;
use crate::policy::Policy;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::attempts::{self, Attempt, Tallies};
use crate::store::tables::issued_sessions::{self, Naming};
use crate::store::tables::policy_in_force::PolicyInForce;
use crate::store::tables::recording::Recording;
use crate::verdict::SessionBinding;

/// What is asked about a report before its image is looked at.
#[derive(Debug)]
pub(super) struct Preview {
    attempt: Attempt,
    /// The issued session that it names.
    named: Option<String>,
    /// The key under which it may be repeated.
    scoped_key: Option<String>,
}

impl Preview {
    /// `None` if there is nothing to ask: the report has no key, and the policy refuses nothing.
    pub(super) fn of(recording: &Recording, policy: &Policy) -> Option<Self> {
        let scoped_key = recording.scoped_key();
        if scoped_key.is_none() && !attempts::is_on(policy) && !policy.session().required {
            return None;
        }
        let naming = Naming::of(&recording.check);
        Some(Self {
            attempt: Attempt::of(&recording.check),
            named: naming.id.map(str::to_owned),
            scoped_key,
        })
    }

    /// Whether the report was recorded under its key before.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if the policy refuses it.
    pub(super) fn ask(&self, conn: &mut Connection<'_>, in_force: &PolicyInForce) -> Result<bool, StoreError> {
        if let Some(key) = &self.scoped_key
            && find::under_keys(conn, std::slice::from_ref(key))?.contains_key(key)
        {
            return Ok(true);
        }
        let naming = Naming {
            user: self.attempt.user,
            id: self.named.as_deref(),
            at: self.attempt.at,
        };
        let sessions = issued_sessions::of_naming(conn, naming)?;
        let session = issued_sessions::bind(&sessions, naming, &in_force.policy);
        let tallies = Tallies::load(conn, in_force, std::iter::once(naming.user))?;
        tallies.admit(self.attempt, matches!(session, Ok(SessionBinding::Bound(_))))?;
        session.map(|_| false)
    }
}
