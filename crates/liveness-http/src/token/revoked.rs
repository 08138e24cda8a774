//! Tokens that are good no longer although they have not expired: `docs/operations.md#tokens`.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};

use crate::file_watcher::FileWatcher;

/// Why the list of revoked tokens cannot be used; one line for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokedTokensError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    Unread(String, #[source] io::Error),
    /// A line names no token.
    #[error("{0}: line {1}: must be `jti` or `sub`, a space, and the claim's value")]
    Line(String, usize),
}

/// The tokens that a file names, by their `jti` or by whose they are. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct RevokedTokens {
    path: PathBuf,
    watcher: FileWatcher,
    named: Arc<RwLock<Named>>,
}

#[derive(Debug, Default)]
struct Named {
    jti: HashSet<String>,
    sub: HashSet<String>,
}

impl RevokedTokens {
    /// Reads the file: `jti VALUE` or `sub VALUE` a line, beside empty ones and those that begin with `#`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or has another line.
    pub fn open(path: &Path) -> Result<Self, RevokedTokensError> {
        let watcher = FileWatcher::new(&[path.to_owned()]);
        Ok(Self {
            path: path.to_owned(),
            watcher,
            named: Arc::new(RwLock::new(Named::read(path)?)),
        })
    }

    /// Reads the file again whenever it changes, within 5 s, for ever. One that is no good is told of in the log, and
    /// changes nothing.
    pub async fn follow_file(self) {
        let Self { path, watcher, named } = self;
        let reload = move || match Named::read(&path) {
            Ok(read) => {
                log::info!(
                    "revoked tokens: {} and all of {} subjects",
                    read.jti.len(),
                    read.sub.len()
                );
                *named.write().unwrap_or_else(PoisonError::into_inner) = read;
            }
            Err(error) => log::warn!("revoked tokens: those from before are kept: {error}"),
        };
        watcher.run(reload).await;
    }

    pub(super) fn names(&self, claims: &Map<String, Value>, subject: &str) -> bool {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let jti = claims.get("jti").and_then(Value::as_str);
        jti.is_some_and(|jti| named.jti.contains(jti)) || named.sub.contains(subject)
    }
}

impl Named {
    fn read(path: &Path) -> Result<Self, RevokedTokensError> {
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| RevokedTokensError::Unread(shown(), error))?;
        let mut named = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let claims = match line.split_once(' ') {
                Some(("jti", value)) => (&mut named.jti, value),
                Some(("sub", value)) => (&mut named.sub, value),
                _ => return Err(RevokedTokensError::Line(shown(), number + 1)),
            };
            claims.0.insert(claims.1.trim_start().to_owned());
        }
        Ok(named)
    }
}
