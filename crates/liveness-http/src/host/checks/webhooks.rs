//! Checks whether webhooks can be sent: there is a secret, nobody else can read it, and the receiver's name resolves to an address.

use super::files;
use super::findings::Findings;
use crate::config::ServeConfig;
use crate::environment::credential;
use crate::webhooks::CREDENTIAL;

const SETTING: &str = "LIVENESS_WEBHOOK_SECRET_FILE";
const SUBJECT: &str = "webhooks";

/// Checks who may read the secret, for `serve` too.
pub(crate) fn check_files(config: &ServeConfig, findings: &mut Findings) {
    match config.webhooks.secret_file() {
        Some(file) if credential(CREDENTIAL).as_ref() == Some(&file) => {
            findings.ok("files", format!("{SETTING}: systemd hands over {CREDENTIAL}"));
        }
        Some(file) => files::secret(SETTING, &file, findings),
        None if config.webhooks.webhook_secret.is_some() => findings.hint(
            SUBJECT,
            "LIVENESS_WEBHOOK_SECRET is in the environment, where it stays as long as the process runs",
            "put it into a file that only the server's user can read, and name that in LIVENESS_WEBHOOK_SECRET_FILE",
        ),
        None => {}
    }
}

/// Checks the settings, and asks for the receiver's address. It sends nothing.
pub(crate) fn check(config: &ServeConfig, findings: &mut Findings) {
    let configured = match config.webhooks.configured() {
        Ok(None) => return,
        Ok(Some(configured)) => configured,
        Err(error) => return findings.problem(SUBJECT, error.to_string(), "`serve` does not start like this"),
    };
    let receiver = configured.receiver();
    let origin = receiver.origin();
    if receiver.is_proxied() {
        return findings.ok(SUBJECT, format!("they are sent to {origin} through the proxy"));
    }
    match receiver.probe() {
        Ok(()) => findings.ok(
            SUBJECT,
            format!("they are sent to {origin}, which has an address that may be dialled"),
        ),
        Err(why) => findings.problem(
            SUBJECT,
            format!("LIVENESS_WEBHOOK_URL: {origin}: {why}"),
            "until this is mended, events wait, and are set aside after 75 hours",
        ),
    }
}
