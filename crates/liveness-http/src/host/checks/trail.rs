//! Checks the key of the audit trail: that it is there, who may read it, and that the log in the database goes on with it.

use liveness_core::store::Store;

use super::files;
use super::findings::Findings;
use crate::config::DatabaseConfig;
use crate::trail_key::{self, CREDENTIAL};

const SETTING: &str = "LIVENESS_TRAIL_KEY_FILE";
const SUBJECT: &str = "trail";
const MEND: &str = "`serve` does not start like this";

/// Checks who may read and write the file. Whoever has the key can forge the trail.
pub(crate) fn check_file(config: &DatabaseConfig, findings: &mut Findings) {
    // That there is none is told by who needs it.
    let Ok(file) = trail_key::key_file(config) else { return };
    if trail_key::handed_over().as_ref() == Some(&file) {
        findings.ok("files", format!("{SETTING}: systemd hands over {CREDENTIAL}"));
    } else {
        files::secret(SETTING, &file, findings);
    }
}

/// Checks that there is a key.
pub(crate) fn check_key(config: &DatabaseConfig, findings: &mut Findings) {
    match trail_key::existing_key(config) {
        Ok(key) => findings.ok(SUBJECT, format!("its public key is {}", key.vkey())),
        Err(error) if error.is_not_there() && trail_key::named_file(config).is_none() => findings.hint(
            SUBJECT,
            "there is no key beside the database yet",
            "`serve` makes it: then keep a copy of it, apart from the database",
        ),
        Err(error) => findings.problem(SUBJECT, error.to_string(), MEND),
    }
}

/// Checks that the log goes on with the key.
pub(crate) fn check_log(config: &DatabaseConfig, store: &Store, findings: &mut Findings) {
    match trail_key::check_log(store, config) {
        Ok(()) => findings.ok(SUBJECT, "the log in the database is not that of another key"),
        // The key itself is told of already.
        Err(error) if !error.is_of_the_log() => {}
        Err(error) => findings.problem(SUBJECT, error.to_string(), MEND),
    }
}
