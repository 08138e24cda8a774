//! Header values with quoted strings (RFC 9110 section 5.6.4), in which a separator separates nothing.

/// The parts of a value between separators that are not quoted.
pub(super) fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let mut is_quoted = false;
    let at_separator = |c: char| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    };
    text.split(at_separator).collect()
}
