//! Keeps the audit trail of the host: puts entries into the log, and verifies a part of it each minute.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use liveness_core::store::{Store, StoreError, TrailKeeper, TrailPart, TrailVerification};
use liveness_core::trail::TrailSigner;
use liveness_core::{Clock as _, SystemClock};
use tokio::time::sleep;

use super::start_error::StartError;

/// The time between two verifications, in milliseconds.
const MINUTE: i64 = 60_000;
/// So many parts are the whole trail: one for each minute of a day.
const PARTS: u32 = 24 * 60;

/// Starts what keeps the trail.
///
/// # Errors
///
/// When its thread cannot be started.
pub(super) fn keep(store: &Store, signer: Arc<dyn TrailSigner>) -> Result<Arc<TrailKeeper>, StartError> {
    let keeper = Arc::new(store.trail().keep(Arc::clone(&signer), false)?);
    actix_web::rt::spawn(verify(store.clone(), signer, Arc::clone(&keeper)));
    Ok(keeper)
}

/// Verifies one part after the other, by the minute of the day. So a day has all parts, however often the host starts.
async fn verify(store: Store, signer: Arc<dyn TrailSigner>, keeper: Arc<TrailKeeper>) {
    loop {
        // To the next minute, so that none is left out when a verification takes long.
        let into_minute = SystemClock.now().unix_millis().rem_euclid(MINUTE);
        sleep(Duration::from_millis((MINUTE - into_minute).unsigned_abs())).await;
        let minute = SystemClock.now().unix_millis().div_euclid(MINUTE);
        let number = u32::try_from(minute.rem_euclid(i64::from(PARTS))).unwrap_or_default();
        match verify_part(&store, &signer, TrailPart { number, of: PARTS }).await {
            Ok(verified) => keeper.find(verified.findings),
            // The store itself tells of a database that goes away.
            Err(error) => log::debug!("a part of the trail was not verified: {error}"),
        }
    }
}

async fn verify_part(
    store: &Store,
    signer: &Arc<dyn TrailSigner>,
    part: TrailPart,
) -> Result<TrailVerification, StoreError> {
    let (store, signer) = (store.clone(), Arc::clone(signer));
    let verified = web::block(move || store.trail().verify(&signer, false, part, |_, _| {})).await;
    verified.unwrap_or_else(|error| Err(StoreError::Unavailable(Arc::new(error))))
}
