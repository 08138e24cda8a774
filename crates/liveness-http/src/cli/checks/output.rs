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
const COLUMNS: [&str; 22] = [
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
    "ImageBase64",
];

/// How records are written.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Format {
    Ndjson,
    Csv,
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
    pub(super) fn create(path: &Path, format: Format, with_faces: bool) -> Result<Self, Failure> {
        let out: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            Box::new(made.map_err(|error| Failure::file("make", &path.display().to_string(), &error))?)
        };
        let out = BufWriter::with_capacity(1 << 16, out);
        if format == Format::Ndjson {
            return Ok(Self::Ndjson(out));
        }
        let columns = if with_faces {
            &COLUMNS[..]
        } else {
            &COLUMNS[..COLUMNS.len() - 1]
        };
        let mut out = Box::new(csv::Writer::from_writer(out));
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
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => return other.to_string(),
    };
    // https://owasp.org/www-community/attacks/CSV_Injection
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_is_given_no_formula() {
        for (value, expected) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(cell(&value.into()), expected);
        }
        assert_eq!(cell(&serde_json::json!(-1.5)), "-1.5");
        assert_eq!(cell(&serde_json::json!(["=BLINK", "SMILE"])), "'=BLINK SMILE");
        assert_eq!(cell(&Value::Null), "");
    }
}
