//! Which token, and how to get into it: a URI of RFC 7512.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::faces::KeeperError;

/// What the keys are named on the token, where the URI does not say it.
const DEFAULT_OBJECT: &str = "liveness";
/// The attributes of the path that are understood, and of the query.
const PATH: [&str; 6] = ["token", "manufacturer", "serial", "model", "object", "type"];
const QUERY: [&str; 2] = ["module-path", "pin-source"];

/// A URI of a token and of the key-encryption keys on it: RFC 7512. It holds no PIN.
///
/// ```
/// use liveness_core::faces::pkcs11::Pkcs11Uri;
///
/// let uri = "pkcs11:token=liveness;object=face-keys\
///            ?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/liveness/pin";
/// assert!(Pkcs11Uri::parse(uri).is_ok());
/// // A PIN in an environment is seen by many.
/// assert!(Pkcs11Uri::parse("pkcs11:token=liveness?module-path=/m.so&pin-value=1234").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Uri {
    /// What the token must say of itself: `token`, `manufacturer`, `serial`, `model`.
    token: BTreeMap<&'static str, String>,
    object: String,
    module: PathBuf,
    pin_file: PathBuf,
}

/// Why a text is no URI of a token. No message has a value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs11UriError {
    /// It does not begin with `pkcs11:`, or a part of it has no `=`.
    #[error("must be pkcs11:token=NAME?module-path=LIBRARY&pin-source=file:FILE (RFC 7512)")]
    Form,
    /// An attribute that is not understood here.
    #[error("{0:?} is not understood in a URI of a token; {1}")]
    Unknown(String, String),
    /// An attribute that stands there twice.
    #[error("{0} stands in it twice")]
    Twice(&'static str),
    /// A value with a broken escape, or that is not UTF-8.
    #[error("{0} has a % without two hex digits, or is not UTF-8")]
    Escape(&'static str),
    /// A value that cannot be used.
    #[error("{0} {1}")]
    Value(&'static str, &'static str),
    /// An attribute that is missing.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// The PIN is in it.
    #[error("a PIN does not belong into a setting: write it into a file, and name the file by pin-source=file:FILE")]
    PinValue,
}

impl Pkcs11Uri {
    /// Reads a URI.
    ///
    /// # Errors
    ///
    /// [`Pkcs11UriError`], which says what would be right.
    pub fn parse(uri: &str) -> Result<Self, Pkcs11UriError> {
        let rest = uri.strip_prefix("pkcs11:").ok_or(Pkcs11UriError::Form)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut path = attributes(path, ';', &PATH)?;
        let mut query = attributes(query, '&', &QUERY)?;
        if path.remove("type").is_some_and(|kind| kind != "secret-key") {
            return Err(Pkcs11UriError::Value("type", "must be secret-key"));
        }
        let object = path.remove("object").unwrap_or_else(|| DEFAULT_OBJECT.to_owned());
        if !path.contains_key("token") && !path.contains_key("serial") {
            return Err(Pkcs11UriError::Missing("token"));
        }
        let mut take = |name| query.remove(name).ok_or(Pkcs11UriError::Missing(name));
        let module = PathBuf::from(take("module-path")?);
        if !module.is_absolute() {
            return Err(Pkcs11UriError::Value(
                "module-path",
                "must be the whole path of a library, such as /usr/lib/softhsm/libsofthsm2.so",
            ));
        }
        let pin_file = pin_file(&take("pin-source")?)?;
        Ok(Self {
            token: path,
            object,
            module,
            pin_file,
        })
    }

    /// The label of all keys.
    pub(super) fn object(&self) -> &str {
        &self.object
    }

    /// The library of the token.
    pub(super) fn module(&self) -> &Path {
        &self.module
    }

    /// The file that has the PIN.
    pub(super) fn pin_file(&self) -> &Path {
        &self.pin_file
    }

    /// Says what is wrong with the token, and what would mend it.
    pub(super) fn unusable(&self, problem: &str, mend: &str) -> KeeperError {
        KeeperError::Unusable {
            problem: format!("{self} {problem}"),
            mend: mend.to_owned(),
        }
    }

    /// Whether what a token says of itself by `attribute` is what is asked for.
    pub(super) fn admits(&self, attribute: &str, said: &str) -> bool {
        self.token.get(attribute).is_none_or(|wanted| wanted == said)
    }
}

/// The token, as it is named in messages.
impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.token.get("token").map(|token| (token, "the token"));
        let (name, kind) = named
            .or_else(|| {
                self.token
                    .get("serial")
                    .map(|serial| (serial, "the token with the serial"))
            })
            .unwrap_or((&self.object, "the token of"));
        write!(f, "{kind} {name:?}")
    }
}

/// The attributes of a part of the URI, decoded.
fn attributes(
    part: &str,
    separator: char,
    known: &[&'static str],
) -> Result<BTreeMap<&'static str, String>, Pkcs11UriError> {
    let mut found = BTreeMap::new();
    for attribute in part.split(separator).filter(|attribute| !attribute.is_empty()) {
        let (name, value) = attribute.split_once('=').ok_or(Pkcs11UriError::Form)?;
        if name == "pin-value" {
            return Err(Pkcs11UriError::PinValue);
        }
        let Some(known) = known.iter().find(|known| **known == name) else {
            let understood = format!(
                "before the ? it may have {}; behind it {}",
                PATH.join(", "),
                QUERY.join(", ")
            );
            return Err(Pkcs11UriError::Unknown(name.to_owned(), understood));
        };
        let value = decoded(value).ok_or(Pkcs11UriError::Escape(known))?;
        if value.is_empty() {
            return Err(Pkcs11UriError::Value(known, "is empty"));
        }
        if found.insert(*known, value).is_some() {
            return Err(Pkcs11UriError::Twice(known));
        }
    }
    Ok(found)
}

/// The library of percent-encoding leaves a broken escape as it is.
fn decoded(value: &str) -> Option<String> {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
    if !value.split('%').skip(1).all(is_escape) {
        return None;
    }
    percent_decode_str(value).decode_utf8().ok().map(Into::into)
}

/// The file that is named by `pin-source`: a path, or a URI of a file on this machine.
fn pin_file(source: &str) -> Result<PathBuf, Pkcs11UriError> {
    let refused = |why| Err(Pkcs11UriError::Value("pin-source", why));
    if source.starts_with('|') {
        return refused("must be file:FILE: no command is run to ask for a PIN");
    }
    let path = source.strip_prefix("file:").unwrap_or(source);
    let path = path
        .strip_prefix("//localhost")
        .or_else(|| path.strip_prefix("//"))
        .unwrap_or(path);
    if path.starts_with('/') {
        return Ok(PathBuf::from(path));
    }
    refused("must be file: and the whole path of a file, such as file:/etc/liveness/pin")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: &str = "?module-path=/m.so&pin-source=file:/pin";

    #[test]
    fn what_it_says_is_decoded() {
        let uri = "pkcs11:token=My%20token%3b;serial=00ff;object=face%2Dkeys;type=secret-key\
                   ?pin-source=file:///etc/a%20pin&module-path=/usr/lib/m%2Bn.so";
        let uri = Pkcs11Uri::parse(uri).unwrap();
        assert!(uri.admits("token", "My token;") && !uri.admits("token", "My%20token%3b"));
        assert!(uri.admits("serial", "00ff") && !uri.admits("serial", "00FF"));
        assert!(uri.admits("model", "any"));
        assert_eq!(
            (uri.object(), uri.module()),
            ("face-keys", Path::new("/usr/lib/m+n.so"))
        );
        assert_eq!(uri.pin_file(), Path::new("/etc/a pin"));
        let short = Pkcs11Uri::parse("pkcs11:token=t?module-path=/m.so&pin-source=/pin").unwrap();
        assert_eq!((short.object(), short.pin_file()), ("liveness", Path::new("/pin")));
        assert_eq!(short.to_string(), "the token \"t\"");
    }

    #[test]
    fn what_is_no_uri_of_a_token_is_told_without_its_values() {
        let cases = [
            ("token=t", "must be pkcs11:token=NAME"),
            ("pkcs11:token", "must be pkcs11:token=NAME"),
            ("pkcs11:", "it has no token"),
            ("pkcs11:object=secret", "it has no token"),
            ("pkcs11:token=secret", "it has no module-path"),
            ("pkcs11:token=secret?module-path=/m.so", "it has no pin-source"),
            ("pkcs11:token=secret;token=secret", "token stands in it twice"),
            ("pkcs11:token=", "token is empty"),
            ("pkcs11:token=secret%2", "token has a % without"),
            ("pkcs11:token=secret%zz", "token has a % without"),
            ("pkcs11:token=secret%ff", "token has a % without"),
            ("pkcs11:token=secret;id=%01", "\"id\" is not understood"),
            ("pkcs11:token=secret;Token=x", "\"Token\" is not understood"),
            (
                "pkcs11:token=secret;module-path=/m.so",
                "\"module-path\" is not understood",
            ),
            ("pkcs11:token=secret?pin-value=secret", "a PIN does not belong"),
            ("pkcs11:token=secret;pin-value=secret", "a PIN does not belong"),
            (
                "pkcs11:token=secret?module-name=secret",
                "\"module-name\" is not understood",
            ),
            ("pkcs11:token=secret;type=cert", "type must be secret-key"),
            (
                "pkcs11:token=secret?module-path=m.so",
                "module-path must be the whole path",
            ),
            (
                "pkcs11:token=secret?module-path=/m.so&pin-source=%7csecret",
                "no command is run",
            ),
            (
                "pkcs11:token=secret?module-path=/m.so&pin-source=secret",
                "pin-source must be file:",
            ),
            (
                "pkcs11:token=secret?module-path=/m.so&pin-source=https://secret",
                "pin-source must be file:",
            ),
            (
                "pkcs11:token=secret?module-path=/m.so&pin-source=file://secret/x",
                "pin-source must be file:",
            ),
        ];
        for (uri, expected) in cases {
            let told = Pkcs11Uri::parse(uri).unwrap_err().to_string();
            assert!(told.contains(expected) && !told.contains("secret/"), "{uri}: {told}");
            assert!(!told.replace("secret-key", "").contains("secret"), "{uri}: {told}");
        }
        assert!(Pkcs11Uri::parse(&format!("pkcs11:serial=1{ENDS}")).is_ok());
    }
}
