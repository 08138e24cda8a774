//! The parts of a policy, besides the rules of the verdict.

use std::time::Duration;

use super::forms::{Count, Flag, Size, Span, or_forever, or_off};
use super::table::keys;
use super::texts::{Names, Words};
use crate::challenge_name::is_same;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CENTURY: Duration = Duration::from_secs(36_500 * 24 * 60 * 60);

/// The challenges that the server asks for, as the SDKs name them.
fn challenges() -> Vec<String> {
    ["BLINK", "SMILE", "TURN_LEFT", "TURN_RIGHT", "NOD"]
        .map(str::to_owned)
        .to_vec()
}

keys! {
    /// Sessions that the server issues.
    Session {
        /// Whether a report has to name a session that the server has issued.
        required: bool as Flag, false, true;
        /// How long an issued session can be used.
        ttl: Duration as Span(SECOND, DAY), 5 * MINUTE, 5 * MINUTE;
        /// The challenges to choose from.
        challenges: Vec<String> as Names(is_same), challenges(), challenges();
        /// How many of them a session asks for.
        count: u32 as Count(1, 100), 3, 3;
    }
}

keys! {
    /// What ends attempts.
    Attempts {
        /// After so many failures since the last success, the user has to wait.
        in_a_row: Option<u32> as or_off(Count(1, 1_000_000)), None, Some(5);
        /// How long. Each further failure doubles it, up to an hour.
        delay: Option<Duration> as or_off(Span(SECOND, HOUR)), None, Some(30 * SECOND);
        /// After so many failures in all, the user is locked until an administrator unlocks them.
        in_all: Option<u32> as or_off(Count(1, 1_000_000)), None, Some(50);
        /// What a locked user is told of another way to prove who they are.
        other_way: Option<String> as or_off(Words(1000)), None, None;
    }
}

keys! {
    /// How much a user may record.
    Quota {
        /// The most records of a user in a day.
        records_a_day: Option<u32> as or_off(Count(1, 1_000_000)), None, Some(50);
        /// The most bytes of a user's images in a day.
        bytes_a_day: Option<u64> as or_off(Size), None, Some(100_000_000);
    }
}

keys! {
    /// What the verdict is for.
    Verdict {
        /// Whether a record passes only if the verdict, or a later decision, accepts it.
        counts: bool as Flag, false, true;
    }
}

keys! {
    /// Decisions by people.
    Review {
        /// Whether a decision needs another person's too.
        second: bool as Flag, false, false;
    }
}

keys! {
    /// Looks at faces.
    Looks {
        /// Whether a query that shows a face has to say for what purpose.
        purpose: bool as Flag, false, true;
        /// The most looks at faces of one principal in 24 hours.
        faces_a_day: Option<u32> as or_off(Count(1, 10_000)), None, Some(500);
    }
}

keys! {
    /// How long what is recorded is kept.
    Retention {
        /// How long the face of a record that passed is kept.
        passed: Option<Duration> as or_forever(Span(SECOND, CENTURY)), None, Some(365 * DAY);
        /// How long the face of any other record is kept.
        not_passed: Option<Duration> as or_forever(Span(SECOND, CENTURY)), None, Some(30 * DAY);
        /// How long a record says more than its outcome, and whose it is by number. Its face goes with it.
        records: Option<Duration> as or_forever(Span(DAY, CENTURY)), None, None;
        /// How often the keys that wrap the keys of faces are replaced. After that, no backup opens an erased face.
        rotate: Option<Duration> as or_off(Span(SECOND, CENTURY)), Some(30 * DAY), Some(30 * DAY);
    }
}
