//! The libraries of tokens, each of which is loaded and initialized once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use super::refusal::in_short;
use crate::faces::KeeperError;

/// They stay for as long as the process runs. Two keepers may use one, and PKCS#11 has it initialized once by a process.
static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// The library in a file.
pub(super) fn load(file: &Path) -> Result<Pkcs11, KeeperError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = loaded.get(file) {
        return Ok(module.clone());
    }
    let unusable = |problem: String, mend: &str| KeeperError::Unusable {
        problem,
        mend: mend.to_owned(),
    };
    let name = file.display();
    if !file.exists() {
        let mend = "install the token's library, or name the one that is there by module-path";
        return Err(unusable(format!("{name} is not there"), mend));
    }
    let module = Pkcs11::new(file).map_err(|error| {
        let problem = format!("{name} cannot be loaded: {}", in_short(&error));
        unusable(problem, "name the PKCS#11 library of the token by module-path")
    })?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => {
            let problem = format!("{name} does not start: {}", in_short(&error));
            // To unload it is as dangerous as with a good one.
            std::mem::forget(module);
            return Err(unusable(problem, "see its documentation; SoftHSM needs SOFTHSM2_CONF"));
        }
    }
    loaded.insert(file.to_owned(), module.clone());
    Ok(module)
}
