//! Checks the database: that it can be reached and written to, has the schema, and keeps what it acknowledges.

use std::fs;
use std::path::Path;

use liveness_core::store::{Diagnosis, LoggedValues, OpenError, Setting, Store};
use liveness_core::{Clock as _, SystemClock, Timestamp};

use super::findings::Findings;
use super::{events, files, trail, verdicts};
use crate::config::{DatabaseConfig, ServeConfig};

const SUBJECT: &str = "database";
const SERVER_LOG: &str = "server's log";
/// How many connections PostgreSQL keeps for superusers by default.
const RESERVED: i64 = 3;
const SECOND: i64 = 1000;

/// Checks everything, for `doctor`. It makes no database.
pub(crate) fn check(config: &ServeConfig, findings: &mut Findings) {
    let url = config.database.url();
    let mend = "correct LIVENESS_DATABASE_URL, or start the server that it names";
    let file = match Store::file_of(url) {
        Ok(file) => file,
        Err(error) => return findings.problem(SUBJECT, error.to_string(), mend),
    };
    if let Some(path) = file.as_ref().filter(|path| !path.exists()) {
        files::disk(path, findings);
        return not_there_yet(url, path, findings);
    }
    check_file(config, findings);
    let diagnosed = config.open_existing().and_then(|store| {
        check_store(config, &store, findings)?;
        trail::check_log(&config.database, &store, findings);
        // Last, because a store whose schema does not fit answers nothing more.
        if let Ok(policy) = config.policy.load() {
            verdicts::check(&policy, &store, findings);
        }
        events::check(config, &store, findings);
        Ok(())
    });
    let Err(error) = diagnosed else { return };
    let mend = if file.is_some() {
        "it must be a SQLite database that no other program locks; else name another in LIVENESS_DATABASE_URL"
    } else {
        mend
    };
    let mend = error.mend().unwrap_or(mend);
    match error.danger() {
        Some(name) => findings.danger(name, SUBJECT, error.problem(), mend),
        None => findings.problem(SUBJECT, error.problem(), mend),
    }
}

/// Checks the SQLite file, if there is one. This must come before it is opened, because what SQLite puts beside it has its
/// mode.
pub(crate) fn check_file(config: &ServeConfig, findings: &mut Findings) {
    let file = Store::file_of(config.database.url()).ok().flatten();
    if let Some(path) = file.filter(|path| path.exists()) {
        files::disk(&path, findings);
        files::database(&path, findings);
    }
}

/// Checks an open store. It writes something and undoes it.
///
/// # Errors
///
/// When the database cannot be asked.
pub(crate) fn check_store(config: &ServeConfig, store: &Store, findings: &mut Findings) -> Result<(), OpenError> {
    let diagnosis = store.diagnose()?;
    findings.ok(SUBJECT, format!("{} is reached", diagnosis.engine));
    if config.dev && !store.is_scratch()? {
        findings.danger(
            "real-records",
            SUBJECT,
            "`serve --dev` did not make it, and would print an administrator's token for its records",
            "name another in LIVENESS_DATABASE_URL, such as sqlite://dev.db, or leave out --dev",
        );
    }
    schema(&diagnosis, findings);
    reading(&diagnosis, findings);
    writing(&diagnosis, findings);
    rights(&diagnosis, findings);
    connections(&config.database, &diagnosis, findings);
    server_log(&diagnosis, findings);
    clock(&diagnosis, findings);
    Ok(())
}

fn not_there_yet(url: &str, path: &Path, findings: &mut Findings) {
    match Store::check_file(url) {
        Ok(()) => findings.hint(
            SUBJECT,
            format!("{} is not there yet", path.display()),
            "`serve` and `migrate` make it",
        ),
        Err(_) if path.parent().is_some_and(is_missing) => findings.problem(
            SUBJECT,
            format!("the folder of {} is not there", path.display()),
            "make it, or correct LIVENESS_DATABASE_URL",
        ),
        Err(error) => findings.problem(
            SUBJECT,
            format!("{} cannot be made: {}", path.display(), error.problem()),
            error.mend().unwrap_or("correct LIVENESS_DATABASE_URL"),
        ),
    }
}

fn is_missing(folder: &Path) -> bool {
    let found = fs::metadata(folder);
    folder != Path::new("") && found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn schema(diagnosis: &Diagnosis, findings: &mut Findings) {
    match (&*diagnosis.lacking_migrations, &*diagnosis.unknown_migrations) {
        (_, [version, ..]) => findings.danger(
            "newer-schema",
            "schema",
            format!("it is newer than this program, with migration {version}"),
            "install the version that made it, or a later one",
        ),
        ([], []) => findings.ok("schema", "up to date"),
        (lacking, []) => findings.hint(
            "schema",
            format!("not up to date: it lacks {}", lacking.join(", ")),
            "`serve` and `migrate` bring it up to date",
        ),
    }
}

fn reading(diagnosis: &Diagnosis, findings: &mut Findings) {
    match &diagnosis.read_refusal {
        Some(refusal) => findings.problem(
            "reading",
            format!("cannot read {refusal}"),
            "let the server's user read all liveness tables, and have them as the migrations made them",
        ),
        None if diagnosis.lacking_migrations.is_empty() => {
            findings.ok("reading", "every question of the messages was answered");
        }
        None => {}
    }
}

fn writing(diagnosis: &Diagnosis, findings: &mut Findings) {
    match &diagnosis.write_refusal {
        None => findings.ok("writing", "something was written, and taken back"),
        Some(refusal) => findings.problem(
            "writing",
            format!("cannot write: {refusal}"),
            "let the server's user write, and of several servers name the primary (target_session_attrs=read-write)",
        ),
    }
    for setting in diagnosis.durability.iter().filter(|setting| !setting.is_durable) {
        durability(setting, findings);
    }
    if diagnosis.durability.iter().all(|setting| setting.is_durable) {
        let settings = diagnosis.durability.iter().filter(|setting| !setting.value.is_empty());
        let settings: Vec<_> = settings
            .map(|setting| format!("{}={}", setting.name, setting.value))
            .collect();
        findings.ok("durability", settings.join(", "));
    }
    let standbys = diagnosis
        .durability
        .iter()
        .find(|setting| setting.name == "synchronous_standby_names");
    if standbys.is_some_and(|setting| setting.value.is_empty()) {
        findings.hint(
            "durability",
            "there is no synchronous standby: with the server's disk all is lost since the last backup",
            "docs/operations.md, Failover, says how to have one",
        );
    }
    if diagnosis.sees_standbys == Some(false) {
        findings.danger(
            "unseen-standbys",
            "durability",
            "the server's role does not see how far the standbys are: a wait for a standby that is cancelled twice is taken \
             for a success",
            "GRANT pg_read_all_stats to the role",
        );
    }
}

fn rights(diagnosis: &Diagnosis, findings: &mut Findings) {
    match &*diagnosis.excess_rights {
        [] => {}
        rights => findings.hint(
            "rights",
            format!(
                "the server's role may change or delete what was recorded ({})",
                rights.join("; ")
            ),
            "serve with a role of its own, and `--no-migrate`: docs/operations.md, Two roles",
        ),
    }
}

fn durability(setting: &Setting, findings: &mut Findings) {
    let Setting { name, value, .. } = setting;
    let loss = match value.as_str() {
        "local" | "remote_write" => "the server fails, though there are synchronous standbys",
        _ => "the power fails",
    };
    let found = format!("{name}={value}: what was acknowledged is lost when {loss}");
    let mend = format!("set {name} as the database's manual says for durable commits");
    findings.danger(name, "durability", found, &mend);
}

fn connections(config: &DatabaseConfig, diagnosis: &Diagnosis, findings: &mut Findings) {
    let wanted = i64::from(config.database_connections);
    if let Some(most) = diagnosis.max_connections {
        let found = format!("this node has up to {wanted} connections, and the server takes {most}");
        if wanted > most - RESERVED {
            findings.problem(
                "connections",
                found,
                "lower LIVENESS_DATABASE_CONNECTIONS, or raise max_connections",
            );
        } else {
            findings.ok("connections", found);
        }
    }
    if diagnosis.is_encrypted == Some(false) && !is_local(config.url()) {
        findings.warning(
            "connections",
            "the connection to the server is not encrypted",
            "add sslmode=verify-full and sslrootcert=FILE to LIVENESS_DATABASE_URL",
        );
    }
}

/// Whether metadata, addresses and session ids reach the log of the server, where nobody erases them.
fn server_log(diagnosis: &Diagnosis, findings: &mut Findings) {
    for logged in &diagnosis.logged_values {
        let LoggedValues {
            setting, when, mend, ..
        } = logged;
        if logged.is_every_value {
            let found = format!("{setting}: when {when}, metadata, addresses and session ids are in the server's log");
            findings.warning(SERVER_LOG, found, *mend);
        } else {
            let found = format!("{setting}: when {when}, the server's log may quote it");
            findings.hint(SERVER_LOG, found, *mend);
        }
    }
    if diagnosis.logged_values.is_empty() && diagnosis.max_connections.is_some() {
        findings.ok(SERVER_LOG, "no value of a statement reaches it");
    }
}

/// Whether the URL names this machine.
fn is_local(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let hosts = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = hosts.rsplit('@').next().unwrap_or_default();
    hosts.split(',').all(|host| {
        host.is_empty()
            || ["localhost", "127.", "[::1]", "%2F", "%2f"]
                .iter()
                .any(|local| host.starts_with(local))
    })
}

fn clock(diagnosis: &Diagnosis, findings: &mut Findings) {
    let now = SystemClock.now();
    let from_now = |at: Timestamp| at.unix_millis() - now.unix_millis();
    let mend = "keep the clocks of all nodes and of the database in step (NTP)";
    if let Some(difference) = diagnosis.clock.map(from_now) {
        let found = format!("{difference} ms between the database's clock and this machine's");
        if difference.abs() > 30 * SECOND {
            findings.problem("clock", found, mend);
        } else if difference.abs() > SECOND {
            findings.warning("clock", found, mend);
        } else {
            findings.ok("clock", found);
        }
    }
    if let Some(ahead) = diagnosis.newest_check.map(from_now).filter(|ahead| *ahead > 5 * SECOND) {
        findings.warning(
            "clock",
            format!("the newest record is {} s from the future", ahead / SECOND),
            mend,
        );
    } else if diagnosis.clock.is_none() {
        findings.ok("clock", format!("{now}, not before the newest record"));
    }
}
