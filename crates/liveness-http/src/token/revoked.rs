//! The list of revoked tokens, which are refused although they have not expired: `docs/operations.md#tokens`.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::metrics::gauge::Gauge;
use serde_json::{Map, Value};

use super::claims::claim_text;
use crate::file_watcher::FileWatcher;
use crate::text_file;

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
    /// It has become empty. A program that writes it anew may not have come to its first line yet.
    #[error("{0}: has become empty; if nothing is revoked any more, write a comment into it: # none")]
    Empty(String),
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

    /// Reads the file again within 5 s of each change. A file that cannot be used, or has become empty, is logged and tried
    /// again every 5 s. Meanwhile the old list is kept. This never returns.
    pub async fn follow_file(self) {
        let Self { path, watcher, claims } = self;
        let reload = move || {
            let read = RevokedClaims::read_again(&path);
            let read = read.map_err(|error| format!("revoked tokens: those from before are kept: {error}"))?;
            log::info!(
                "revoked tokens: {} and all of {} subjects",
                read.jti.len(),
                read.sub.len()
            );
            *claims.write().unwrap_or_else(PoisonError::into_inner) = read;
            Ok(())
        };
        watcher.run(reload).await;
    }

    /// 1 while the file has changed and cannot be used.
    pub(crate) fn is_stale(&self) -> &Gauge {
        self.watcher.is_stale()
    }

    pub(super) fn contains(&self, claims: &Map<String, Value>, subject: &str) -> bool {
        let revoked = self.claims.read().unwrap_or_else(PoisonError::into_inner);
        let jti = claim_text(claims.get("jti"));
        jti.is_some_and(|jti| revoked.jti.contains(&jti)) || revoked.sub.contains(subject)
    }
}

impl RevokedClaims {
    fn read(path: &Path) -> Result<Self, RevokedTokensError> {
        Self::parse(path, &text(path)?)
    }

    /// Reads a file that was read before, and may be about to be written.
    fn read_again(path: &Path) -> Result<Self, RevokedTokensError> {
        let text = text(path)?;
        if text.trim().is_empty() {
            return Err(RevokedTokensError::Empty(path.display().to_string()));
        }
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, RevokedTokensError> {
        let mut revoked = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (values, value) = match line.split_once(' ') {
                Some(("jti", value)) => (&mut revoked.jti, value),
                Some(("sub", value)) => (&mut revoked.sub, value),
                _ => return Err(RevokedTokensError::Line(path.display().to_string(), number + 1)),
            };
            values.insert(value.trim_start().to_owned());
        }
        Ok(revoked)
    }
}

fn text(path: &Path) -> Result<String, RevokedTokensError> {
    let read = text_file::read(path).and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    read.map_err(|error| RevokedTokensError::Unread(path.display().to_string(), error))
}
