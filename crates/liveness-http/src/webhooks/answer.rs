//! What an answer of a receiver means, or that there was none: Standard Webhooks 1.0, `docs/api.md#webhooks`.

use std::time::Duration;

use liveness_core::Timestamp;
use ureq::Error;
use ureq::http::{HeaderMap, StatusCode};

use super::resolver::RefusedAddress;
use super::retry_after;

/// How long a receiver is left alone that has too much to do, and does not say for how long.
const BREATH: Duration = Duration::from_secs(5);

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// The receiver has the event.
    Delivered,
    /// It does not have it, or does not say so. The event is sent again.
    Failed {
        /// The label of the metric.
        label: &'static str,
        /// Why, in words without anything of the event or of the answer's body.
        why: String,
        /// For how long nothing is to be sent to the receiver at all.
        hold: Option<Duration>,
    },
    /// The receiver wants no more events (410).
    Gone,
}

impl Ended {
    /// The label of the metric.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed { label, .. } => label,
            Self::Gone => "gone",
        }
    }

    /// What an answer means. Redirects are not followed, so they are failures like others.
    pub(super) fn of_answer(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        if status.is_success() {
            return Self::Delivered;
        }
        if status == StatusCode::GONE {
            return Self::Gone;
        }
        let said = headers.get("retry-after").and_then(|value| value.to_str().ok());
        let said = said.and_then(|value| retry_after::parse(value, now));
        let is_overloaded = matches!(status.as_u16(), 429 | 502 | 503 | 504);
        Self::Failed {
            label: if status.is_redirection() { "redirect" } else { "status" },
            why: format!("the receiver answered {}", status.as_u16()),
            hold: said.or_else(|| is_overloaded.then_some(BREATH)),
        }
    }

    /// What it means that there was no answer.
    pub(super) fn of_error(error: &Error) -> Self {
        let failed = |label, why: String| Self::Failed { label, why, hold: None };
        match error {
            Error::Timeout(_) => failed("timeout", "the receiver did not answer in time".to_owned()),
            Error::Other(why) if why.is::<RefusedAddress>() => failed("address", why.to_string()),
            // It would repeat the URL, which may hold a secret.
            Error::BadUri(_) | Error::Http(_) => failed("unreached", "the URL cannot be used".to_owned()),
            error => failed("unreached", format!("the receiver was not reached: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&str>) -> Ended {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert("retry-after", value.parse().unwrap());
        }
        let now = Timestamp::from_unix_millis(0).unwrap();
        Ended::of_answer(StatusCode::from_u16(status).unwrap(), &headers, now)
    }

    #[test]
    fn only_2xx_is_success_and_410_ends_it() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(answer(status, Some("9")), Ended::Delivered, "{status}");
        }
        assert_eq!(answer(410, None), Ended::Gone);
        for (status, label) in [
            (300, "redirect"),
            (301, "redirect"),
            (307, "redirect"),
            (304, "redirect"),
            (400, "status"),
            (404, "status"),
            (500, "status"),
            (600, "status"),
        ] {
            let Ended::Failed {
                label: found,
                why,
                hold,
            } = answer(status, None)
            else {
                panic!("{status}")
            };
            assert_eq!((found, hold), (label, None), "{status}");
            assert_eq!(why, format!("the receiver answered {status}"));
        }
    }

    #[test]
    fn who_has_too_much_to_do_is_left_alone_for_as_long_as_it_says() {
        for (status, said, expected) in [
            (429, Some("7"), Some(7)),
            (429, None, Some(5)),
            (502, None, Some(5)),
            (503, Some("120"), Some(120)),
            (503, Some("soon"), Some(5)),
            (504, None, Some(5)),
            (500, Some("60"), Some(60)),
            (301, Some("60"), Some(60)),
            (500, Some("never"), None),
        ] {
            let Ended::Failed { hold, .. } = answer(status, said) else {
                panic!("{status}")
            };
            assert_eq!(hold.map(|hold| hold.as_secs()), expected, "{status} {said:?}");
        }
    }

    #[test]
    fn an_error_is_told_without_the_url() {
        let told = Ended::of_error(&Error::BadUri("https://hooks.example/secret".to_owned()));
        assert!(!format!("{told:?}").contains("secret"), "{told:?}");
        assert_eq!(
            Ended::of_error(&Error::Timeout(ureq::Timeout::Global)).label(),
            "timeout"
        );
        assert_eq!(
            Ended::of_error(&Error::Other(Box::new(RefusedAddress))).label(),
            "address"
        );
    }
}
