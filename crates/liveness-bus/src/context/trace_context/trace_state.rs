//! The list of a `tracestate`: what others keep in a trace. It is passed on as it came, within the bounds of the standard.

/// The most entries.
const ENTRIES: usize = 32;
/// How many characters are passed on in any case.
const LENGTH: usize = 512;
/// Longer entries are left out before others.
const LONG_ENTRY: usize = 128;
const KEY: usize = 256;
const VALUE: usize = 256;

/// The list of all headers together. `None` if they hold no entry, or one that breaks a rule, or too many.
pub(super) fn combined<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Box<str>> {
    let mut entries = Vec::new();
    for header in headers {
        for entry in header.split(',') {
            let entry = entry.trim_matches([' ', '\t']);
            // Empty entries are allowed, and say nothing.
            if entry.is_empty() {
                continue;
            }
            if !is_entry(entry) || entries.len() == ENTRIES {
                return None;
            }
            entries.push(entry);
        }
    }
    shorten(&mut entries);
    (!entries.is_empty()).then(|| entries.join(",").into())
}

fn shorten(entries: &mut Vec<&str>) {
    let mut length = entries.iter().map(|entry| entry.len() + 1).sum::<usize>();
    // The last entry has no comma after it.
    while length > LENGTH + 1 {
        let long = entries.iter().rposition(|entry| entry.len() > LONG_ENTRY);
        let left_out = entries.remove(long.unwrap_or(entries.len() - 1));
        length -= left_out.len() + 1;
    }
}

fn is_entry(entry: &str) -> bool {
    entry
        .split_once('=')
        .is_some_and(|(key, value)| is_key(key) && is_value(value))
}

fn is_key(key: &str) -> bool {
    let begins = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let goes_on = |byte: u8| begins(&byte) || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@');
    key.len() <= KEY && key.as_bytes().first().is_some_and(begins) && key.bytes().all(goes_on)
}

fn is_value(value: &str) -> bool {
    // A space at the end was taken for one between entries.
    let fits = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=');
    (1..=VALUE).contains(&value.len()) && value.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[&str]) -> Option<String> {
        combined(headers.iter().copied()).map(String::from)
    }

    #[test]
    fn headers_are_one_list_in_their_order_without_what_is_empty() {
        assert_eq!(of(&["a=1,b=2"]).unwrap(), "a=1,b=2");
        assert_eq!(of(&["a=1", "b=2", "", "c=3"]).unwrap(), "a=1,b=2,c=3");
        assert_eq!(of(&[" a=1 ,\t b=2,, "]).unwrap(), "a=1,b=2");
        assert_eq!(
            of(&["tenant@system=x y", "1a_-*/=!~"]).unwrap(),
            "tenant@system=x y,1a_-*/=!~"
        );
        for nothing in [&[][..], &[""], &[" , "]] {
            assert_eq!(of(nothing), None);
        }
    }

    #[test]
    fn an_entry_that_breaks_a_rule_ends_the_list() {
        let (long_key, long_value) = (format!("{}=1", "k".repeat(257)), format!("k={}", "v".repeat(257)));
        let broken = [
            "a",
            "a=",
            "=1",
            "A=1",
            "_a=1",
            "a =1",
            "a=1=2",
            "a=\u{7f}",
            "a=ä",
            "a=1\u{1}",
            &long_key,
            &long_value,
        ];
        for entry in broken {
            assert_eq!(of(&["good=1", entry]), None, "{entry:?}");
        }
    }

    #[test]
    fn there_are_32_entries_and_no_33rd() {
        let entries: Vec<String> = (0..33).map(|number| format!("k{number}=v")).collect();
        let list = entries[..32].join(",");
        assert_eq!(of(&[&list]).unwrap(), list);
        assert_eq!(of(&[&entries.join(",")]), None);
    }

    #[test]
    fn what_is_too_long_loses_whole_entries_long_ones_first() {
        let exactly: Vec<String> = (0..4).map(|number| format!("k{number}={}", "v".repeat(124))).collect();
        let (long, last) = (format!("long={}", "v".repeat(200)), "z=1".to_owned());
        // 4 × 127 and 3 commas.
        let list = exactly.join(",");
        assert_eq!(list.len(), 511);
        assert_eq!(of(&[&list]).unwrap(), list);
        assert_eq!(of(&[&exactly[0], &long, &exactly[1..].join(",")]).unwrap(), list);
        assert_eq!(of(&[&list, &last]).unwrap(), list);
    }
}
