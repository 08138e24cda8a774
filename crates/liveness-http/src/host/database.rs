//! Opens and checks the store, migrates it, and goes on watching its schema while the host runs.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use liveness_core::policy::Policy;
use liveness_core::store::{OpenError, Store};
use liveness_core::trail::TrailSigner;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::checks::database::{check_file, check_store};
use super::checks::findings::Findings;
use super::checks::verdicts;
use super::start_error::StartError;
use crate::config::ServeConfig;
use crate::face_place::FacePlaceError;
use crate::trail_key::{TrailKeyError, check_log};

const KEY_STORE: &str = "the key store of the faces";
/// How long the host waits for the schema before it listens without being ready.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two tries while the host is not ready.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// The time between two looks at the schema while the host is ready. Another version of the program may migrate it.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);

/// Opens the store under a policy, refuses it if it is a danger to records, and brings its schema up to date. With `--no-migrate`, it
/// only looks at the schema.
///
/// While the database cannot be reached, and when a migration takes longer than [`PATIENCE`], this goes on in the
/// background. The host starts meanwhile, and is not ready.
///
/// # Errors
///
/// When the database is reached, and cannot or must not be used.
pub(super) async fn open_and_migrate(config: &ServeConfig, policy: &Policy) -> Result<Store, StartError> {
    let mut findings = Findings::accepting(&config.accept);
    check_file(config, &mut findings);
    if let Some(dangers) = findings.refusal() {
        // A file that cannot be used at all is told first.
        Store::check_file(config.database.url())?;
        return Err(StartError::Danger(dangers));
    }
    let store = config.open()?.with_policy(policy.clone())?;
    let store = store.with_passing_rule(config.status_rule)?;
    let store = config.faces.seal(store, config.database.url())?;
    let mut begun = begin_to_prepare(config, &store);
    let state = match timeout(PATIENCE, &mut begun).await {
        Ok(prepared) => match ended(prepared) {
            Ok(()) => State::Ready,
            Err(error) if is_out_of_reach(&error) => {
                let which = if is_of_key_store(&error) {
                    KEY_STORE
                } else {
                    "the database"
                };
                log::warn!("not ready: {which} cannot be reached, and is tried again every second");
                State::Waiting
            }
            Err(error) => return Err(error),
        },
        Err(_) => {
            log::warn!("not ready: the database's schema is not up to date yet");
            State::Preparing(begun)
        }
    };
    actix_web::rt::spawn(keep_ready(config.clone(), store.clone(), state));
    findings.log_warnings();
    Ok(store)
}

/// How far a host has come with its database.
enum State {
    /// It cannot reach the database, or cannot use it.
    Waiting,
    /// It checks and migrates.
    Preparing(Preparation),
    /// It has been ready before. From then on it migrates no more.
    NotFitting,
    /// It is ready.
    Ready,
}

/// Gets the host ready, and looks once in a while whether it may stay so.
async fn keep_ready(config: ServeConfig, store: Store, mut state: State) {
    let mut told = String::new();
    loop {
        let was_ready = matches!(state, State::Ready | State::NotFitting);
        let (is_ready, found) = match state {
            State::Waiting => {
                sleep(RETRY_INTERVAL).await;
                (false, ended(begin_to_prepare(&config, &store).await))
            }
            State::Preparing(begun) => (false, ended(begun.await)),
            State::NotFitting => {
                sleep(RETRY_INTERVAL).await;
                (false, look(&store).await)
            }
            State::Ready => {
                sleep(LOOK_INTERVAL).await;
                (true, look(&store).await)
            }
        };
        state = match &found {
            Ok(()) => State::Ready,
            // The store itself tells of a database that goes away and comes back.
            Err(error) if is_ready && is_out_of_reach(error) => State::Ready,
            Err(_) if was_ready => State::NotFitting,
            Err(_) => State::Waiting,
        };
        match found {
            Ok(()) if !is_ready => log::info!("ready: the database's schema is up to date"),
            Ok(()) => told.clear(),
            Err(error) if is_out_of_reach(&error) => {}
            Err(error) => {
                let text = error.to_string();
                if text != told {
                    log::error!("not ready: {text}");
                }
                told = text;
            }
        }
    }
}

/// Checks and migrations that run on a thread of their own.
type Preparation = JoinHandle<Result<(), StartError>>;

/// Begins to check and to migrate. Both wait for the server, and a migration waits for other sessions.
fn begin_to_prepare(config: &ServeConfig, store: &Store) -> Preparation {
    let (config, store) = (config.clone(), store.clone());
    tokio::task::spawn_blocking(move || prepare(&config, &store))
}

fn prepare(config: &ServeConfig, store: &Store) -> Result<(), StartError> {
    let mut findings = Findings::accepting(&config.accept);
    let checked = check_store(config, store, &mut findings);
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
    if checked.is_ok() {
        check_log(store, &config.database)?;
    }
    // A database that cannot even be asked is told by what cannot be done with it.
    let fits = if config.no_migrate {
        store.check_schema()
    } else {
        if config.dev {
            store.mark_as_scratch()?;
        }
        store.migrate().map(drop)
    };
    if let Err(error) = &fits
        && let Some(name) = error.danger()
    {
        // The database itself has been checked. This is the key store.
        let problem = format!("LIVENESS_KEYS_URL: {}", error.problem());
        findings.danger(name, "faces", problem, error.mend().unwrap_or_default());
    }
    if let Some(dangers) = findings.refusal() {
        return Err(StartError::Danger(dangers));
    }
    fits.and(checked)?;
    store.check_faces()?;
    check_face_place(store)?;
    verdicts::check(store.policy(), store, &mut findings);
    findings.log_warnings();
    Ok(())
}

/// Marks the place of the faces as that of this trail, so that no other database sweeps it.
///
/// # Errors
///
/// When it is marked as that of another.
pub(super) async fn claim_face_place(store: &Store, signer: &Arc<dyn TrailSigner>) -> Result<(), StartError> {
    let (store, signer) = (store.clone(), Arc::clone(signer));
    let claimed = web::block(move || store.claim_face_place(&signer.verifier().to_string())).await;
    match claimed.map_err(std::io::Error::other)? {
        Err(error) if error.is_out_of_reach() => Ok(()),
        claimed => Ok(claimed.map_err(FacePlaceError::from)?),
    }
}

/// Looks whether the place of the faces can be used. Without it, nothing but faces is missing: the host is ready, and each
/// face is tried anew.
fn check_face_place(store: &Store) -> Result<(), StartError> {
    match store.check_face_place() {
        Err(error) if error.is_out_of_reach() => {
            log::warn!("no face can be recorded or looked at yet: {error}");
            Ok(())
        }
        checked => Ok(checked.map_err(FacePlaceError::from)?),
    }
}

/// Looks whether the program may still run with the schema.
async fn look(store: &Store) -> Result<(), StartError> {
    let store = store.clone();
    let looked = web::block(move || store.check_schema()).await;
    Ok(looked.map_err(std::io::Error::other)??)
}

fn ended(prepared: Result<Result<(), StartError>, tokio::task::JoinError>) -> Result<(), StartError> {
    prepared.map_err(std::io::Error::other)?
}

fn is_of_key_store(error: &StartError) -> bool {
    matches!(error, StartError::Database(error) if error.is_of_key_store())
}

fn is_out_of_reach(error: &StartError) -> bool {
    matches!(
        error,
        StartError::Database(error) | StartError::TrailKey(TrailKeyError::Database(error)) if error.is_out_of_reach()
    )
}
