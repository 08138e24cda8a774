//! HSTS (RFC 6797): once a browser has used HTTPS here, it never uses plain HTTP here again.

/// The value of `Strict-Transport-Security`: a year, for this host only.
pub(super) const STRICT_TRANSPORT: &str = "max-age=31536000";
