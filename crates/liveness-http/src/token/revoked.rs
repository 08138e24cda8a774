//! The list of revoked tokens, which are refused although they have not expired: `docs/operations.md#tokens`.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};

use super::claims::claim_text;
use crate::file_watcher::FileWatcher;

/// Why the list of revoked tokens cannot be used, as one line for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokedTokensError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    Unread(String, #[source] io::Error),
    /// A line does not name a token.
    #[error("{0}: line {1}: must be `jti` or `sub`, a space, and the claim's value")]
    Line(String, usize),
}

/// The revoked tokens of a file, by `jti` or by `sub`. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct RevokedTokens {
    path: PathBuf,
    watcher: FileWatcher,
    claims: Arc<RwLock<RevokedClaims>>,
}

#[derive(Debug, Default)]
struct RevokedClaims {
    jti: HashSet<String>,
    sub: HashSet<String>,
}

impl RevokedTokens {
    /// Reads the file. A line is `jti VALUE` or `sub VALUE`. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or has any other line.
    pub fn open(path: &Path) -> Result<Self, RevokedTokensError> {
        let watcher = FileWatcher::new(&[path.to_owned()]);
        Ok(Self {
            path: path.to_owned(),
            watcher,
            claims: Arc::new(RwLock::new(RevokedClaims::read(path)?)),
        })
    }

    /// Reads the file again within 5 s of each change. A file that cannot be used is logged, and the old list is kept. This
    /// never returns.
    pub async fn follow_file(self) {
        let Self { path, watcher, claims } = self;
        let reload = move || match RevokedClaims::read(&path) {
            Ok(read) => {
                log::info!(
                    "revoked tokens: {} and all of {} subjects",
                    read.jti.len(),
                    read.sub.len()
                );
                *claims.write().unwrap_or_else(PoisonError::into_inner) = read;
            }
            Err(error) => log::warn!("revoked tokens: those from before are kept: {error}"),
        };
        watcher.run(reload).await;
    }

    pub(super) fn contains(&self, claims: &Map<String, Value>, subject: &str) -> bool {
        let revoked = self.claims.read().unwrap_or_else(PoisonError::into_inner);
        let jti = claim_text(claims.get("jti"));
        jti.is_some_and(|jti| revoked.jti.contains(&jti)) || revoked.sub.contains(subject)
    }
}

impl RevokedClaims {
    fn read(path: &Path) -> Result<Self, RevokedTokensError> {
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| RevokedTokensError::Unread(shown(), error))?;
        let mut revoked = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (values, value) = match line.split_once(' ') {
                Some(("jti", value)) => (&mut revoked.jti, value),
                Some(("sub", value)) => (&mut revoked.sub, value),
                _ => return Err(RevokedTokensError::Line(shown(), number + 1)),
            };
            values.insert(value.trim_start().to_owned());
        }
        Ok(revoked)
    }
}
