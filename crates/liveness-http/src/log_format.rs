//! The format of the log: lines of text for people, or JSON objects for log collectors.
//!
//! Both show the same fields. Each call writes exactly one line, whatever its values contain.

use std::fmt::Write as _;
use std::io::{self, Write};

use env_logger::fmt::{Formatter, Timestamp};
use log::Record;
use log::kv::{Error, Key, Value, VisitSource, VisitValue};
use serde::Serializer as _;
use serde_json::Value as Json;

use crate::environment::variable;

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line of text for each event.
    #[default]
    Text,
    /// A JSON object a line for each event.
    Json,
}

/// Starts the log on standard error. `RUST_LOG` sets the levels, or else `levels`.
pub fn start(format: LogFormat, levels: &str) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(variable("RUST_LOG").as_deref().unwrap_or(levels));
    builder.parse_write_style(variable("RUST_LOG_STYLE").as_deref().unwrap_or("auto"));
    match format {
        LogFormat::Text => builder.format(|out, record| {
            let (style, time) = (out.default_level_style(record.level()), out.timestamp_millis());
            let level = format!("{style}{:<5}{style:#}", record.level());
            text(out, record, &time, &level)
        }),
        LogFormat::Json => builder.format(|out: &mut Formatter, record| {
            let time = out.timestamp_millis();
            json(out, record, &time)
        }),
    };
    builder.init();
    std::panic::set_hook(Box::new(|panic| {
        // The panic's message is not logged, because it may quote personal data.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log::error!(target: "panic", place; "panicked");
    }));
}

/// `[2026-11-24T09:00:00.000Z INFO  liveness::message] CheckLivenessStatusQuery code=00 …`
fn text(out: &mut impl Write, record: &Record<'_>, time: &Timestamp, level: &str) -> io::Result<()> {
    let mut line = TextLine::default();
    // Neither can fail: writing to a `String` never does, and a visit fails only when its visitor does.
    let _ = write!(SingleLine(&mut line.text), "{}", record.args());
    let _ = record.key_values().visit(&mut line);
    writeln!(out, "[{time} {level} {}] {}", record.target(), line.text)
}

/// A line that is being written, and the names of its fields so far.
#[derive(Default)]
struct TextLine<'v> {
    text: String,
    names: Vec<Key<'v>>,
}

impl<'v> VisitSource<'v> for TextLine<'v> {
    fn visit_pair(&mut self, key: Key<'v>, value: Value<'v>) -> Result<(), Error> {
        let mark = if self.names.contains(&key) {
            DUPLICATE_SUFFIX
        } else {
            ""
        };
        let _ = write!(self.text, " {key}{mark}=");
        self.names.push(key);
        value.visit(self)
    }
}

impl VisitValue<'_> for TextLine<'_> {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), Error> {
        self.visit_str(&value.to_string())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        self.text.push('-');
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        // As in JSON, 5.0 keeps its fraction.
        let _ = write!(self.text, "{value:?}");
        Ok(())
    }

    /// A value without quotes, or with quotes where it would be ambiguous without.
    fn visit_str(&mut self, value: &str) -> Result<(), Error> {
        let is_plain = |letter: char| !letter.is_whitespace() && !breaks_lines(letter) && !matches!(letter, '"' | '=');
        if !value.is_empty() && value.chars().all(is_plain) {
            self.text.push_str(value);
        } else {
            let _ = write!(self.text, "{value:?}");
        }
        Ok(())
    }
}

/// Writes text, and escapes the characters that would end the line.
struct SingleLine<'a>(&'a mut String);

impl std::fmt::Write for SingleLine<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for part in text.split_inclusive(breaks_lines) {
            match part.char_indices().next_back() {
                Some((at, last)) if breaks_lines(last) => {
                    self.0.push_str(&part[..at]);
                    self.0.extend(last.escape_debug());
                }
                _ => self.0.push_str(part),
            }
        }
        Ok(())
    }
}

/// Whether some viewer takes the character for the end of a line, or it is a control character.
fn breaks_lines(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// `{"time":"2026-11-24T09:00:00.000Z","level":"INFO","target":"liveness::message","message":"…","code":"00",…}`
fn json(out: &mut impl Write, record: &Record<'_>, time: &Timestamp) -> io::Result<()> {
    let mut fields = JsonFields(vec![
        ("time".to_owned(), time.to_string().into()),
        ("level".to_owned(), record.level().as_str().into()),
        ("target".to_owned(), record.target().into()),
        ("message".to_owned(), record.args().to_string().into()),
    ]);
    // This visitor never fails.
    let _ = record.key_values().visit(&mut fields);
    // A `serde_json::Map` would sort the fields by name.
    let pairs = fields.0.iter().map(|(name, value)| (name, value));
    serde_json::Serializer::new(&mut *out).collect_map(pairs)?;
    writeln!(out)
}

/// A library may log a second field with the same name. It is kept, with this suffix at its name.
const DUPLICATE_SUFFIX: &str = "_";

/// Names and values, in the order in which they were logged.
#[derive(Default)]
struct JsonFields(Vec<(String, Json)>);

impl<'v> VisitSource<'v> for JsonFields {
    fn visit_pair(&mut self, key: Key<'v>, value: Value<'v>) -> Result<(), Error> {
        let is_taken = self.0.iter().any(|(name, _)| name == key.as_str());
        let name = key.as_str().to_owned() + if is_taken { DUPLICATE_SUFFIX } else { "" };
        let mut typed = JsonValue(Json::Null);
        value.visit(&mut typed)?;
        self.0.push((name, typed.0));
        Ok(())
    }
}

/// A value with its JSON type: a number stays a number.
struct JsonValue(Json);

impl VisitValue<'_> for JsonValue {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), Error> {
        self.0 = value.to_string().into();
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        self.0 = Json::Null;
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), Error> {
        self.0 = value.into();
        Ok(())
    }
}
