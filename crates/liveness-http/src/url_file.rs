//! A file with the URL of a database, so that a password in it is not in the environment.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::text_file;

/// A URL that was read from a file. It has no `Debug`, because it may hold a password.
#[derive(Clone)]
pub struct UrlFile {
    path: PathBuf,
    url: String,
}

impl UrlFile {
    /// Where it was read.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The text of the file without white space around it, of which a URL has none.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Reads the file of that name.
impl FromStr for UrlFile {
    type Err = String;

    fn from_str(path: &str) -> Result<Self, String> {
        let text = text_file::read(Path::new(path)).map_err(|error| format!("cannot read it: {error}"))?;
        let text = String::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
        let url = text.trim().to_owned();
        if url.is_empty() {
            return Err("it is empty: it must hold a URL".to_owned());
        }
        let path = path.into();
        Ok(Self { path, url })
    }
}
