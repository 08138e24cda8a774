//! The output of an export, in one of two formats.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use clap::ValueEnum;
use liveness_bus::liveness::LivenessCheckItem;
use liveness_core::FaceImage;
use serde::Serialize;
use serde_json::Value;

use super::super::failure::Failure;

/// A record, with its face when faces are exported.
#[derive(Serialize)]
pub(super) struct Record {
    #[serde(flatten)]
    check: LivenessCheckItem,
    #[serde(rename = "ImageBase64", skip_serializing_if = "Option::is_none")]
    face: Option<FaceImage>,
}

impl Record {
    pub(super) fn new(check: LivenessCheckItem, face: Option<FaceImage>) -> Self {
        Self { check, face }
    }
}

/// The columns of CSV, named as in JSON. The last one is there only when faces are exported.
const COLUMNS: [&str; 24] = [
    "Id",
    "SelfServiceUserId",
    "PreRegistrationId",
    "UserId2",
    "EmailAddress",
    "DisplayName",
    "SessionId",
    "IsSuccessful",
    "VerificationResult",
    "SessionDuration",
    "LightingValue",
    "ChallengeCount",
    "CompletedChallenges",
    "FinalCaptureVerificationResult",
    "HasImage",
    "ImagePath",
    "ImageVerificationResult",
    "CompletedAt",
    "CreatedAt",
    "DeviceInfo",
    "ClientIp",
    "Verdict",
    "Decision",
    "ImageBase64",
];

/// How records are written.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Format {
    Ndjson,
    Csv,
}

/// The format, and what it has besides.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) format: Format,
    /// Whether CSV begins with a byte order mark.
    pub(super) bom: bool,
    pub(super) with_faces: bool,
}

/// Without it, Excel takes UTF-8 for the encoding of the country.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Every cell is quoted, so that none can end early.
fn csv_writer<W: Write>(out: W) -> csv::Writer<W> {
    let mut writer = csv::WriterBuilder::new();
    writer.quote_style(csv::QuoteStyle::Always).from_writer(out)
}

type Out = BufWriter<Box<dyn Write + Send>>;

/// The file or stream, with its format.
pub(super) enum Output {
    Ndjson(Out),
    Csv {
        out: Box<csv::Writer<Out>>,
        columns: &'static [&'static str],
    },
}

impl Output {
    /// Makes a new file, which only its owner may read. `-` is standard output.
    pub(super) fn create(path: &Path, form: Form) -> Result<Self, Failure> {
        let Form {
            format,
            bom,
            with_faces,
        } = form;
        let out: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            Box::new(made.map_err(|error| Failure::new_file(path, &error))?)
        };
        let mut out = BufWriter::with_capacity(1 << 16, out);
        if format == Format::Ndjson {
            return Ok(Self::Ndjson(out));
        }
        let columns = if with_faces {
            &COLUMNS[..]
        } else {
            &COLUMNS[..COLUMNS.len() - 1]
        };
        if bom {
            out.write_all(BYTE_ORDER_MARK)?;
        }
        let mut out = Box::new(csv_writer(out));
        out.write_record(columns).map_err(io::Error::from)?;
        Ok(Self::Csv { out, columns })
    }

    /// Writes records, and flushes them.
    pub(super) fn write(&mut self, records: &[Record]) -> io::Result<()> {
        match self {
            Self::Ndjson(out) => {
                for record in records {
                    serde_json::to_writer(&mut *out, record)?;
                    out.write_all(b"\n")?;
                }
                out.flush()
            }
            Self::Csv { out, columns } => {
                for record in records {
                    let json = serde_json::to_value(record)?;
                    out.write_record(columns.iter().map(|column| cell(&json[*column])))?;
                }
                out.flush()
            }
        }
    }
}

/// A value as a cell of CSV. No spreadsheet must take a value from a client for a formula.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        Value::Array(texts) => {
            let texts = texts.iter().filter_map(Value::as_str).map(harmless);
            texts.collect::<Vec<_>>().join(" ")
        }
        // Numbers and truth values are ours, and -1.5 stays a number.
        other => other.to_string(),
    }
}

/// The characters at which a spreadsheet may begin a new cell when it is told another separator. A line break is one,
/// because with another separator the quotes around the cell are none.
const SEPARATORS: [char; 6] = [',', ';', '\t', '|', '\n', '\r'];
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// The text with an apostrophe before each formula, at its start and behind any separator.
///
/// <https://owasp.org/www-community/attacks/CSV_Injection>
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len() + 1);
    if text.starts_with(['\t', '\r', '\n']) {
        harmless.push('\'');
    }
    for part in text.split_inclusive(SEPARATORS) {
        // Some programs skip the spaces and quotes at the start of a cell.
        if part.trim_start_matches([' ', '"']).starts_with(FORMULAS) {
            harmless.push('\'');
        }
        harmless.push_str(part);
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_given_an_apostrophe_wherever_a_cell_may_begin() {
        for (value, expected) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("＝1", "'＝1"),
            (" =1", "' =1"),
            ("\"=1\"", "'\"=1\""),
            ("\t=1", "'\t'=1"),
            ("\r\n+1", "'\r\n'+1"),
            ("a;=1+1", "a;'=1+1"),
            ("a,@b|-c\t+d", "a,'@b|'-c\t'+d"),
            ("a; \"=1\"", "a;' \"=1\""),
            ("a\n=1", "a\n'=1"),
            (";;=1", ";;'=1"),
        ] {
            assert_eq!(cell(&value.into()), expected);
        }
    }

    #[test]
    fn what_is_no_formula_stays_as_it_is() {
        for value in [
            "a=1",
            "2026-03-22T14:00:05Z",
            "Anne-Marie O'Neil",
            "a;b",
            "a - b",
            "x@example.com",
            "::1",
        ] {
            assert_eq!(cell(&value.into()), value);
        }
        assert_eq!(cell(&serde_json::json!(-1.5)), "-1.5");
        assert_eq!(cell(&serde_json::json!(true)), "true");
        assert_eq!(cell(&serde_json::json!(["=BLINK", "SMILE", "+A"])), "'=BLINK SMILE '+A");
        assert_eq!(cell(&Value::Null), "");
    }

    /// The rows as a program finds them that is told this separator.
    fn read_with(separator: u8, text: &[u8]) -> Vec<csv::StringRecord> {
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.delimiter(separator).flexible(true).has_headers(false);
        reader.from_reader(text).records().map(Result::unwrap).collect()
    }

    #[test]
    fn no_cell_is_a_formula_with_any_separator() {
        let mut out = csv_writer(Vec::new());
        let values = [
            "=1+1",
            "a;=1+1",
            "a;\"=1+1\"",
            "\";=1+1",
            "\"\";\"\"=1+1",
            "a\t+1",
            "a|@x",
            "a,-1",
            "a\n=1",
            "\"\n=1",
            "a\r=1;=2",
            "; =1",
            "＝1;＝2",
            ";\t=1",
        ];
        for value in values {
            // In the middle, so that quotes of the cells beside it are there too.
            out.write_record(["1", &cell(&value.into()), "z"]).unwrap();
        }
        let text = out.into_inner().unwrap();

        for separator in [b',', b';', b'\t', b'|'] {
            let rows = read_with(separator, &text);
            assert!(rows.len() >= values.len());
            for cell in rows.iter().flat_map(csv::StringRecord::iter) {
                assert!(!cell.trim_start().starts_with(FORMULAS), "{separator}: {cell:?}");
            }
        }
        let rows = read_with(b',', &text);
        assert!(rows.iter().all(|row| row.len() == 3), "{rows:?}");
    }
}
