//! HSTS: a browser that was here over HTTPS never comes back without it (RFC 6797).

/// The value of `Strict-Transport-Security`: a year, for this host only.
pub(super) const STRICT_TRANSPORT: &str = "max-age=31536000";
