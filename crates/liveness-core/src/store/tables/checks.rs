//! The records, as the store offers them.

pub(crate) mod completing;
pub(crate) mod count;
pub(crate) mod filter;
pub(crate) mod find;
pub(crate) mod insert;
pub(crate) mod page;
mod preview;
pub(crate) mod rejudging;
pub(crate) mod row;
pub(crate) mod span;

use std::sync::Arc;

use self::completing::Completion;
use self::filter::CheckFilter;
use self::page::{CheckPage, Order, PageRequest};
use self::preview::Preview;
use self::rejudging::Rejudging;
use super::entry_writer::TrailLink;
use super::face_objects::PutFace;
use super::face_tools::FaceTools;
use super::policy_in_force::PolicyInForce;
use super::recording::{Recorded, Recording};
use super::watching::UserWatch;
use super::watching::follower::Follower;
use super::write::{PreparedRecording, Write, Writer, Written};
use super::{decision_rows, erasure_rows, faces};
use crate::picture::Decoding;
use crate::policy::{Effect, Policy};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::queue::batch_loader::BatchLoader;
use crate::store::queue::read_pool::ReadPool;
use crate::trail::leaf::{Sha256, sha256};
use crate::verdict::Picture;
use crate::{CheckEvidence, CompletionRule, FaceErasure, KeptFace, LivenessCheck, Timestamp};

/// The records of liveness checks.
#[derive(Clone, Debug)]
pub struct Checks {
    reads: Arc<ReadPool>,
    writer: Arc<Writer>,
    completing: Arc<BatchLoader<(i64, Completion), Option<LivenessCheck>>>,
    face_tools: FaceTools,
    in_force: Arc<PolicyInForce>,
    link: Arc<TrailLink>,
    decoding: Decoding,
    follower: Arc<Follower>,
}

impl Checks {
    pub(crate) fn new(
        (reads, writer): (&Arc<ReadPool>, &Arc<Writer>),
        face_tools: &FaceTools,
        in_force: &Arc<PolicyInForce>,
        link: &Arc<TrailLink>,
    ) -> Self {
        Self {
            reads: Arc::clone(reads),
            writer: Arc::clone(writer),
            completing: BatchLoader::new(reads, completing::completing_each),
            face_tools: face_tools.clone(),
            in_force: Arc::clone(in_force),
            link: Arc::clone(link),
            decoding: Decoding::default(),
            follower: Arc::new(Follower::new(reads.connections(), &link.wake_ups)),
        }
    }

    fn completion(&self, rule: CompletionRule) -> Completion {
        Completion {
            rule,
            has_to_stand: self.in_force.policy.verdict().counts,
        }
    }

    /// How many calls wait in the batch loader.
    pub(crate) fn waiting(&self) -> usize {
        self.completing.waiting()
    }

    /// Records a check.
    ///
    /// One transaction holds the record, its face, its audit entry, the ownership of its session and its idempotency
    /// key. The transaction is durable when this returns. Calls that wait at the same time share a transaction. A face whose
    /// place is outside the database is durable there before the transaction begins.
    ///
    /// # Errors
    ///
    /// [`StoreError::SessionOfAnotherUser`], [`StoreError::IdempotencyKeyReused`] and [`StoreError::Unavailable`]:
    /// nothing was recorded. [`StoreError::OutcomeUnknown`] when the commit itself failed.
    pub async fn record(&self, mut recording: Recording) -> Result<Recorded, StoreError> {
        // The digest of a sealed face is made when the face is sealed.
        if self.face_tools.keys().is_none() {
            let digest = recording.check.image.as_ref().map(|image| sha256(&[image.bytes()]));
            recording.audit_entry.subject.face_digest = digest;
        }
        let prepared = self.prepare(recording).await?;
        let object = prepared.put.as_ref().map(PutFace::object);
        let written = self.writer.write(Write::Recording(Box::new(prepared))).await;
        let is_recorded = match &written {
            Ok(Written::Recorded(recorded)) => !recorded.is_replay,
            Err(StoreError::OutcomeUnknown(_)) => true,
            Ok(_) | Err(_) => false,
        };
        if let (Some(object), false) = (object, is_recorded) {
            self.face_tools.discard(object).await;
        }
        match written? {
            Written::Recorded(recorded) => Ok(*recorded),
            other => Err(other.unexpected()),
        }
    }

    /// Makes of an image what the record needs, unless the report is refused or was recorded before.
    async fn prepare(&self, recording: Recording) -> Result<PreparedRecording, StoreError> {
        let mut prepared = PreparedRecording {
            recording,
            put: None,
            picture: None,
            image_digest: None,
            is_repetition: false,
        };
        if prepared.recording.check.image.is_none() {
            return Ok(prepared);
        }
        if let Some(preview) = Preview::of(&prepared.recording, &self.in_force.policy) {
            let in_force = Arc::clone(&self.in_force);
            prepared.is_repetition = self.reads.read(move |conn| preview.ask(conn, &in_force)).await?;
        }
        if !prepared.is_repetition {
            prepared.image_digest = self.image_digest(&prepared.recording);
            prepared.picture = self.picture(&prepared.recording).await?;
            prepared.put = self.face_tools.put(&mut prepared.recording.check).await?;
        }
        Ok(prepared)
    }

    /// The keyed digest of an image, if the rule about images that were recorded before is asked. Without a key of the trail
    /// there is none.
    fn image_digest(&self, recording: &Recording) -> Option<Sha256> {
        let rule = &self.in_force.policy.rules().image_reused;
        let is_asked = rule.effect.max(rule.same_user) != Effect::Off;
        let image = recording.check.image.as_ref().filter(|_| is_asked)?;
        Some(self.link.key.get()?.image_digest(image.bytes()))
    }

    /// What decoding an image finds, if the rule about broken images is asked.
    async fn picture(&self, recording: &Recording) -> Result<Option<Picture>, StoreError> {
        let is_asked = self.in_force.policy.rules().image_broken.effect != Effect::Off;
        let Some(image) = recording.check.image.as_ref().filter(|_| is_asked) else {
            return Ok(None);
        };
        let decoded = self.decoding.decode(image, recording.check.user.id).await;
        decoded.map(Some).map_err(StoreError::unavailable)
    }

    /// The record that completes the user's check under `rule`, if there is one. Where the policy has verdicts count, it is a
    /// record that [stands](LivenessCheck::stands).
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn completing(
        &self,
        self_service_user_id: i64,
        rule: CompletionRule,
    ) -> Result<Option<LivenessCheck>, StoreError> {
        self.completing
            .load((self_service_user_id, self.completion(rule)))
            .await
    }

    /// Hears from now on of everything that is committed about a user and may change who has [completed](Self::completing) the
    /// check: by this store, by other nodes, by other processes, and in transactions of an embedding backend. So call this
    /// first, then read, then wait for [`UserWatch::changed`].
    ///
    /// It holds no thread and no connection, and asks nothing of the database. While anybody watches, one thread for all of them
    /// looks what others have written, four times a second.
    pub fn watch(&self, self_service_user_id: i64) -> UserWatch {
        UserWatch::new(&self.follower, self_service_user_id)
    }

    /// The record that completes the user's check under `rule`, with its face. A record whose face was erased has none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn completing_with_face(
        &self,
        self_service_user_id: i64,
        rule: CompletionRule,
    ) -> Result<Option<(LivenessCheck, Option<KeptFace>)>, StoreError> {
        let (face_keys, completion) = (self.face_tools.keys().cloned(), self.completion(rule));
        let read = move |conn: &mut Connection<'_>| {
            let Some(mut check) = completing::completing(conn, self_service_user_id, completion)? else {
                return Ok(None);
            };
            let face = faces::of(conn, face_keys.as_deref(), &mut check)?;
            Ok(Some((check, face)))
        };
        let Some((mut check, found)) = self.reads.read(read).await? else {
            return Ok(None);
        };
        let face = self.face_tools.fetched(found, &mut check).await?;
        Ok(Some((check, face)))
    }

    /// Everything that is stored about the check with this id, with its face. A record whose face was erased has none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn evidence(&self, id: i64) -> Result<Option<CheckEvidence>, StoreError> {
        let face_keys = self.face_tools.keys().cloned();
        let read = move |conn: &mut Connection<'_>| {
            let Some((mut check, details)) = find::with_details(conn, id)? else {
                return Ok(None);
            };
            let face = faces::of(conn, face_keys.as_deref(), &mut check)?;
            let erasure = match check.face_erased_at {
                Some(_) => erasure_rows::face(conn, id)?.map(FaceErasure::try_from).transpose()?,
                None => None,
            };
            let held_since = erasure_rows::held_since(conn, check.self_service_user_id)?;
            let decisions = decision_rows::about(conn, id)?;
            Ok(Some((check, details, face, erasure, (held_since, decisions))))
        };
        let Some((mut check, details, found, erasure, (held_since, decisions))) = self.reads.read(read).await? else {
            return Ok(None);
        };
        let face = self.face_tools.fetched(found, &mut check).await?;
        Ok(Some(CheckEvidence {
            check,
            details,
            face,
            erasure,
            held_since,
            decisions,
        }))
    }

    /// One page of records, newest first, and the number of all records that match the filter.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn page(&self, filter: CheckFilter, page: PageRequest) -> Result<CheckPage, StoreError> {
        self.reads
            .read(move |conn| page::page(conn, &filter, page, Order::NewestFirst))
            .await
    }

    /// As [`page`](Self::page), oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn page_oldest_first(&self, filter: CheckFilter, page: PageRequest) -> Result<CheckPage, StoreError> {
        self.reads
            .read(move |conn| page::page(conn, &filter, page, Order::OldestFirst))
            .await
    }

    /// Judges stored records anew by another policy, from the first one on. Nothing is changed.
    ///
    /// What a rule needs and is not stored is taken from what the rule said when the record was judged. A record from before
    /// records were judged is bound to no session, and its image counts as whole.
    pub fn rejudging(&self, policy: Policy) -> Rejudging {
        Rejudging::new(&self.reads, policy)
    }

    /// The next records that match the filter, oldest first, at most `limit`.
    ///
    /// `after` is the time and the id of the last record of the previous step. With `None`, the first step begins. Every
    /// step costs the same. The steps return every matching record that was acknowledged before the first step.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn after(
        &self,
        filter: CheckFilter,
        after: Option<(Timestamp, i64)>,
        limit: i64,
    ) -> Result<Vec<LivenessCheck>, StoreError> {
        self.reads
            .read(move |conn| span::after(conn, &filter, after, limit))
            .await
    }
}
