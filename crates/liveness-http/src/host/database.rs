//! The store, checked, and with its schema up to date.

use std::time::Duration;

use actix_web::web;
use liveness_core::store::{OpenError, Store};

use super::checks::database::{check_file, check_store};
use super::checks::findings::Findings;
use super::start_error::StartError;
use crate::config::ServeConfig;

const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Opens the store, refuses it if it is a danger to records, and migrates its schema.
///
/// While the database cannot be reached, this is retried in the background. The host starts meanwhile, and is not ready.
///
/// # Errors
///
/// When the database is reached, and cannot or must not be used.
pub(super) async fn open_and_migrate(config: &ServeConfig) -> Result<Store, StartError> {
    let mut findings = Findings::accepting(&config.accept);
    check_file(config, &mut findings);
    if let Some(dangers) = findings.refusal() {
        // A file that cannot be used at all is told first.
        Store::check_file(&config.database.database_url)?;
        return Err(StartError::Danger(dangers));
    }
    let store = config.open()?;
    match check_and_migrate(config, &store).await {
        Err(StartError::Database(error)) if error.is_out_of_reach() => {
            // It may have its schema, and be a danger all the same.
            store.await_migration();
            log::warn!("not ready: the database cannot be reached, and is tried again every second");
            actix_web::rt::spawn(migrate_when_reached(config.clone(), store.clone()));
        }
        migrated => migrated?,
    }
    findings.log_warnings();
    Ok(store)
}

async fn migrate_when_reached(config: ServeConfig, store: Store) {
    loop {
        tokio::time::sleep(RETRY_INTERVAL).await;
        match check_and_migrate(&config, &store).await {
            Ok(()) => break log::info!("ready: the database's schema is up to date"),
            Err(StartError::Database(error)) if error.is_out_of_reach() => {}
            Err(error) => log::error!("not ready: {error}"),
        }
    }
}

/// Waits on a thread of its own: for the server, or for another node that migrates.
async fn check_and_migrate(config: &ServeConfig, store: &Store) -> Result<(), StartError> {
    let (config, store) = (config.clone(), store.clone());
    let done = web::block(move || {
        let mut findings = Findings::accepting(&config.accept);
        let checked = check_store(&config, &store, &mut findings);
        if let Err(error) = &checked
            && let Some(name) = error.danger()
        {
            findings.danger(name, "database", error.problem(), error.mend().unwrap_or_default());
        }
        if let Some(dangers) = findings.refusal() {
            return Err(StartError::Danger(dangers));
        }
        if checked.as_ref().is_err_and(OpenError::is_out_of_reach) {
            return Ok(checked?);
        }
        if config.dev {
            store.mark_as_scratch()?;
        }
        // A database that cannot even be asked is told by what cannot be done with it.
        store.migrate().and(checked)?;
        findings.log_warnings();
        Ok(())
    });
    done.await.map_err(std::io::Error::other)?
}
