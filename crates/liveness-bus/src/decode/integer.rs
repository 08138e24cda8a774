//! Whole numbers, however they are written: `docs/api.md#transport`.

/// A number without a remainder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integer {
    /// One of at most 38 digits. It is exact: no floating point is involved.
    Value(i128),
    /// One of more digits.
    TooLarge,
    /// One of more digits with a minus sign.
    TooSmall,
}

/// The JSON number, if it has no remainder.
pub(super) fn parse(json: &str) -> Option<Integer> {
    if let Ok(plain) = json.parse::<i64>() {
        // JSON has no plus sign, so it does not come to here.
        return Some(Integer::Value(plain.into()));
    }
    let (is_negative, number) = match json.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, json),
    };
    if !number.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // The digits before the decimal point, once the exponent has moved it.
    let kept = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
    let magnitude = magnitude(whole.bytes().chain(fraction.bytes()), kept)?;
    Some(match magnitude {
        Some(value) if is_negative => Integer::Value(-value),
        Some(value) => Integer::Value(value),
        None if is_negative => Integer::TooSmall,
        None => Integer::TooLarge,
    })
}

/// The value of the first `kept` digits, or `Some(None)` if there are too many. `None` if a later digit is not zero.
fn magnitude(digits: impl Iterator<Item = u8>, kept: i64) -> Option<Option<i128>> {
    let mut value = Some(0_i128);
    let mut place: i64 = 0;
    for digit in digits {
        if place < kept {
            value = value.and_then(|value| value.checked_mul(10)?.checked_add(i128::from(digit - b'0')));
        } else if digit != b'0' {
            return None;
        }
        place += 1;
    }
    // A zero stays one, whatever its exponent is. Every other value overflows after 39 rounds.
    while place < kept && value.is_some_and(|value| value != 0) {
        value = value.and_then(|value| value.checked_mul(10));
        place += 1;
    }
    Some(value)
}

/// An exponent that does not fit is as large as can be: all digits are before the point then, or none.
fn read_exponent(text: &str) -> i64 {
    let is_negative = text.starts_with('-');
    text.trim_start_matches('+')
        .parse()
        .unwrap_or(if is_negative { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_remainder_is_an_integer() {
        let cases = [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("0e99999999999999999999", 0),
            ("0.000E-99999999999999999999", 0),
            ("4200.0", 4200),
            ("4.2e3", 4200),
            ("4.2E+3", 4200),
            ("42000e-1", 4200),
            ("-1.50e1", -15),
            ("9223372036854775807.0", i64::MAX.into()),
            ("9007199254740993.000", 9_007_199_254_740_993),
            ("-9223372036854775808e0", i64::MIN.into()),
            ("18446744073709551616", 1 << 64),
            ("0.00042e5", 42),
        ];
        for (json, value) in cases {
            assert_eq!(parse(json), Some(Integer::Value(value)), "{json}");
        }
    }

    #[test]
    fn a_number_with_a_remainder_is_none_however_small() {
        for json in [
            "4200.7",
            "0.1",
            "-0.5",
            "4200.00000000000000000000000000001",
            "1e-1",
            "1e-99999999999999999999",
            "15e-1",
            "9007199254740992.5",
            "1000000000000000000000000000000000000000000.5",
        ] {
            assert_eq!(parse(json), None, "{json}");
        }
    }

    #[test]
    fn what_is_too_large_is_told_from_what_is_no_integer() {
        let digits = "9".repeat(10_000);
        for json in ["1e40", "1e400", "1.5e99999999999999999999", &digits] {
            assert_eq!(parse(json), Some(Integer::TooLarge), "{json}");
            assert_eq!(parse(&format!("-{json}")), Some(Integer::TooSmall), "-{json}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for json in ["\"4\"", "\"\"", "true", "null", "[1]", "{}"] {
            assert_eq!(parse(json), None, "{json}");
        }
    }
}
