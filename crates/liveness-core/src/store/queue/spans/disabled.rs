//! The feature `opentelemetry` is off: these types hold nothing and do nothing.

use crate::store::engine::error::StoreError;

/// No span.
#[derive(Debug)]
pub(crate) struct Span;

impl Span {
    #[inline]
    pub(crate) fn begin(_: &'static str) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn origin(&self) -> Origin {
        Origin
    }

    #[inline]
    pub(crate) fn end<T>(self, _: &Result<T, StoreError>) {}
}

/// No span of a caller.
#[derive(Debug, Clone)]
pub(crate) struct Origin;

impl Origin {
    #[inline]
    pub(crate) fn current() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn begin(&self, _: &'static str, _: &'static str) -> Span {
        Span
    }

    #[inline]
    pub(crate) fn carry<T>(self, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// No spans of a batch.
#[derive(Debug)]
pub(crate) struct BatchSpans;

impl BatchSpans {
    #[inline]
    pub(crate) fn begin<'a>(_: &'static str, _: &'static str, _: impl Iterator<Item = &'a Origin> + Clone) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn end<'a>(self, _: impl Iterator<Item = Option<&'a StoreError>>) {}
}
