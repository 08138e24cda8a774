//! The rule about the session that a report uses.

use super::Seen;
use crate::verdict::facts::SessionBinding;

/// `session.unbound`: the report uses no session that the server issued. Seen is why.
pub(in crate::verdict) fn unbound(session: &SessionBinding) -> Option<Seen> {
    match session {
        SessionBinding::Bound(_) => None,
        SessionBinding::Unbound(why) => Some(Seen::of(why.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Case, says, silent, try_cases};
    use super::*;
    use crate::verdict::Unbound;

    #[test]
    fn a_report_without_an_issued_session_is_unbound() {
        let cases: [Case; 5] = [
            ("bound", |_| {}, silent()),
            (
                "none named",
                |sample| sample.session = SessionBinding::Unbound(Unbound::NotNamed),
                says(json!("not_named"), json!(null)),
            ),
            (
                "never issued",
                |sample| sample.session = SessionBinding::Unbound(Unbound::NotIssued),
                says(json!("not_issued"), json!(null)),
            ),
            (
                "used up",
                |sample| sample.session = SessionBinding::Unbound(Unbound::UsedUp),
                says(json!("used_up"), json!(null)),
            ),
            (
                "expired",
                |sample| sample.session = SessionBinding::Unbound(Unbound::Expired),
                says(json!("expired"), json!(null)),
            ),
        ];
        try_cases(cases, |facts| unbound(facts.session));
    }
}
