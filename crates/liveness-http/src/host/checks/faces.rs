//! Checks that faces are sealed, that their keys can be used, and that nobody else can read them.

use std::path::Path;

#[cfg(feature = "pkcs11")]
use liveness_core::faces::pkcs11::{Pkcs11Keeper, Pkcs11Uri};
use liveness_core::faces::{FileKeeper, KeeperError, KeyKeeper as _};
use liveness_core::store::Store;

use super::files;
use super::findings::Findings;
use crate::config::ServeConfig;
use crate::face_keys::{FaceKeeper, FaceKeysError};
use crate::face_place::is_public;

const SUBJECT: &str = "faces";
const REFUSED: &str = "`serve` does not start like this";

/// Checks everything, for `doctor`. It makes neither a key nor a key store.
pub(crate) fn check(config: &ServeConfig, findings: &mut Findings) {
    if config.faces.face_keys.is_none() && config.faces.place.takes_new() {
        return findings.problem(
            SUBJECT,
            FaceKeysError::PlaceInClear.to_string(),
            "`serve` does not start like this",
        );
    }
    let Some(keeper) = &config.faces.face_keys else {
        return findings.warning(
            SUBJECT,
            "they are recorded in clear: whoever reads the database, or a backup of it, sees them, and none can be erased",
            "set LIVENESS_FACE_KEYS=file:DIR, then run `liveness-http faces seal`",
        );
    };
    let url = match config.faces.url(config.database.url()) {
        Ok(url) => url,
        Err(error) => return findings.problem(SUBJECT, error.to_string(), REFUSED),
    };
    let is_usable = match keeper {
        FaceKeeper::Folder(folder) => is_usable_folder(folder, findings),
        #[cfg(feature = "pkcs11")]
        FaceKeeper::Token(uri) => is_usable_token(uri, findings),
    };
    if !is_usable {
        return;
    }
    if let Ok(Some(file)) = Store::file_of(&url) {
        if !file.exists() && are_sealed(config) {
            return findings.problem(
                SUBJECT,
                format!(
                    "LIVENESS_KEYS_URL: {} is not there, and faces are sealed",
                    file.display()
                ),
                "put its backup back, or name the key store of these faces",
            );
        }
        if !file.exists() {
            return findings.hint(
                SUBJECT,
                format!("LIVENESS_KEYS_URL: {} is not there yet", file.display()),
                "`serve` makes it; if there was one, put its backup back",
            );
        }
        files::database(&file, findings);
    }
    opening(config, findings);
}

/// Whether there are faces that need the key store. What is wrong with the database itself is told elsewhere.
fn are_sealed(config: &ServeConfig) -> bool {
    let asked = config.open_existing().and_then(|store| store.has_sealed_faces());
    asked.unwrap_or(false)
}

/// Whether the folder of the key-encryption keys is there, and can be used.
fn is_usable_folder(folder: &Path, findings: &mut Findings) -> bool {
    if !folder.exists() {
        findings.hint(
            SUBJECT,
            format!("LIVENESS_FACE_KEYS: {} is not there yet", folder.display()),
            "`serve` makes it, with a first key; if there was one, put its backup back",
        );
        return false;
    }
    is_healthy(FileKeeper::at(folder).health(), findings)
}

/// Whether the token of the key-encryption keys is there, and has some that can be used.
#[cfg(feature = "pkcs11")]
fn is_usable_token(uri: &Pkcs11Uri, findings: &mut Findings) -> bool {
    let keeper = Pkcs11Keeper::at(uri.clone());
    if let Ok(true) = keeper.is_empty() {
        findings.hint(
            SUBJECT,
            format!("LIVENESS_FACE_KEYS: {uri} has no key yet"),
            "`serve` makes the first one; if there was one, put its backup back",
        );
        return false;
    }
    is_healthy(keeper.health(), findings)
}

fn is_healthy(health: Result<(), KeeperError>, findings: &mut Findings) -> bool {
    if let Err(error) = &health {
        findings.problem(SUBJECT, format!("LIVENESS_FACE_KEYS: {error}"), REFUSED);
    }
    health.is_ok()
}

/// Whether the faces that are there can be opened.
fn opening(config: &ServeConfig, findings: &mut Findings) {
    let url = config.database.url();
    // What is wrong with the database itself is told elsewhere.
    let Ok(store) = config.open_existing() else { return };
    let store = match config.faces.seal(store, url) {
        Ok(store) => store,
        Err(error) => return findings.problem(SUBJECT, error.to_string(), REFUSED),
    };
    let Err(error) = store.check_faces() else {
        findings.ok(SUBJECT, "each is sealed with a key of its own, and the keys open");
        return place(config, &store, findings);
    };
    let setting = if error.is_of_key_store() {
        "LIVENESS_KEYS_URL: "
    } else {
        ""
    };
    let problem = format!("{setting}{}", error.problem());
    let mend = error.mend().unwrap_or(REFUSED);
    match error.danger() {
        Some(name) => findings.danger(name, SUBJECT, problem, mend),
        None => findings.problem(SUBJECT, problem, mend),
    }
}

/// Whether faces can be put where the setting says, and whether anybody else can get them there.
fn place(config: &ServeConfig, store: &Store, findings: &mut Findings) {
    if let Err(error) = store.check_face_place() {
        let mend = error
            .mend()
            .unwrap_or("no face can be recorded or looked at like this")
            .to_owned();
        return findings.problem(SUBJECT, format!("LIVENESS_FACES_URL: {}", error.problem()), mend);
    }
    let Some(place) = config.faces.place.objects() else {
        return;
    };
    match is_public(place) {
        Ok(Some(true)) => findings.warning(
            SUBJECT,
            format!("LIVENESS_FACES_URL: anybody may get the objects of {place}; they are sealed, but nobody else needs them"),
            "take the public access to the bucket away",
        ),
        Ok(_) => findings.ok(SUBJECT, format!("{place}: objects can be put, got and deleted")),
        Err(error) => findings.warning(SUBJECT, format!("LIVENESS_FACES_URL: {error}"), "run `doctor` again"),
    }
}
