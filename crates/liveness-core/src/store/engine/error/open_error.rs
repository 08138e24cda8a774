//! Why a database could not be opened.

use std::borrow::Cow;

use super::{BecauseOfFile, KEY_STORE, StoreError, one_line};
use crate::faces::PlaceError;

/// Why a database could not be opened: one line for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", mend.as_ref().map(|mend| format!("; {mend}")).unwrap_or_default())]
pub struct OpenError {
    message: String,
    is_of_key_store: bool,
    mend: Option<Cow<'static, str>>,
    danger: Option<&'static str>,
    is_out_of_reach: bool,
}

impl OpenError {
    pub(crate) fn new(message: String) -> Self {
        Self {
            message,
            is_of_key_store: false,
            mend: None,
            danger: None,
            is_out_of_reach: false,
        }
    }

    /// The same with what would mend it.
    pub(crate) fn mended_by(self, mend: impl Into<Cow<'static, str>>) -> Self {
        Self {
            mend: Some(mend.into()),
            ..self
        }
    }

    /// The same as a danger that can be accepted by this name.
    pub(crate) fn named(self, danger: &'static str) -> Self {
        Self {
            danger: Some(danger),
            ..self
        }
    }

    pub(crate) fn out_of_reach(cause: &dyn std::fmt::Display) -> Self {
        Self {
            message: format!("cannot reach the database: {}", one_line(&cause.to_string())),
            is_of_key_store: false,
            mend: None,
            danger: None,
            is_out_of_reach: true,
        }
    }

    /// Why a place of faces cannot be used.
    pub(crate) fn of_place(error: &PlaceError) -> Self {
        Self {
            is_out_of_reach: matches!(error, PlaceError::Unreachable(_)),
            ..Self::new(error.to_string())
        }
    }

    /// The same, of the key store of the faces.
    pub(crate) fn of_key_store(self) -> Self {
        if self.is_of_key_store {
            return self;
        }
        Self {
            message: format!("{KEY_STORE}: {}", self.message),
            is_of_key_store: true,
            ..self
        }
    }

    /// Why something could not be done to the database.
    pub(crate) fn of(verb: &str, error: &StoreError) -> Self {
        match error {
            // A file does not become usable by waiting.
            StoreError::Unavailable(cause) if !cause.is::<BecauseOfFile>() => Self::out_of_reach(cause),
            other => Self::new(format!("cannot {verb} the database: {}", one_line(&other.cause()))),
        }
    }

    /// Whether it is about the key store of the faces, and not about the database of the records.
    pub fn is_of_key_store(&self) -> bool {
        self.is_of_key_store
    }

    /// What is wrong.
    pub fn problem(&self) -> &str {
        &self.message
    }

    /// What would mend it, where that is known.
    pub fn mend(&self) -> Option<&str> {
        self.mend.as_deref()
    }

    /// The name of the danger to records that it is, by which it can be accepted; none if it is none.
    pub fn danger(&self) -> Option<&'static str> {
        self.danger
    }

    /// Whether it may succeed later: the database's server does not answer.
    pub fn is_out_of_reach(&self) -> bool {
        self.is_out_of_reach
    }
}
