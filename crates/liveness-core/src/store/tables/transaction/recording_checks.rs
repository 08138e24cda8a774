//! Records the checks of a transaction: dates, judges and counts them, and adds them with their faces.

use std::collections::HashMap;

use super::{Outcome, WriteTools};
use crate::LivenessCheck;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::attempts::{Attempt, Tallies};
use crate::store::tables::checks::find;
use crate::store::tables::checks::insert::{self, Inserted};
use crate::store::tables::dating::{self, Dated, Dating};
use crate::store::tables::due_report::DueReport;
use crate::store::tables::events::telling::{NewRecord, Telling};
use crate::store::tables::face_objects::PutFace;
use crate::store::tables::faces::TakenFace;
use crate::store::tables::judging::{self, Judged};
use crate::store::tables::recording::{Recorded, Recording};
use crate::store::tables::write::{Session, Write, Written};
use crate::store::tables::{faces, issued_sessions, sessions, totals};
use crate::trail::leaf::Sha256;

/// What was made of a recording, for its entry.
pub(super) struct Made {
    pub(super) canonical: Vec<u8>,
    pub(super) face_digest: Option<Sha256>,
}

/// Records the new checks. Answers repeated calls with the record of the first call. Returns what was made of
/// the new records, at the places of their writes.
pub(super) fn record(
    conn: &mut Connection<'_>,
    tools: &WriteTools,
    session: &mut Session,
    writes: &[Write],
    outcomes: &mut [Option<Outcome>],
) -> Result<Vec<Option<Made>>, StoreError> {
    let keys: Vec<_> = writes
        .iter()
        .filter_map(|write| write.recording()?.scoped_key())
        .collect();
    let known = find::under_keys(conn, &keys)?;
    let mut new = Vec::new();
    for (place, write) in writes.iter().enumerate() {
        let Some(recording) = write.recording() else { continue };
        match recording.scoped_key().and_then(|key| known.get(&key)) {
            None if write.prepared().is_some_and(|prepared| prepared.is_repetition) => {
                outcomes[place] = Some(Err(StoreError::unavailable("the record of the first call is gone")));
            }
            None => new.push((place, recording)),
            // A repeated call writes an audit entry of its own. When this entry is durable, so is the record of the
            // first call.
            Some((fingerprint, check)) => outcomes[place] = Some(replay(recording, fingerprint, check)),
        }
    }
    let (places, new): (Vec<_>, Vec<_>) = new.into_iter().unzip();
    let Dating { dated, is_listened_to } = dating::date(conn, new.into_iter())?;
    let due: Vec<_> = places
        .iter()
        .zip(&dated)
        .map(|(place, dated)| due_report(&writes[*place], *dated))
        .collect();
    let users = dated.iter().map(|dated| dated.check().user.id);
    let mut tallies = Tallies::load(conn, &tools.in_force, users)?;
    let outcomes_of_judging = judging::judge_each(conn, &tools.in_force, &mut tallies, &due)?;
    let mut judged = Vec::with_capacity(places.len());
    for (place, outcome) in places.into_iter().zip(outcomes_of_judging) {
        match outcome {
            Ok(report) => judged.push((place, report)),
            Err(refused) => outcomes[place] = Some(Err(refused)),
        }
    }
    let claimed = sessions::claim(conn, judged.iter().map(|(_, report)| &report.dated))?;
    let (own, others): (Vec<_>, Vec<_>) = judged
        .into_iter()
        .partition(|(_, report)| claimed.contains(report.dated.check().session_id.as_str()));
    for (place, _) in others {
        outcomes[place] = Some(Err(StoreError::SessionOfAnotherUser));
    }
    let recorded = own
        .iter()
        .map(|(_, report)| (Attempt::of(report.dated.check()), report.is_failure()));
    let locks = tallies.write(conn, recorded)?;
    let telling = if is_listened_to {
        let users = own.iter().map(|(_, report)| report.dated.check().user.id);
        Some(Telling::before(conn, &tools.in_force, users)?)
    } else {
        None
    };
    let due: Vec<_> = own
        .iter()
        .map(|(place, report)| {
            (
                report,
                writes[*place].prepared().and_then(|prepared| prepared.put.as_ref()),
            )
        })
        .collect();
    let recorded = add_checks(conn, tools, session.slot, &due)?;
    if let Some(telling) = telling {
        let records = own.iter().zip(&recorded).enumerate();
        let records = records.map(|(place, ((_, report), (inserted, _)))| NewRecord {
            check: &inserted.check,
            outcome: report.verdict.outcome,
            traceparent: report.dated.recording.traceparent.as_deref(),
            locks: locks.get(place).copied().unwrap_or(false),
        });
        session.publishes = telling.tell(conn, &tools.in_force, &records.collect::<Vec<_>>())?;
    }
    let mut made: Vec<Option<Made>> = writes.iter().map(|_| None).collect();
    for ((place, _), (inserted, face_digest)) in own.into_iter().zip(recorded) {
        made[place] = Some(Made {
            canonical: inserted.canonical,
            face_digest,
        });
        outcomes[place] = Some(Ok(Written::Recorded(Box::new(Recorded {
            check: inserted.check,
            is_replay: false,
        }))));
    }
    Ok(made)
}

/// The report of a write, to be judged.
fn due_report<'a>(write: &'a Write, dated: Dated<'a>) -> DueReport<'a> {
    let prepared = write.prepared();
    DueReport {
        dated,
        picture: prepared.and_then(|prepared| prepared.picture),
        image_digest: prepared.and_then(|prepared| prepared.image_digest.as_ref()),
    }
}

fn replay(recording: &Recording, fingerprint: &[u8], check: &LivenessCheck) -> Outcome {
    let is_same = recording
        .idempotency_key
        .as_ref()
        .is_some_and(|key| key.fingerprint() == fingerprint);
    if !is_same {
        return Err(StoreError::IdempotencyKeyReused);
    }
    Ok(Written::Recorded(Box::new(Recorded {
        check: check.clone(),
        is_replay: true,
    })))
}

/// Adds the records and their faces, and counts the records.
fn add_checks(
    conn: &mut Connection<'_>,
    tools: &WriteTools,
    slot: i32,
    due: &[(&Judged<'_>, Option<&PutFace>)],
) -> Result<Vec<(Inserted, Option<Sha256>)>, StoreError> {
    let judged: Vec<_> = due.iter().map(|(report, _)| *report).collect();
    let recorded = insert::insert(conn, &judged)?;
    let used = judged.iter().zip(&recorded);
    let used = used
        .filter_map(|(report, inserted)| Some((inserted.check.self_service_user_id, report.uses?, inserted.check.id)));
    issued_sessions::use_up(conn, used)?;
    let taken = due.iter().zip(&recorded).filter_map(|((report, put), inserted)| {
        let image = report.dated.check().image.as_ref()?;
        let check = &inserted.check;
        Some(TakenFace {
            check,
            image,
            put: *put,
        })
    });
    let kept = faces::keep(tools.face_keys.as_deref(), taken)?;
    faces::put(conn, &kept)?;
    let counted = judged
        .iter()
        .map(|report| (report.dated.check(), report.columns.outcome));
    totals::add(conn, slot, counted)?;
    let sealed = kept
        .iter()
        .filter_map(|face| Some((face.check.id, face.sealed_digest()?)));
    let sealed: HashMap<i64, Sha256> = sealed.collect();
    // The caller has already made the digest of a face in clear.
    let digest = |report: &Judged<'_>, id| {
        let in_clear = report.dated.recording.audit_entry.subject.face_digest;
        sealed.get(&id).copied().or(in_clear)
    };
    let digests: Vec<_> = judged
        .iter()
        .zip(&recorded)
        .map(|(report, inserted)| digest(report, inserted.check.id))
        .collect();
    Ok(recorded.into_iter().zip(digests).collect())
}
