//! Keeps the audit trail of the host: puts entries into the log, and verifies a part of it each minute.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use liveness_core::store::{Store, StoreError, TrailKeeper, TrailPart, TrailVerification};
use liveness_core::trail::TrailSigner;
use liveness_core::{Clock as _, SystemClock};
use tokio::time::sleep;

use super::start_error::StartError;

/// How the trail is verified, one part after the other.
#[derive(Debug, Clone, Copy)]
struct Rounds {
    /// The time between two parts, in milliseconds.
    interval: i64,
    /// The number of parts that make up the whole trail.
    parts: u32,
}

/// A part each minute, and everything in a day.
const DAILY: Rounds = Rounds {
    interval: 60_000,
    parts: 24 * 60,
};

/// Starts what keeps the trail.
///
/// # Errors
///
/// When its thread cannot be started.
pub(super) fn keep(store: &Store, signer: Arc<dyn TrailSigner>) -> Result<Arc<TrailKeeper>, StartError> {
    let keeper = Arc::new(store.trail().keep(Arc::clone(&signer), false)?);
    actix_web::rt::spawn(verify(store.clone(), signer, Arc::clone(&keeper), DAILY));
    Ok(keeper)
}

/// Verifies one part after the other, by the time of the day. So a round has all parts, however often the host starts.
async fn verify(store: Store, signer: Arc<dyn TrailSigner>, keeper: Arc<TrailKeeper>, rounds: Rounds) {
    let Rounds { interval, parts } = rounds;
    loop {
        // To the next interval, so that none is left out when a verification takes long.
        let into_interval = SystemClock.now().unix_millis().rem_euclid(interval);
        sleep(Duration::from_millis((interval - into_interval).unsigned_abs())).await;
        let number = SystemClock.now().unix_millis().div_euclid(interval);
        let number = u32::try_from(number.rem_euclid(i64::from(parts))).unwrap_or_default();
        // Without a checkpoint there is nothing to compare with. One that this node has signed must be there.
        let is_new = keeper.state().checkpoint.is_none() && !is_signed(&store).await;
        if is_new {
            continue;
        }
        match verify_part(&store, &signer, TrailPart { number, of: parts }).await {
            Ok(verified) => keeper.find(verified.findings),
            Err(StoreError::Internal(cause)) => log::error!("a part of the audit trail cannot be verified: {cause}"),
            // The store itself tells of a database that goes away.
            Err(error) => log::debug!("a part of the trail was not verified: {error}"),
        }
    }
}

/// Whether the log has a checkpoint. It has none at first, while it is made or its signer fails.
async fn is_signed(store: &Store) -> bool {
    let store = store.clone();
    let newest = web::block(move || store.trail().newest_checkpoint()).await;
    matches!(newest, Ok(Ok(Some(_))))
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

#[cfg(test)]
#[path = "../../tests/tampering/sqlite.rs"]
mod sqlite;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant;

    use actix_web::{App, test};
    use liveness_core::trail::TrailKey;
    use liveness_core::{AuditEntry, AuditSubject};
    use log::{LevelFilter, Log, Metadata, Record};

    use super::*;
    use crate::metrics::Metrics;
    use crate::pages::health::Health;

    /// The errors that this process has logged.
    struct Errors;

    static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());

    impl Log for Errors {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.level() <= log::Level::Error
        }

        fn log(&self, record: &Record<'_>) {
            if self.enabled(record.metadata()) {
                ERRORS.lock().unwrap().push(record.args().to_string());
            }
        }

        fn flush(&self) {}
    }

    fn entry(principal: &str) -> AuditEntry {
        AuditEntry {
            at: SystemClock.now(),
            request_id: "request".into(),
            principal: principal.into(),
            issuer: None,
            actor: None,
            roles: "admin".into(),
            self_service_user_id: None,
            message: "GetLivenessCheckQuery".into(),
            outcome: "00".into(),
            client_address: None,
            subject: AuditSubject::default(),
        }
    }

    #[actix_web::test]
    async fn what_was_tampered_with_is_found_by_the_host_itself_and_is_told_until_it_is_restarted() {
        log::set_logger(&Errors).unwrap();
        log::set_max_level(LevelFilter::Error);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("liveness.db");
        let store = Store::open(&format!("sqlite://{}", file.display())).unwrap();
        store.migrate().unwrap();
        let signer: Arc<dyn TrailSigner> = Arc::new(TrailKey::generate().unwrap().key);
        let keeper = Arc::new(store.trail().keep(Arc::clone(&signer), false).unwrap());
        for principal in ["reviewer-1", "reviewer-2"] {
            store.trail().append(entry(principal)).await.unwrap();
        }
        let health = Health::new(store.clone()).with_trail(Arc::clone(&keeper));
        let app = test::init_service(App::new().configure(|app| health.configure(app))).await;
        let readiness = async || {
            let request = test::TestRequest::get().uri("/health/ready").to_request();
            test::call_service(&app, request).await.status().as_u16()
        };
        let metrics = Metrics::of(store.clone());
        metrics.show_trail(Arc::clone(&keeper));
        let counted = |findings: u32| {
            let line = format!("\nliveness_trail_findings_total {findings}\n");
            metrics.to_prometheus_text().unwrap().contains(&line)
        };
        let rounds = Rounds { interval: 5, parts: 3 };
        actix_web::rt::spawn(verify(store.clone(), Arc::clone(&signer), Arc::clone(&keeper), rounds));
        let tamper = |sql: &str| sqlite::execute(&file, sql);
        let whole = || {
            let trail = store.trail();
            trail.verify(&signer, false, TrailPart::WHOLE, |_, _| {}).unwrap()
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while whole().entries < 3 {
            assert!(Instant::now() < deadline, "the entries are in no log");
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!((readiness().await, counted(0)), (200, true));

        tamper("UPDATE liveness_audit_entries SET principal = 'nobody' WHERE id = 2");

        while readiness().await == 200 {
            assert!(Instant::now() < deadline, "nothing was found");
            sleep(Duration::from_millis(5)).await;
        }
        let findings = keeper.state().findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(
            findings[0].starts_with("audit entry 2 (leaf 2) was changed"),
            "{findings:?}"
        );
        assert!(counted(1));
        let told = format!("the audit trail was tampered with: {}", findings[0]);
        let lines = ERRORS.lock().unwrap().clone();
        assert_eq!(lines.iter().filter(|line| **line == told).count(), 1, "{lines:?}");

        // What was put back has been away: somebody has to look.
        tamper("UPDATE liveness_audit_entries SET principal = 'reviewer-2' WHERE id = 2");
        assert_eq!(whole().findings, [""; 0]);
        assert_eq!((readiness().await, counted(1)), (503, true));
    }
}
