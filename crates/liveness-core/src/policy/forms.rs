//! How the values of a policy are written: as true or false, as numbers, durations and sizes.
//!
//! Each form says what a value of it must be, reads it, and writes it in the one way that is canonical.

use std::time::Duration;

use toml::de::DeValue;

/// How a value is written.
pub(super) trait Form {
    type Value;

    /// What would be right, as in "must be …".
    fn must_be(&self) -> String;

    /// The value, if it is one of this form.
    fn read(&self, value: &DeValue<'_>) -> Option<Self::Value>;

    /// The value as TOML.
    fn write(&self, value: &Self::Value) -> String;
}

/// `true` or `false`.
pub(super) struct Flag;

impl Form for Flag {
    type Value = bool;

    fn must_be(&self) -> String {
        "true or false".to_owned()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<bool> {
        value.as_bool()
    }

    fn write(&self, value: &bool) -> String {
        value.to_string()
    }
}

/// A whole number within bounds.
pub(super) struct Count(pub(super) u32, pub(super) u32);

impl Form for Count {
    type Value = u32;

    fn must_be(&self) -> String {
        format!("a whole number from {} to {}", self.0, self.1)
    }

    fn read(&self, value: &DeValue<'_>) -> Option<u32> {
        let number = value.as_integer()?;
        let number = u32::from_str_radix(number.as_str(), number.radix()).ok()?;
        (self.0..=self.1).contains(&number).then_some(number)
    }

    fn write(&self, value: &u32) -> String {
        value.to_string()
    }
}

/// A duration within bounds: `"400ms"`, `"5m"`, `"365d"`.
pub(super) struct Span(pub(super) Duration, pub(super) Duration);

/// Units with their milliseconds. Months and years have no length of their own.
const TIMES: [(&str, u64); 6] = [
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

impl Form for Span {
    type Value = Duration;

    fn must_be(&self) -> String {
        let (least, most) = (self.write(&self.0), self.write(&self.1));
        format!("a duration such as \"90s\", \"5m\", \"12h\" or \"30d\", from {least} to {most}")
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Duration> {
        let duration = Duration::from_millis(of_units(value.as_str()?, &TIMES)?);
        (self.0..=self.1).contains(&duration).then_some(duration)
    }

    fn write(&self, value: &Duration) -> String {
        // Weeks are read, and written as days.
        in_units(u64::try_from(value.as_millis()).unwrap_or(u64::MAX), &TIMES[1..], "")
    }
}

/// A number of bytes from 1 on: `"100 MB"`, `"64 KiB"`.
pub(super) struct Size;

const SIZES: [(&str, u64); 9] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1000),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl Form for Size {
    type Value = u64;

    fn must_be(&self) -> String {
        "a size such as \"100 MB\", \"64 KiB\" or \"512 B\", from 1 B to 9000 TB".to_owned()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<u64> {
        let bytes = of_units(value.as_str()?, &SIZES)?;
        (1..=9000 * SIZES[0].1).contains(&bytes).then_some(bytes)
    }

    fn write(&self, value: &u64) -> String {
        in_units(*value, &SIZES, " ")
    }
}

/// A number and its unit, with spaces between them or none.
fn of_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start_matches(' ');
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The number in the first unit that leaves no remainder.
fn in_units(number: u64, units: &[(&str, u64)], between: &str) -> String {
    let unit = units
        .iter()
        .find(|(_, factor)| number > 0 && number.is_multiple_of(*factor));
    let (name, factor) = unit.or(units.last()).copied().unwrap_or(("", 1));
    format!("\"{}{between}{name}\"", number / factor)
}

/// A value, or a word that says that there is none.
pub(super) struct Or<F>(pub(super) &'static str, pub(super) F);

/// A value that can be switched off.
pub(super) const fn or_off<F>(form: F) -> Or<F> {
    Or("off", form)
}

/// A duration that can have no end.
pub(super) const fn or_forever<F>(form: F) -> Or<F> {
    Or("forever", form)
}

impl<F: Form> Form for Or<F> {
    type Value = Option<F::Value>;

    fn must_be(&self) -> String {
        format!("{}, or \"{}\"", self.1.must_be(), self.0)
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Option<F::Value>> {
        if value.as_str() == Some(self.0) {
            Some(None)
        } else {
            self.1.read(value).map(Some)
        }
    }

    fn write(&self, value: &Option<F::Value>) -> String {
        value
            .as_ref()
            .map_or_else(|| format!("\"{}\"", self.0), |value| self.1.write(value))
    }
}
