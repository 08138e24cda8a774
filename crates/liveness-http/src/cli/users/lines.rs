//! The lines of a CSV file, and the cells of a line. A row is one line: no value of a user has a line break.
//!
//! The crate csv takes any quotes. With it, a quote that is never closed makes one cell of the rest of the file, so the
//! users in it would be missing. Here such a quote is an error, and so is a quote that stands where RFC 4180 has none.

use std::borrow::Cow;
use std::fmt;

/// A line without its end.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u64,
    /// Where it begins in the file.
    pub(super) start: usize,
    pub(super) bytes: &'a [u8],
}

impl Line<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

/// The lines of a text. They end in LF, in CR, or in both.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let (mut start, mut number) = (0, 0);
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (bytes, end) = rest.split_at(length.unwrap_or(rest.len()));
        number += 1;
        let line = Line { number, start, bytes };
        start += bytes.len() + if end.starts_with(b"\r\n") { 2 } else { 1 };
        Some(line)
    })
}

/// What is wrong with the quotes of a line.
#[derive(Debug, PartialEq)]
pub(super) enum QuoteError {
    /// A quote opens and is not closed in the line. So many bytes of the line follow it.
    Open(usize),
    /// A quote stands in the middle of a cell, or something follows the quote that closes a cell.
    Misplaced,
}

/// The cells of a line, without their quotes and without the white space around them.
pub(super) fn cells(line: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, QuoteError> {
    let mut cells = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest {
        let text = text.trim_ascii_start();
        let (cell, behind) = match text.strip_prefix(b"\"") {
            Some(quoted) => quoted_cell(quoted)?,
            None => plain_cell(text)?,
        };
        cells.push(cell);
        rest = behind;
    }
    Ok(cells)
}

type Cell<'a> = (Cow<'a, [u8]>, Option<&'a [u8]>);

fn plain_cell(text: &[u8]) -> Result<Cell<'_>, QuoteError> {
    let (cell, behind) = at_comma(text);
    if cell.contains(&b'"') {
        return Err(QuoteError::Misplaced);
    }
    Ok((Cow::Borrowed(cell.trim_ascii_end()), behind))
}

/// The cell that a quote opens. `text` begins after this quote.
fn quoted_cell(text: &[u8]) -> Result<Cell<'_>, QuoteError> {
    let end = closing_quote(text).ok_or(QuoteError::Open(text.len()))?;
    let (gap, behind) = at_comma(&text[end + 1..]);
    if !gap.trim_ascii().is_empty() {
        return Err(QuoteError::Misplaced);
    }
    let cell = text[..end].trim_ascii();
    let cell = if cell.contains(&b'"') {
        Cow::Owned(without_doubled_quotes(cell))
    } else {
        Cow::Borrowed(cell)
    };
    Ok((cell, behind))
}

/// Where the quote is that closes a cell. Two quotes in a row are a quote of the text.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.iter().position(|byte| *byte == b'"')?;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

fn without_doubled_quotes(cell: &[u8]) -> Vec<u8> {
    let mut single = Vec::with_capacity(cell.len());
    let mut bytes = cell.iter();
    while let Some(byte) = bytes.next() {
        single.push(*byte);
        if *byte == b'"' {
            bytes.next();
        }
    }
    single
}

/// What stands before the next comma, and what follows it.
fn at_comma(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == b',') {
        Some(comma) => (&text[..comma], Some(&text[comma + 1..])),
        None => (text, None),
    }
}

/// A row that goes on behind its line, because a quote is not closed there.
#[derive(Debug, PartialEq)]
pub(super) struct RowOfLines {
    first: u64,
    last: u64,
    is_closed: bool,
}

impl fmt::Display for RowOfLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, is_closed } = self;
        if *is_closed {
            write!(
                f,
                "lines {first} to {last}: the quote that opens in line {first} is closed in line {last} only"
            )?;
        } else if first == last {
            write!(f, "line {first}: the quote that opens in it is never closed")?;
        } else {
            write!(
                f,
                "lines {first} to {last}: the quote that opens in line {first} is never closed"
            )?;
        }
        f.write_str(", and a row must be one line")
    }
}

/// Looks for a row that takes more than its line. What follows such a row cannot be trusted.
pub(super) fn check_rows(text: &[u8]) -> Result<(), RowOfLines> {
    for line in lines(text) {
        let Err(QuoteError::Open(behind)) = cells(line.bytes) else {
            continue;
        };
        let quoted = &text[line.start + line.bytes.len() - behind..];
        let end = closing_quote(quoted);
        let inside = end.map_or(quoted, |end| &quoted[..=end]);
        let more = lines(inside).last().map_or(0, |last| last.number - 1);
        return Err(RowOfLines {
            first: line.number,
            last: line.number + more,
            is_closed: end.is_some(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Result<Vec<String>, QuoteError> {
        let texts = |cells: Vec<Cow<'_, [u8]>>| {
            let text = |cell: &Cow<'_, [u8]>| String::from_utf8(cell.to_vec()).unwrap();
            cells.iter().map(text).collect()
        };
        cells(line.as_bytes()).map(texts)
    }

    #[test]
    fn quotes_are_those_of_rfc_4180() {
        for (line, expected) in [
            ("1,Jane,", &["1", "Jane", ""][..]),
            ("", &[""]),
            (",", &["", ""]),
            (r#"1,"Doe, Jane""#, &["1", "Doe, Jane"]),
            (r#""1","say ""hi""","""""#, &["1", "say \"hi\"", "\""]),
            (r#""""a""""#, &["\"a\""]),
            (r#" 1 , "Jane" ,x"#, &["1", "Jane", "x"]),
        ] {
            assert_eq!(
                texts(line).as_deref().map_err(|_| line),
                Ok(&*expected.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>())
            );
        }
    }

    #[test]
    fn a_quote_elsewhere_is_an_error() {
        for line in ["1,a\"b", "1,\"a\"b", "1,\"a\" \"b\"", "1,5\"", "1,\"a\"\"\"b,"] {
            assert_eq!(texts(line), Err(QuoteError::Misplaced), "{line}");
        }
        assert_eq!(texts("1,\"ab"), Err(QuoteError::Open(2)));
        assert_eq!(texts("1,\""), Err(QuoteError::Open(0)));
        assert_eq!(texts("1,\"a\"\""), Err(QuoteError::Open(3)));
    }

    #[test]
    fn lines_end_in_any_of_three_ways() {
        let found: Vec<_> = lines(b"a\nb\r\nc\rd\n\ne")
            .map(|line| (line.number, line.bytes))
            .collect();

        assert_eq!(
            found,
            [(1, &b"a"[..]), (2, b"b"), (3, b"c"), (4, b"d"), (5, b""), (6, b"e")]
        );
    }

    #[test]
    fn a_row_of_several_lines_is_told_with_its_first_and_its_last() {
        for (text, expected) in [
            ("id\n1,\"a\n2\n3\n", (2, 4, false)),
            ("id\n1,\"a\n2\n3", (2, 4, false)),
            ("id\n1,\"a\n2\n3,\"b\"\n4\n", (2, 4, true)),
            ("id\r1,\"a\"\"\r\"\r", (2, 3, true)),
            ("\"id\n1\n", (1, 2, false)),
            ("id\n1,\"\n\n", (2, 3, false)),
            ("id\n1,\"", (2, 2, false)),
        ] {
            let (first, last, is_closed) = expected;
            let row = RowOfLines { first, last, is_closed };
            assert_eq!(check_rows(text.as_bytes()), Err(row), "{text:?}");
        }
        assert_eq!(check_rows(b"id,name\n1,\"a\"\n2,b\"\n3,\"c\"\n"), Ok(()));
    }
}
