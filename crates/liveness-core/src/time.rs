//! Instants, and their text form: `docs/api.md#times`.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time, date};
use jiff::fmt::StdFmtWrite;
use jiff::fmt::temporal::{DateTimePrinter, Pieces};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Violation;

/// Civil time is used, because jiff's instants end a day before the year 9999 ends.
const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);
/// Seconds.
const DAY: i32 = 24 * 60 * 60;

/// An instant in UTC, to the millisecond, in the years 0000 to 9999.
///
/// A new value is cut to the millisecond, so that a stored value equals the original.
///
/// ```
/// use liveness_core::Timestamp;
///
/// let at: Timestamp = "2026-03-22T15:00:00.1239+01:00".parse()?;
/// assert_eq!(at.to_string(), "2026-03-22T14:00:00.123Z");
/// let of_java: Timestamp = "2026-03-22T15:00:00+01:00[Africa/Lagos]".parse()?;
/// assert_eq!(of_java.to_string(), "2026-03-22T14:00:00Z");
/// assert_eq!("2026-03-22T14:00:00".parse::<Timestamp>()?.to_string(), "2026-03-22T14:00:00Z");
/// # Ok::<(), liveness_core::Violation>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    const MIN: i64 = -62_167_219_200_000;
    const MAX: i64 = 253_402_300_799_999;
    const MALFORMED: Violation = Violation::new(
        "format",
        "must be an RFC 3339 date and time such as 2026-03-22T14:00:00Z",
    );

    /// The instant `millis` milliseconds after the Unix epoch, or `None` outside the years 0000 to 9999.
    pub const fn from_unix_millis(millis: i64) -> Option<Self> {
        if millis >= Self::MIN && millis <= Self::MAX {
            Some(Self(millis))
        } else {
            None
        }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The instant `millis` milliseconds later, or earlier when negative. It stays within the years 0000 to 9999.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(Self::MIN, Self::MAX))
    }
}

impl FromStr for Timestamp {
    type Err = Violation;

    /// Reads RFC 3339 with any offset, and ISO 8601 without an offset, which is taken as UTC.
    ///
    /// `24:00` is the midnight that begins the next day. Annotations in brackets after the offset (RFC 9557), such as
    /// `[Africa/Lagos]`, say nothing that the offset does not, and are ignored. A time zone without an offset is refused,
    /// because its offset would have to be looked up.
    ///
    /// # Errors
    ///
    /// `format` when the text is neither, has no time of day, or lies outside the years 0000 to 9999.
    fn from_str(text: &str) -> Result<Self, Violation> {
        Self::read(text).ok_or(Self::MALFORMED)
    }
}

impl Timestamp {
    fn read(text: &str) -> Option<Self> {
        let (text, annotations) = text.split_at(text.find('[').unwrap_or(text.len()));
        let names_zone = names_zone(annotations)?;
        let starts_with_year = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let (date, time) = text.split_once(['T', 't', ' ']).filter(|_| starts_with_year)?;
        let (time, is_24) = match time.strip_prefix("24") {
            Some(rest) => (format!("00{rest}"), true),
            None => (time.to_owned(), false),
        };
        let text = format!("{date}T{}", at_most_nanoseconds(time));
        let pieces = Pieces::parse(&text).ok()?;
        let time = pieces.time()?;
        if is_24 && time != Time::midnight() || names_zone && pieces.offset().is_none() {
            return None;
        }
        let offset = pieces.to_numeric_offset().map_or(0, |offset| offset.seconds());
        let local = pieces.date().to_datetime(time).duration_since(EPOCH);
        let seconds = i128::from(if is_24 { DAY } else { 0 }) - i128::from(offset);
        let millis = (local.as_nanos() + seconds * 1_000_000_000).div_euclid(1_000_000);
        let at = i64::try_from(millis).ok().and_then(Self::from_unix_millis);
        // jiff takes offsets of up to 25 hours. RFC 3339 ends before 24.
        at.filter(|_| offset.abs() < DAY)
    }
}

/// Whether annotations (RFC 9557) name a time zone, or `None` if they are malformed. So is an annotation with `!`, which
/// must not be ignored, except for the calendar that every time here is in.
fn names_zone(annotations: &str) -> Option<bool> {
    let (mut rest, mut names_zone) = (annotations, false);
    while !rest.is_empty() {
        let (annotation, after) = rest.strip_prefix('[')?.split_once(']')?;
        let is_ignored = !annotation.starts_with('!') || annotation == "!u-ca=iso8601";
        let is_text = !annotation.is_empty() && annotation.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'[');
        if !is_ignored || !is_text {
            return None;
        }
        names_zone |= !annotation.contains('=');
        rest = after;
    }
    Some(names_zone)
}

/// The text without the digits of a fraction after the ninth. jiff takes no more.
fn at_most_nanoseconds(mut time: String) -> String {
    if let Some(point) = time.find(['.', ',']) {
        let digits = time.bytes().skip(point + 1).take_while(u8::is_ascii_digit).count();
        let (ninth, last) = (point + 1 + digits.min(9), point + 1 + digits);
        time.replace_range(ninth..last, "");
    }
    time
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 with `Z` and three digits of milliseconds, or without a fraction when it is zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = SignedDuration::from_millis(self.0);
        let at = EPOCH.checked_add(since).map_err(|_| fmt::Error)?;
        let digits = if at.millisecond() == 0 { 0 } else { 3 };
        let printer = DateTimePrinter::new().precision(Some(digits));
        let printed = printer.print_datetime(&at, StdFmtWrite(&mut *f));
        printed.map_err(|_| fmt::Error)?;
        f.write_str("Z")
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom("a time is not written as RFC 3339 says"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The source of the present time. Tests can replace it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everything else asks")]
    fn now(&self) -> Timestamp {
        let millis = jiff::Timestamp::now().as_millisecond();
        Timestamp(millis.clamp(Timestamp::MIN, Timestamp::MAX))
    }
}

/// When this process first asked its [`SteadyClock`], by the machine's clock and by the monotonic one.
static BEGINNING: LazyLock<(Timestamp, Instant)> = LazyLock::new(|| (SystemClock.now(), Instant::now()));

/// A clock that never jumps. It begins with the machine's clock, and goes on with the monotonic clock from there.
///
/// Two instants of one process say how much time is between them, also if somebody sets the machine's clock meanwhile. Two
/// processes may say different times at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct SteadyClock;

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let (began_at, began) = *BEGINNING;
        began_at.plus_millis(i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that says `now` until [`advance`](Self::advance) is called.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Moves the clock forward by `millis` milliseconds, or back when negative.
    pub fn advance(&self, millis: i64) {
        self.0.store(self.now().plus_millis(millis).0, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_is_read_as_utc() {
        let cases = [
            ("2026-03-22T14:00:00Z", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00:00.000Z", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00:00.5Z", "2026-03-22T14:00:00.500Z"),
            ("2026-03-22T14:00:00.123456789Z", "2026-03-22T14:00:00.123Z"),
            ("2026-03-22t14:00:00z", "2026-03-22T14:00:00Z"),
            ("2026-03-22 14:00:00Z", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00:00+05:30", "2026-03-22T08:30:00Z"),
            ("2026-03-22T14:00:00-00:00", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00:00", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00", "2026-03-22T14:00:00Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
            ("2026-03-22T14:00Z", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00:00,123Z", "2026-03-22T14:00:00.123Z"),
            (
                "2026-03-22T14:00:00.123456789012345678901234567890Z",
                "2026-03-22T14:00:00.123Z",
            ),
            ("2026-03-22T14:00:00.123+0000", "2026-03-22T14:00:00.123Z"),
            ("2026-03-22T14:00:00+01", "2026-03-22T13:00:00Z"),
            ("20260322T140000Z", "2026-03-22T14:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("2026-03-22T14:00:00+23:59", "2026-03-21T14:01:00Z"),
            ("2026-03-22T14:00:00-23:59", "2026-03-23T13:59:00Z"),
            ("2026-03-22T15:00:00+01:00[Africa/Lagos]", "2026-03-22T14:00:00Z"),
            ("2026-03-22T15:00+01:00[Africa/Lagos]", "2026-03-22T14:00:00Z"),
            (
                "2026-03-22T15:00:00.123456+01:00[UTC+01:00]",
                "2026-03-22T14:00:00.123Z",
            ),
            ("2026-03-22T14:00:00Z[UTC]", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00:00z[Etc/GMT-1]", "2026-03-22T14:00:00Z"),
            ("2026-03-22 15:00:00+0100[Africa/Lagos]", "2026-03-22T14:00:00Z"),
            (
                "2026-03-22T15:00:00+01:00[Africa/Lagos][u-ca=iso8601]",
                "2026-03-22T14:00:00Z",
            ),
            ("2026-03-22T15:00:00+01:00[u-ca=hebrew][_x=y-z]", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00:00Z[!u-ca=iso8601]", "2026-03-22T14:00:00Z"),
            ("2026-03-22T14:00:00[u-ca=iso8601]", "2026-03-22T14:00:00Z"),
        ];
        for (given, expected) in cases {
            let parsed = given.parse::<Timestamp>().map(|at| at.to_string());
            assert_eq!(parsed.as_deref(), Ok(expected), "{given}");
        }
    }

    #[test]
    fn the_end_of_a_day_is_the_beginning_of_the_next() {
        let cases = [
            ("2026-03-22T24:00:00Z", "2026-03-23T00:00:00Z"),
            ("2026-03-22T24:00Z", "2026-03-23T00:00:00Z"),
            ("2026-03-22 24:00:00.000", "2026-03-23T00:00:00Z"),
            ("2026-03-22t24:00:00,0+01:00", "2026-03-22T23:00:00Z"),
            ("20260322T240000Z", "2026-03-23T00:00:00Z"),
            ("2026-03-31T24:00:00Z", "2026-04-01T00:00:00Z"),
            ("2024-02-28T24:00:00Z", "2024-02-29T00:00:00Z"),
            ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00Z"),
            ("2026-03-22T24:00:00-05:00[America/New_York]", "2026-03-23T05:00:00Z"),
            ("9999-12-31T24:00:00+01:00", "9999-12-31T23:00:00Z"),
        ];
        for (given, expected) in cases {
            let parsed = given.parse::<Timestamp>().map(|at| at.to_string());
            assert_eq!(parsed.as_deref(), Ok(expected), "{given}");
        }
        for given in [
            "2026-03-22T24:00:01Z",
            "2026-03-22T24:01Z",
            "2026-03-22T24:00:00.001Z",
            "2026-03-22T24:00:00.000001Z",
            "2026-03-22T24:00:60Z",
            "2026-02-30T24:00:00Z",
            "2026-03-22T24:60:00Z",
            "2026-03-22T240:00:00Z",
            "9999-12-31T24:00:00Z",
        ] {
            assert_eq!(given.parse::<Timestamp>(), Err(Timestamp::MALFORMED), "{given}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let cases = [
            "",
            "now",
            "2026-03-22",
            "14:00:00",
            "2026-13-22T14:00:00Z",
            "2026-03-22T25:00:00Z",
            "-000001-03-22T14:00:00Z",
            "+010000-03-22T14:00:00Z",
            "2026-03-22T14:00:00[Africa/Lagos]",
            "2026-03-22T14:00:00[UTC]",
            "2026-03-22T14:00:00[+01:00]",
            "2026-03-22T15:00:00+01:00[!Africa/Lagos]",
            "2026-03-22T15:00:00+01:00[!u-ca=hebrew]",
            "2026-03-22T15:00:00+01:00[Africa/Lagos",
            "2026-03-22T15:00:00+01:00Africa/Lagos]",
            "2026-03-22T15:00:00+01:00[]",
            "2026-03-22T15:00:00+01:00[[UTC]]",
            "2026-03-22T15:00:00+01:00[UTC]Z",
            "2026-03-22T15:00:00+01:00[Africa Lagos]",
            "2026-03-22T15:00:00[Africa/Lagos]+01:00",
            "2026-03-22T14:00:00+24:00",
            "2026-03-22T14:00:00+25:00",
            "2026-03-22T14:00:00-2400",
            "2026-03-22T14:00:00+99:00",
            "2026-03-22T14:00:00+01:60",
            "2026-03-22T14:00:00.Z",
            "2026-03-22T14:00:00+01:00+01:00",
            "2026-03-22TT14:00:00Z",
            "2026-03-22T 14:00:00Z",
            "\u{662}\u{660}\u{662}\u{666}-03-22T14:00:00Z",
            "2026-03-22T\u{661}\u{664}:00:00Z",
            "1742680800000",
            "2026-03-22T14:00:00 Z ",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+00:01",
        ];
        for given in cases {
            assert_eq!(given.parse::<Timestamp>(), Err(Timestamp::MALFORMED), "{given}");
        }
    }
}
