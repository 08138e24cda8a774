//! Decisions of people about records, as the store offers them.

mod deciding;
mod order;

use std::sync::Arc;

pub use self::order::{Decided, DecisionError, DecisionOrder};
use super::audited_transactions::AuditedTransactions;
use super::entry_writer::TrailLink;
use super::event_bell::EventBell;
use super::policy_in_force::PolicyInForce;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;

/// Decisions of people about records.
#[derive(Clone, Debug)]
pub struct Reviews {
    transactions: Arc<AuditedTransactions>,
    in_force: Arc<PolicyInForce>,
}

impl Reviews {
    pub(crate) fn new(
        connections: &Arc<Connections>,
        in_force: &Arc<PolicyInForce>,
        (link, bell): (&Arc<TrailLink>, &EventBell),
    ) -> Self {
        Self {
            transactions: Arc::new(AuditedTransactions::new(connections, (link, bell))),
            in_force: Arc::clone(in_force),
        }
    }

    /// Adds a decision about a record, in one transaction with its audit entry. The transaction holds the lock of the record's
    /// user, so of many decisions at once, one is made on what the others have seen.
    ///
    /// Where the policy asks for a second person, a decision counts when another person has made the same.
    ///
    /// # Errors
    ///
    /// [`DecisionError`]. Except for [`DecisionError::Store`], nothing was changed.
    pub async fn decide(&self, order: DecisionOrder) -> Result<Decided, DecisionError> {
        let (transactions, in_force) = (Arc::clone(&self.transactions), Arc::clone(&self.in_force));
        let deciding = move || transactions.run(|conn, writer| deciding::decide(conn, writer, &order, &in_force));
        // It goes on when the caller goes away.
        match tokio::task::spawn_blocking(deciding).await {
            Ok(done) => done?,
            Err(_) => Err(StoreError::outcome_unknown("a decision panicked").into()),
        }
    }
}
