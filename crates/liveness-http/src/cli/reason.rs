//! Why something is done that needs a reason, for the audit trail.

use liveness_core::Reason;

/// Reads a reason: 1 to 1,000 characters, after trimming.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let reason = Reason::parse(text);
    let reason = reason.map_err(|_| "must be 1 to 1,000 characters without control characters".to_owned())?;
    Ok(reason.as_str().to_owned())
}
