//! How long a client likes to wait: the preference `wait` of the header `Prefer` (RFC 7240 section 4.3).
//!
//! A preference is a wish: what is not known or not well formed is ignored (section 2). If one is there several times, the
//! first counts.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::quoted::split_unquoted;

/// The header of a request that likes to wait.
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The header of the answer that says which preference was heeded.
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The longest wait, in seconds. Who likes to wait longer waits so long.
pub(crate) const LONGEST_WAIT: u64 = 30;

/// How long the client likes to wait. `None` if it does not.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(PREFER);
    let seconds = lines
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .find_map(|line| split_unquoted(&line, ',').into_iter().find_map(wait_of))?;
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

/// The seconds of a preference, if it is `wait`. `Some(None)` if they are not well formed.
fn wait_of(preference: &str) -> Option<Option<u64>> {
    // Parameters are separated by semicolons. This preference has none that mean anything.
    let preference = *split_unquoted(preference, ';').first()?;
    let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
    is_wait(name).then(|| seconds(value))
}

fn is_wait(name: &str) -> bool {
    name.trim_matches([' ', '\t']).eq_ignore_ascii_case("wait")
}

/// Reads a number of seconds, which may be quoted like any value of a preference.
fn seconds(value: &str) -> Option<u64> {
    let value = value.trim_matches([' ', '\t']);
    let unquoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let digits = unquoted.unwrap_or(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too large for any integer is longer than the longest wait.
    is_number.then(|| digits.parse().unwrap_or(u64::MAX).min(LONGEST_WAIT))
}

/// What the answer says of a wait that was heeded: `wait=N`.
pub(super) fn applied(wait: Duration) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("wait={}", wait.as_secs())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&'static str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(PREFER, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        wait(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_found_among_other_preferences() {
        let ten: [&[&str]; 13] = [
            &["wait=10"],
            &["WAIT = 10"],
            &["wait=\"10\""],
            &["wait=010"],
            &["wait=10; strictly"],
            &["respond-async, wait=10"],
            &["respond-async;x=\"a,wait=1\",\twait=10 ;y=1"],
            &["note=\"a\\\", wait=1\", wait=10"],
            &["return=minimal", "handling=lenient, wait=10"],
            &[",, wait=10,"],
            &["\u{fc}, wait=10"],
            &["await=1, wait-for=2, wait=10"],
            &["", "wait=10"],
        ];
        for lines in ten {
            assert_eq!(of(lines), Some(10), "{lines:?}");
        }
    }

    #[test]
    fn the_first_of_several_counts() {
        assert_eq!(of(&["wait=5, wait=10"]), Some(5));
        assert_eq!(of(&["wait=5", "wait=10"]), Some(5));
        assert_eq!(of(&["wait=soon, wait=10"]), None);
        assert_eq!(of(&["wait", "wait=10"]), None);
    }

    #[test]
    fn nobody_waits_longer_than_30_s() {
        for line in [
            "wait=30",
            "wait=31",
            "wait=4294967296",
            "wait=99999999999999999999999999",
        ] {
            assert_eq!(of(&[line]), Some(30), "{line}");
        }
    }

    #[test]
    fn a_wait_that_is_not_well_formed_is_ignored() {
        for line in [
            "",
            "wait",
            "wait=",
            "wait=\"\"",
            "wait=0",
            "wait=-1",
            "wait=+1",
            "wait=1.5",
            "wait=1s",
            "wait=1 2",
            "wait=0x10",
            "wait=\"10",
            "wait;x=10",
            "\"wait=10",
            "wait=\u{661}",
        ] {
            assert_eq!(of(&[line]), None, "{line:?}");
        }
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_answer_says_what_was_heeded() {
        assert_eq!(applied(Duration::from_secs(30)).unwrap(), "wait=30");
    }
}
