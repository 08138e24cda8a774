//! Times, against another reader of RFC 3339.

#![no_main]

use chrono::{DateTime, Datelike as _, Timelike as _};
use libfuzzer_sys::fuzz_target;
use liveness_core::Timestamp;

const YEAR_0: i64 = -62_167_219_200_000;

fuzz_target!(|text: &str| {
    let read = text.parse::<Timestamp>();
    if let Ok(at) = read {
        let written = at.to_string();
        assert_eq!(written.parse(), Ok(at), "{written}");
        let other = DateTime::parse_from_rfc3339(&written);
        assert_eq!(
            other.map(|other| other.timestamp_millis()),
            Ok(at.unix_millis()),
            "{written}"
        );
        assert!((0..=9999).contains(&DateTime::from_timestamp_millis(at.unix_millis()).unwrap().year()));
        // An annotation that may be ignored is.
        assert_eq!(format!("{text}[_a=b]").parse(), Ok(at));
    }
    // RFC 3339 is ASCII, and has no minus sign but the hyphen.
    if let (true, Ok(other)) = (text.is_ascii(), DateTime::parse_from_rfc3339(text)) {
        let millis = other.timestamp_millis();
        let is_in_range = (YEAR_0..=253_402_300_799_999).contains(&millis);
        match read {
            // A leap second is the second before it.
            Ok(at) if other.nanosecond() >= 1_000_000_000 => assert!((millis - at.unix_millis()).abs() <= 1000),
            Ok(at) => assert_eq!(at.unix_millis(), millis),
            Err(_) => assert!(!is_in_range, "{text}"),
        }
    }
});
