//! Puts the standalone host together: store, bus, verifier, API and pages. It opens no port; `server.rs` does that.

pub(crate) mod checks;
pub(crate) mod dev_mode;
pub(crate) mod review_page;
pub(crate) mod secret;
pub(crate) mod start_error;
pub(crate) mod verifier;

mod database;
mod jobs;
mod trail;
mod webhooks;
mod witness;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use liveness_bus::liveness::{self, Liveness, Settings};
use liveness_bus::{BuildErrors, Bus, BusBuilder};
use liveness_core::UserDirectory;
use liveness_core::policy::Policy;
use liveness_core::store::{JobRunner, Store, StoredUsers, TrailKeeper};
use liveness_core::trail::TrailSigner;
use serde_json::Value;

use self::database::{claim_face_place, open_and_migrate};
use self::review_page::configured_page;
use self::start_error::StartError;
use self::webhooks::Webhooks;
use self::witness::Witnessing;
use crate::config::ServeConfig;
use crate::metrics::Metrics;
use crate::pages::admin::ReviewPage;
use crate::pages::docs::Docs;
use crate::pages::health::Health;
use crate::pages::openapi::{Endpoints, document};
use crate::pages::privacy::PrivacyPage;
use crate::pages::receipt_keys::ReceiptKeys;
use crate::request::unrouted::not_found;
use crate::request::{LivenessApi, max_command_bytes};
use crate::token::TokenVerifier;
use crate::trail_key::{check_named, configured_key};
use crate::webhooks::ConfiguredWebhooks;
use crate::witness::Witness;

/// Everything that the standalone host serves. Cloning it is cheap: each worker of the server has a clone.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    store: Store,
    keeper: Arc<TrailKeeper>,
    jobs: Arc<JobRunner>,
    webhooks: Option<Arc<Webhooks>>,
    _witnessing: Option<Arc<Witnessing>>,
    api: LivenessApi,
    health: Health,
    metrics: Metrics,
    docs: Docs,
    receipt_keys: ReceiptKeys,
    review_page: ReviewPage,
    privacy_page: PrivacyPage,
}

/// What one address serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Served {
    /// Everything, where there is only one address.
    All,
    /// The API and the pages for people.
    Public,
    /// Health and metrics.
    Operations,
}

impl Host {
    /// Opens the store, and builds everything on top of it.
    ///
    /// # Errors
    ///
    /// When the review page's settings do not fit together, or the database is reached and cannot or must not be used.
    pub(crate) async fn open(
        config: &ServeConfig,
        policy: &Policy,
        verifier: TokenVerifier,
        webhooks: Option<&ConfiguredWebhooks>,
    ) -> Result<Self, StartError> {
        let review_page = configured_page(config)?.token_rules(verifier.rules());
        check_named(&config.database)?;
        let store = open_and_migrate(config, policy).await?;
        let signer: Arc<dyn TrailSigner> = Arc::new(configured_key(&config.database)?);
        claim_face_place(&store, &signer).await?;
        let keeper = trail::keep(&store, Arc::clone(&signer))?;
        let witnessing = match config.witness.trail_witness.clone() {
            Some(address) => {
                let witness = Witness::new(address, store.clone(), signer.verifier().clone());
                Some(Arc::new(witness::start(witness, Arc::clone(&keeper))?))
            }
            None => None,
        };
        let receipt_keys = ReceiptKeys::new(signer.verifier());
        let health = Health::new(store.clone()).with_trail(Arc::clone(&keeper));
        let metrics = Metrics::of(store.clone());
        metrics.show_trail(Arc::clone(&keeper));
        let owner = signer.verifier().to_string();
        let jobs = Arc::new(jobs::start(&store, owner, policy, &metrics)?);
        metrics.show_jobs(Arc::clone(&jobs));
        let webhooks = deliver(&store, webhooks.cloned(), metrics.clone()).await?;
        if let Some(jwks) = verifier.jwks() {
            metrics.show_stale_file("LIVENESS_JWT_JWKS", jwks.is_stale());
        }
        if let Some(revoked) = verifier.revoked() {
            metrics.show_stale_file("LIVENESS_JWT_REVOKED_FILE", revoked.is_stale());
        }
        let api = api(config, policy, store.clone(), verifier, metrics.clone(), signer)?;
        let docs = Docs::new(api.bus());
        Ok(Self {
            store,
            keeper,
            jobs,
            webhooks,
            _witnessing: witnessing,
            api,
            health,
            metrics,
            docs,
            receipt_keys,
            review_page,
            privacy_page: PrivacyPage::new(policy, config.faces.face_keys.is_some()),
        })
    }

    /// Adds what an address serves to an actix application.
    pub(crate) fn configure(&self, app: &mut web::ServiceConfig, served: Served) {
        if served != Served::Operations {
            self.api.configure(app);
            self.review_page.configure(app);
            self.privacy_page.configure(app);
            self.docs.configure(app);
            self.receipt_keys.configure(app);
        }
        if served != Served::Public {
            self.health.configure(app);
            self.metrics.configure(app);
        }
        // Requests for what is not there are counted everywhere.
        app.app_data(web::Data::new(self.metrics.clone()));
        app.default_service(web::to(not_found));
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Begins no more webhooks, and waits for those that are on their way, but no longer than this.
    pub(crate) async fn stop_webhooks(&self, patience: Duration) {
        if let Some(webhooks) = self.webhooks.clone() {
            // The blocking thread fails only when the process ends.
            let _ = web::block(move || webhooks.stop(patience)).await;
        }
    }

    /// Closes the store, so that a SQLite file alone is whole. Waits at most `patience` for others who use the file.
    pub(crate) async fn close(&self, patience: Duration) {
        let (store, keeper, jobs) = (self.store.clone(), Arc::clone(&self.keeper), Arc::clone(&self.jobs));
        let closing = web::block(move || {
            // A job that has not ended by then goes on elsewhere, or after the next start.
            jobs.stop(patience / 2);
            keeper.stop();
            store.close(patience)
        });
        // What is left of a slow disk's work is done when the database is opened again.
        let _ = tokio::time::timeout(patience + Duration::from_millis(200), closing).await;
    }

    /// Reports "not ready" from now on, and answers those who wait.
    pub(crate) fn begin_shutdown(&self) {
        self.health.begin_shutdown();
        self.api.end_waits();
    }
}

/// Starts to deliver webhooks, if there is a receiver. It may wait for transactions of other nodes.
async fn deliver(
    store: &Store,
    configured: Option<ConfiguredWebhooks>,
    metrics: Metrics,
) -> Result<Option<Arc<Webhooks>>, StartError> {
    let store = store.clone();
    let started = web::block(move || match configured {
        Some(configured) => webhooks::start(&store, &configured, &metrics).map(Some),
        None => {
            webhooks::tell_of_leftovers(store)?;
            Ok(None)
        }
    });
    let started = started
        .await
        .map_err(|error| StartError::Server(std::io::Error::other(error)))?;
    Ok(started?.map(Arc::new))
}

fn api(
    config: &ServeConfig,
    policy: &Policy,
    store: Store,
    verifier: TokenVerifier,
    metrics: Metrics,
    signer: Arc<dyn TrailSigner>,
) -> Result<LivenessApi, BuildErrors> {
    let users: Arc<dyn UserDirectory> = Arc::new(StoredUsers::new(store.users().clone(), config.provision_users));
    let settings = Settings {
        max_image_bytes: config.max_image_bytes,
        status_rule: config.status_rule,
        ..Settings::under(policy)
    };
    let liveness = Liveness::new(store.clone(), Arc::clone(&users), settings).with_trail_signer(signer);
    let bus = bus(store, liveness).observer(metrics.clone()).build()?;
    let api = LivenessApi::builder(bus, verifier, users)
        .trusted_proxies(config.trusted_proxies.clone())
        .forwarded_header(config.forwarded_header.clone())
        .max_image_bytes(config.max_image_bytes)
        .rate_limit(config.rate_limit)
        .max_requests_in_flight(config.max_requests_in_flight)
        .max_waiting(config.max_waiting())
        .body_memory(config.body_memory)
        .answer_memory(config.answer_memory)
        .metrics(metrics);
    Ok(api.build())
}

fn bus(store: Store, liveness: Liveness) -> BusBuilder {
    Bus::builder().module(liveness::module(liveness)).audit_sink(store)
}

/// Checks that the memory for bodies has room for the largest one.
///
/// # Errors
///
/// [`StartError::BodyMemory`].
pub(crate) fn check_body_memory(config: &ServeConfig) -> Result<(), StartError> {
    let largest = max_command_bytes(config.max_image_bytes);
    if config.body_memory < largest {
        return Err(StartError::BodyMemory(largest));
    }
    Ok(())
}

/// The host's bus on an empty database in memory, for those who only read what the messages declare.
///
/// # Errors
///
/// When a host would not start either.
pub(crate) fn bus_in_memory() -> Result<Bus, StartError> {
    let store = Store::in_memory()?;
    let users = StoredUsers::new(store.users().clone(), false);
    let liveness = Liveness::new(store.clone(), Arc::new(users), Settings::default());
    Ok(bus(store, liveness).build()?)
}

/// The OpenAPI document of the standalone host. It is made without starting one.
///
/// # Errors
///
/// When a host would not start either.
pub fn host_document() -> Result<Value, StartError> {
    Ok(document(&bus_in_memory()?, Endpoints::Host))
}
