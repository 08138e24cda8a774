//! Why something is done that needs a reason, for the audit trail.

/// Reads a reason: 1 to 1,000 characters, after trimming.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let length = text.trim().chars().count();
    if (1..=1000).contains(&length) && !text.contains(char::is_control) {
        Ok(text.trim().to_owned())
    } else {
        Err("must be 1 to 1,000 characters without control characters".to_owned())
    }
}
