//! The store, with its schema up to date.

use std::time::Duration;

use actix_web::web;
use liveness_core::store::{OpenError, Store};

use crate::config::DatabaseConfig;

const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Opens the store and migrates its schema.
///
/// While the database cannot be reached, the migration is retried in the background. The host starts meanwhile, and is not
/// ready.
///
/// # Errors
///
/// When the database is reached, and cannot be used.
pub(super) fn open_and_migrate(config: &DatabaseConfig) -> Result<Store, OpenError> {
    let store = config.open()?;
    match store.migrate() {
        Err(error) if error.is_out_of_reach() => {
            log::warn!("not ready: the database cannot be reached, and is tried again every second");
            actix_web::rt::spawn(migrate_when_reached(store.clone()));
            Ok(store)
        }
        migrated => migrated.map(|_| store),
    }
}

async fn migrate_when_reached(store: Store) {
    loop {
        tokio::time::sleep(RETRY_INTERVAL).await;
        let store = store.clone();
        match web::block(move || store.migrate()).await {
            Ok(Ok(_)) => break log::info!("ready: the database's schema is up to date"),
            Ok(Err(error)) if error.is_out_of_reach() => {}
            Ok(Err(error)) => log::error!("not ready: {error}"),
            Err(error) => log::error!("not ready: {error}"),
        }
    }
}
