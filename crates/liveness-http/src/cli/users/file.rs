//! The file of an import: its digest, its header and its rows.
//!
//! It is read to its end before anybody is imported. So a file whose rows cannot be told from each other imports nobody,
//! and the audit entries can name the file by its digest.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};

use super::super::failure::Failure;
use super::super::progress::Progress;
use super::lines::{Line, QuoteError, cells, check_rows, lines};
use super::row::{COLUMNS, Row, RowError};
use crate::text_file::remove_byte_order_mark;

/// The most bytes of a file. It is in memory as a whole.
const MAX_BYTES: u64 = 1 << 30;

/// A line of the file, and the row in it.
pub(super) struct FileRow {
    pub(super) line: u64,
    /// How many bytes of the file come before it.
    pub(super) position: u64,
    pub(super) row: Result<Row, Vec<RowError>>,
}

/// A file whose rows can be told from each other, and whose columns are known.
pub(super) struct UserFile {
    name: String,
    sha256: String,
    text: Vec<u8>,
    header: u64,
    columns: Vec<usize>,
}

impl UserFile {
    /// Reads a file to its end; `-` is standard input. Blocks.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let (name, input): (_, Box<dyn Read>) = if path == Path::new("-") {
            ("standard input".to_owned(), Box::new(io::stdin()))
        } else {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| Failure::file("read", &name, &error))?;
            (name, Box::new(file))
        };
        let mut text = Vec::new();
        let read = input.take(MAX_BYTES + 1).read_to_end(&mut text);
        read.map_err(|error| Failure::file("read", &name, &error))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(Failure::of(format!("{name} has more than 1 GiB: split it")));
        }
        Self::of(name, text)
    }

    pub(super) fn of(name: String, mut text: Vec<u8>) -> Result<Self, Failure> {
        let sha256 = hex(digest(&SHA256, &text).as_ref());
        if remove_byte_order_mark(&mut text).is_err() {
            return Err(Failure::of(format!("{name} is UTF-16: save it as CSV in UTF-8")));
        }
        check_rows(&text).map_err(|row| Failure::of(format!("{name} {row}; nothing of the file was imported")))?;
        let header = lines(&text).find(|line| !line.is_blank());
        let number = header.map_or(1, |line| line.number);
        let columns = columns(header).map_err(|message| Failure::of(format!("{name} line {number}: {message}")))?;
        Ok(Self {
            name,
            sha256,
            text,
            header: number,
            columns,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of the file as it is, in hexadecimal.
    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The progress bar, in bytes.
    pub(super) fn progress(&self) -> Progress {
        let bytes = "{bar:40} {bytes} of {total_bytes}, {eta} left";
        Progress::new(Some(self.text.len() as u64), bytes, bytes)
    }

    /// The rows after the header. Blank lines are none.
    pub(super) fn rows(&self) -> impl Iterator<Item = FileRow> {
        let rows = lines(&self.text).filter(|line| line.number > self.header && !line.is_blank());
        rows.map(|line| FileRow {
            line: line.number,
            position: line.start as u64,
            row: self.row(line.bytes),
        })
    }

    fn row(&self, line: &[u8]) -> Result<Row, Vec<RowError>> {
        match cells(line) {
            Ok(cells) => Row::parse(&self.columns, &cells),
            Err(QuoteError::Misplaced | QuoteError::Open(_)) => Err(vec![RowError::of_row(
                "a quote stands in the middle of a cell: put the whole cell in quotes, and double each quote in it"
                    .to_owned(),
            )]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Finds the column of each cell of the header.
fn columns(header: Option<Line<'_>>) -> Result<Vec<usize>, String> {
    let known = COLUMNS.join(", ");
    let header = header.map_or(Ok(Vec::new()), |line| cells(line.bytes));
    let header = header.map_err(|_| format!("a quote stands in the middle of a cell; the columns are {known}"))?;
    let place = |cell: &[u8]| COLUMNS.iter().position(|column| column.as_bytes() == cell);
    let unknown: Vec<_> = header
        .iter()
        .enumerate()
        .filter(|(_, cell)| place(cell).is_none())
        .map(|(at, cell)| name_or_place(at, cell))
        .collect();
    if !unknown.is_empty() || header.is_empty() {
        let unknown = if unknown.is_empty() {
            "none".to_owned()
        } else {
            unknown.join(", ")
        };
        return Err(format!(
            "the columns must be of {known}, separated by commas; these are not: {unknown}"
        ));
    }
    let columns: Vec<_> = header.iter().filter_map(|cell| place(cell)).collect();
    let twice = (0..COLUMNS.len()).find(|column| columns.iter().filter(|other| *other == column).count() > 1);
    match twice {
        Some(column) => Err(format!("the column {} stands there twice", COLUMNS[column])),
        None if !columns.contains(&0) => Err(format!("the column id is missing; the columns are {known}")),
        None => Ok(columns),
    }
}

/// How a message names an unknown column. If the file has no header, its first line is personal data, so only what looks
/// like a name is shown.
fn name_or_place(at: usize, cell: &[u8]) -> String {
    let is_name = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b' ');
    match std::str::from_utf8(cell) {
        Ok(name) if (1..=40).contains(&name.len()) && cell.iter().all(is_name) => format!("`{name}`"),
        _ => format!("column {}", at + 1),
    }
}
