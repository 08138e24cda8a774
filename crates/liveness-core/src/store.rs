//! The only access to the database.
//!
//! A [`Store`] is a handle. Cloning it is cheap, and all clones share their connections. It has an interface for each
//! kind of data: [`checks`](Store::checks), [`faces`](Store::faces), [`users`](Store::users), [`trail`](Store::trail),
//! [`jobs`](Store::jobs), [`events`](Store::events), [`sessions`](Store::sessions), for what people decide: [`reviews`](Store::reviews), for who is locked:
//! [`locks`](Store::locks), and for what is taken away: [`erasures`](Store::erasures) and [`holds`](Store::holds). An operation is
//! a future whose SQL runs on a thread of the store, never on the thread of the caller, unless its documentation says that it
//! blocks.

mod completing_erasures;
mod emptying_log;
mod engine;
mod event_delivery;
mod job_runner;
mod keys;
mod maintenance;
mod opening;
#[cfg(test)]
mod plans;
mod queue;
mod scratch;
mod sealing_old_faces;
mod snapshot;
mod sweeping_objects;
mod tables;
mod unused_face_keys;

use std::sync::Arc;

pub use self::completing_erasures::CompleteErasures;
pub use self::emptying_log::EmptyLog;
pub use self::engine::connection::Connection;
pub use self::engine::diagnosis::{Diagnosis, Setting};
pub use self::engine::error::{OpenError, StoreError};
pub use self::engine::postgres::{PostgresPool, PostgresSettings};
pub use self::engine::sqlite::{SqlitePool, SqliteSettings};
pub use self::engine::statement_log::LoggedValues;
pub use self::event_delivery::{Delivered, EventDelivery, EventReceiver};
pub use self::job_runner::handler::{JobHandler, RunningJob};
pub use self::job_runner::{JobRunner, JobSettings};
pub use self::keys::{FaceKeys, Rotated, RotationError};
pub use self::opening::StoreSettings;
pub use self::queue::group_commit::GroupCommit;
pub use self::queue::stats::{Distribution, StoreStats};
pub use self::sealing_old_faces::FaceSealing;
pub use self::sweeping_objects::SweptObjects;
pub use self::tables::checks::Checks;
pub use self::tables::checks::filter::{CheckFilter, DecisionFilter};
pub use self::tables::checks::page::{CheckPage, PageRequest};
pub use self::tables::checks::rejudging::{Rejudged, Rejudging};
pub use self::tables::decisions::{Decided, DecisionError, DecisionOrder, Reviews};
pub use self::tables::erasures::{
    ErasedFace, ErasedRecord, ErasedUser, ErasureError, ErasureOrder, Erasures, FaceOutcome, Holds, Locks, OldFace,
    OldRecord, OldRecords,
};
pub use self::tables::events::Events;
pub use self::tables::events::publishing::publish_events;
pub use self::tables::events::stored_event::{EventCounts, EventState, StoredEvent};
pub use self::tables::faces::Faces;
pub use self::tables::issued_sessions::door::{IssuedSessions, StartedSession};
pub use self::tables::jobs::Jobs;
pub use self::tables::jobs::adding::enqueue as enqueue_jobs;
pub use self::tables::jobs::job::{Job, JobCounts, JobState, TakenJob};
pub use self::tables::look_limit::{LookLimit, Looked};
pub use self::tables::recording::{Recorded, Recording};
pub use self::tables::row_counts::RowCounts;
pub use self::tables::trail::Trail;
pub use self::tables::trail::entries::insert as insert_audit_entry;
pub use self::tables::trail::filter::{TrailFilter, TrailPageRequest};
pub use self::tables::trail::find::{FoundEntry, TrailPage};
pub use self::tables::trail::keeper::{TrailKeeper, TrailState};
pub use self::tables::trail::looks::FaceLook;
pub use self::tables::trail::receipt::{InLog, RecordInLog};
pub use self::tables::trail::verified::{TrailPart, TrailVerification};
pub use self::tables::user_changes::UserChanges;
pub use self::tables::user_directory::StoredUsers;
pub use self::tables::users::Users;
pub use self::tables::watching::UserWatch;
pub use self::unused_face_keys::UnusedFaceKeys;

use self::engine::connections::Connections;
use self::queue::read_pool::ReadPool;
use self::queue::stats::Counters;
use self::tables::entry_writer::TrailLink;
use self::tables::erasures::Eraser;
use self::tables::event_bell::EventBell;
use self::tables::face_tools::FaceTools;
use self::tables::policy_in_force::PolicyInForce;
use self::tables::totals;
use self::tables::transaction::WriteTools;
use self::tables::write::{Session, Writer};
use crate::policy::Policy;

/// The database of liveness checks.
///
/// ```
/// use liveness_core::store::Store;
///
/// let store = Store::in_memory()?;
/// store.migrate()?;
/// # Ok::<(), liveness_core::store::OpenError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    connections: Arc<Connections>,
    counters: Arc<Counters>,
    reads: Arc<ReadPool>,
    writer: Arc<Writer>,
    checks: Checks,
    faces: Faces,
    users: Users,
    trail: Trail,
    jobs: Jobs,
    events: Events,
    sessions: IssuedSessions,
    erasures: Erasures,
    holds: Holds,
    reviews: Reviews,
    locks: Locks,
    face_tools: FaceTools,
    in_force: Arc<PolicyInForce>,
    bell: EventBell,
}

/// What a store works with besides its connections.
#[derive(Clone, Default)]
struct Tools {
    faces: FaceTools,
    in_force: Arc<PolicyInForce>,
    bell: EventBell,
    /// With the key that signs entries, if it is known by now.
    link: Arc<TrailLink>,
}

impl Store {
    fn start(connections: Connections, group_commit: GroupCommit) -> Result<Self, OpenError> {
        let connections = Arc::new(connections);
        let reads = Arc::new(ReadPool::new(&connections));
        Self::with_reads(connections, reads, Tools::default(), group_commit)
    }

    fn with_reads(
        connections: Arc<Connections>,
        reads: Arc<ReadPool>,
        tools: Tools,
        group_commit: GroupCommit,
    ) -> Result<Self, OpenError> {
        let Tools {
            faces: face_tools,
            in_force,
            bell,
            link,
        } = tools;
        let counters = Arc::new(Counters::default());
        let sessions = totals::slots().map(|slot| Session::new(slot, &link, &bell));
        let write_tools = WriteTools {
            face_keys: face_tools.keys().cloned(),
            in_force: Arc::clone(&in_force),
        };
        let writer = Arc::new(Writer::start(
            &connections,
            &counters,
            &Arc::new(write_tools),
            group_commit,
            sessions,
        )?);
        let eraser = Arc::new(Eraser::new(&connections, &face_tools, (&link, &bell)));
        Ok(Self {
            checks: Checks::new((&reads, &writer), &face_tools, &in_force, &link),
            faces: Faces::new(&reads, &face_tools),
            users: Users::new(&reads, &writer),
            erasures: Erasures::new(&eraser),
            holds: Holds::new(&eraser),
            reviews: Reviews::new(&connections, &in_force, (&link, &bell)),
            locks: Locks::new(&eraser),
            trail: Trail::new(&connections, &reads, &writer, link).with_objects(face_tools.objects.as_ref()),
            jobs: Jobs::new(&connections, &reads, &writer),
            events: Events::new(&connections, &reads, &bell),
            sessions: IssuedSessions::new(&connections, &writer, in_force.policy.session()),
            face_tools,
            in_force,
            bell,
            connections,
            counters,
            reads,
            writer,
        })
    }

    fn tools(&self) -> Tools {
        Tools {
            faces: self.face_tools.clone(),
            in_force: Arc::clone(&self.in_force),
            bell: self.bell.clone(),
            link: self.trail.link(),
        }
    }

    /// The policy that reports are judged by.
    pub fn policy(&self) -> &Policy {
        &self.in_force.policy
    }

    /// The records of liveness checks.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// The captured faces.
    pub fn faces(&self) -> &Faces {
        &self.faces
    }

    /// The keys of the faces, if faces are sealed.
    pub fn face_keys(&self) -> Option<&Arc<FaceKeys>> {
        self.face_tools.keys()
    }

    /// The users of the standalone host.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// Erasures of faces and of users.
    pub fn erasures(&self) -> &Erasures {
        &self.erasures
    }

    /// Legal holds, which keep erasures away.
    pub fn holds(&self) -> &Holds {
        &self.holds
    }

    /// Decisions of people about records.
    pub fn reviews(&self) -> &Reviews {
        &self.reviews
    }

    /// Locks of users who have failed too often.
    pub fn locks(&self) -> &Locks {
        &self.locks
    }

    /// The audit trail.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Durable jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Events, and the subscriptions to them.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The sessions that the server issues, by the policy of this store.
    pub fn sessions(&self) -> &IssuedSessions {
        &self.sessions
    }
}
