//! A token, and the session that is open with it.
//!
//! There is one session, and one call at a time. A session that died is opened again, once for each call. A PIN that was
//! refused is not tried again until its file has another: tokens lock themselves after a few wrong ones.

use std::fmt;
use std::fs;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::gate;
use super::module;
use super::refusal::{Refusal, in_short, is_of_pin};
use super::uri::Pkcs11Uri;
use crate::faces::KeeperError;
use crate::faces::own_file::{check_secret, unusable};

/// A token that is asked through one session.
pub(super) struct Token {
    uri: Pkcs11Uri,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    /// The PIN that the token has refused, and how.
    refused: Option<(Zeroizing<String>, KeeperError)>,
}

/// A session with a user who is logged in. It is not closed when it is dropped, because that may be on a thread that goes on
/// while the process ends.
pub(super) struct Open {
    pub(super) module: Pkcs11,
    pub(super) slot: Slot,
    pub(super) session: Session,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.uri).finish()
    }
}

impl Token {
    pub(super) fn new(uri: Pkcs11Uri) -> Self {
        Self {
            uri,
            state: Mutex::default(),
        }
    }

    pub(super) fn uri(&self) -> &Pkcs11Uri {
        &self.uri
    }

    /// Does work in the session. If the session has died, the work is done once more in a new one.
    pub(super) fn ask<T>(&self, work: impl Fn(&Open) -> Result<T, Refusal>) -> Result<T, KeeperError> {
        // Whoever panics leaves no session behind.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let _inside = gate::enter()?;
        if let Some(open) = state.open.take() {
            match work(&open) {
                Err(refusal) if refusal.is_of_session() => drop(open.session.close()),
                done => {
                    state.open = Some(open);
                    return done.map_err(|refusal| self.unusable(refusal));
                }
            }
        }
        let open = self.open(&mut state)?;
        let done = work(&open);
        match &done {
            Err(refusal) if refusal.is_of_session() => drop(open.session.close()),
            _ => state.open = Some(open),
        }
        done.map_err(|refusal| self.unusable(refusal))
    }

    /// Finds the token, opens a session and logs in.
    fn open(&self, state: &mut State) -> Result<Open, KeeperError> {
        let pin = self.pin()?;
        if let Some((refused, error)) = &state.refused
            && *refused == pin
        {
            return Err(error.clone());
        }
        let module = module::load(self.uri.module())?;
        let slot = self.slot(&module)?;
        let session = module.open_rw_session_no_drop(slot);
        let session = session.map_err(|error| self.unusable(error.into()))?;
        let secret = AuthPin::new(pin.as_str().into());
        match session.login(UserType::User, Some(&secret)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => {
                drop(session.close());
                let told = self.not_logged_in(&error);
                if is_of_pin(&error) {
                    state.refused = Some((pin, told.clone()));
                }
                return Err(told);
            }
        }
        state.refused = None;
        Ok(Open { module, slot, session })
    }

    /// The PIN, which is the file without the end of its line.
    fn pin(&self) -> Result<Zeroizing<String>, KeeperError> {
        let file = self.uri.pin_file();
        check_secret(file)?;
        let text = fs::read_to_string(file).map_err(|error| unusable("read", file, &error))?;
        let text = Zeroizing::new(text);
        let pin = text.trim_end_matches(['\r', '\n']);
        if pin.is_empty() {
            return Err(KeeperError::Unusable {
                problem: format!("{} has no PIN", file.display()),
                mend: "write the PIN of the token's user into it".to_owned(),
            });
        }
        Ok(Zeroizing::new(pin.to_owned()))
    }

    /// The slot of the one token that the URI means.
    fn slot(&self, module: &Pkcs11) -> Result<Slot, KeeperError> {
        let refused = |error: Error| self.unusable(error.into());
        let (mut found, mut others) = (Vec::new(), Vec::new());
        for slot in module.get_slots_with_token().map_err(refused)? {
            let Ok(token) = module.get_token_info(slot) else {
                continue;
            };
            if !token.token_initialized() {
                continue;
            }
            let said = [
                ("token", token.label()),
                ("manufacturer", token.manufacturer_id()),
                ("serial", token.serial_number()),
                ("model", token.model()),
            ];
            if said.iter().all(|(name, value)| self.uri.admits(name, value.trim_end())) {
                found.push(slot);
            } else {
                others.push(format!("{:?}", token.label().trim_end()));
            }
        }
        match (found.as_slice(), others.as_slice()) {
            ([slot], _) => Ok(*slot),
            ([], []) => Err(self
                .uri
                .unusable("is not there, nor is any other", "put it in, or initialize it")),
            ([], _) => {
                let mend = format!("the tokens that are there are {}", others.join(", "));
                Err(self.uri.unusable("is not there", &mend))
            }
            _ => Err(self.uri.unusable("is there several times", "name it by its serial")),
        }
    }

    fn not_logged_in(&self, error: &Error) -> KeeperError {
        let file = self.uri.pin_file().display();
        let mend = match error {
            Error::Pkcs11(RvError::PinLocked, _) => "it is locked: its officer can set a new PIN".to_owned(),
            Error::Pkcs11(RvError::UserPinNotInitialized, _) => "its officer has to set a PIN for its user".to_owned(),
            _ if is_of_pin(error) => {
                format!("write the PIN of its user into {file}; the one that is there is not tried again")
            }
            _ => "see that it is connected, and what its own log says".to_owned(),
        };
        KeeperError::Unusable {
            problem: format!("{}: {}", self.uri, in_short(error)),
            mend,
        }
    }

    fn unusable(&self, refusal: Refusal) -> KeeperError {
        match refusal {
            Refusal::Keeper(error) => error,
            Refusal::Token(error) => KeeperError::Unusable {
                problem: format!("{}: {}", self.uri, in_short(&error)),
                mend: "see that it is connected, and what its own log says".to_owned(),
            },
        }
    }
}
