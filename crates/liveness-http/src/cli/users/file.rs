//! The file of an import: its header, and its lines in batches. A thread of its own reads it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};
use tokio::sync::mpsc;

use super::super::failure::Failure;
use super::super::progress::Progress;
use super::row::{COLUMNS, Row, RowError};

/// Some lines, each with its number.
pub(super) struct Batch {
    pub(super) rows: Vec<(u64, Result<Row, Vec<RowError>>)>,
    /// How many bytes of the file have been read.
    pub(super) position: u64,
}

/// A file whose header was read.
pub(super) struct UserFile {
    name: String,
    bytes: Option<u64>,
    reader: Reader<Box<dyn Read + Send>>,
    columns: Vec<usize>,
}

impl UserFile {
    /// Opens it and reads its header; `-` is standard input.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let (name, bytes, input): (_, _, Box<dyn Read + Send>) = if path == Path::new("-") {
            ("standard input".to_owned(), None, Box::new(io::stdin()))
        } else {
            let name = path.display().to_string();
            let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
            let (about, file) = opened.map_err(|error| Failure::file("read", &name, &error))?;
            (name, about.is_file().then_some(about.len()), Box::new(file))
        };
        // `flexible` leaves lines with too many or too few cells to us, for a better message.
        let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(input);
        let header = reader.byte_headers().map_err(|error| unreadable(&name, &error))?;
        let columns = columns(header).map_err(|message| Failure::of(format!("{name} line 1: {message}")))?;
        Ok(Self {
            name,
            bytes,
            reader,
            columns,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The progress bar, in bytes.
    pub(super) fn progress(&self) -> Progress {
        Progress::new(
            self.bytes,
            "{bar:40} {bytes} of {total_bytes}, {eta} left",
            "{spinner} {bytes}",
        )
    }

    /// Reads the file to its end. It reads at most two batches ahead.
    pub(super) fn read(mut self, batch: usize) -> mpsc::Receiver<Result<Batch, Failure>> {
        let (batches, taken) = mpsc::channel(2);
        // It stops at the end of the file, or when nobody receives the batches any more.
        actix_web::rt::task::spawn_blocking(move || {
            loop {
                let read = self.batch(batch);
                let is_last = read.as_ref().map_or(true, |batch| batch.rows.is_empty());
                if batches.blocking_send(read).is_err() || is_last {
                    break;
                }
            }
        });
        taken
    }

    fn batch(&mut self, size: usize) -> Result<Batch, Failure> {
        let mut rows = Vec::with_capacity(size);
        let mut record = ByteRecord::new();
        while rows.len() < size {
            let read = self.reader.read_byte_record(&mut record);
            if !read.map_err(|error| unreadable(&self.name, &error))? {
                break;
            }
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, Row::parse(&self.columns, &record)));
        }
        let position = self.reader.position().byte();
        Ok(Batch { rows, position })
    }
}

fn unreadable(name: &str, error: &csv::Error) -> Failure {
    Failure::of(format!("cannot read {name}: {error}"))
}

/// Finds the column of each cell of the header.
fn columns(header: &ByteRecord) -> Result<Vec<usize>, String> {
    let known = COLUMNS.join(", ");
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
    let columns: Vec<_> = header.iter().filter_map(place).collect();
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
