//! Header values with quoted strings (RFC 9110 section 5.6.4), in which a separator has no meaning.

/// The parts of a value between separators that are not quoted.
pub(super) fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let at_separator = |c: char| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        is_escaped = is_quoted && c == '\\';
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    };
    text.split(at_separator).collect()
}
