//! How the log is written: a line for people, or a JSON object for collectors. Both show the same fields of the same
//! calls, and whatever stands in these: one call, one line.

use std::fmt::Write as _;
use std::io::{self, Write};

use env_logger::fmt::{Formatter, Timestamp};
use log::Record;
use log::kv::{Error, Key, Value, VisitSource, VisitValue};
use serde::Serializer as _;
use serde_json::Value as Json;

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line of text for each event.
    #[default]
    Text,
    /// A JSON object a line for each event.
    Json,
}

/// Starts the log, on the standard error output. `RUST_LOG` says what is in it, or else `levels`.
pub fn start(format: LogFormat, levels: &str) {
    let levels = env_logger::Env::default().default_filter_or(levels);
    let mut builder = env_logger::Builder::from_env(levels);
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
        // Not what it says: that may quote what it fell over.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log::error!(target: "panic", place; "panicked");
    }));
}

/// `[2026-11-24T09:00:00.000Z INFO  liveness::message] CheckLivenessStatusQuery code=00 …`
fn text(out: &mut impl Write, record: &Record<'_>, time: &Timestamp, level: &str) -> io::Result<()> {
    let mut line = Line::default();
    // Writing to a String cannot fail, and a visit only where what it visits with does.
    let _ = write!(Unbroken(&mut line.text), "{}", record.args());
    let _ = record.key_values().visit(&mut line);
    writeln!(out, "[{time} {level} {}] {}", record.target(), line.text)
}

/// A line as it comes to be, and the names that are in it.
#[derive(Default)]
struct Line<'v> {
    text: String,
    names: Vec<Key<'v>>,
}

impl<'v> VisitSource<'v> for Line<'v> {
    fn visit_pair(&mut self, key: Key<'v>, value: Value<'v>) -> Result<(), Error> {
        let mark = if self.names.contains(&key) { TAKEN } else { "" };
        let _ = write!(self.text, " {key}{mark}=");
        self.names.push(key);
        value.visit(self)
    }
}

impl VisitValue<'_> for Line<'_> {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), Error> {
        self.visit_str(&value.to_string())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        self.text.push('-');
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        // As JSON has it: 5.0 is not 5.
        let _ = write!(self.text, "{value:?}");
        Ok(())
    }

    /// A value as it stands, or in quotes where it could be taken for something else.
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

/// A text of which no character ends the line.
struct Unbroken<'a>(&'a mut String);

impl std::fmt::Write for Unbroken<'_> {
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

/// Control characters, and what some viewers take for the end of a line.
fn breaks_lines(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// `{"time":"2026-11-24T09:00:00.000Z","level":"INFO","target":"liveness::message","message":"…","code":"00",…}`
fn json(out: &mut impl Write, record: &Record<'_>, time: &Timestamp) -> io::Result<()> {
    let mut fields = Fields(vec![
        ("time".to_owned(), time.to_string().into()),
        ("level".to_owned(), record.level().as_str().into()),
        ("target".to_owned(), record.target().into()),
        ("message".to_owned(), record.args().to_string().into()),
    ]);
    // It fails only when what it visits with does, and that does not.
    let _ = record.key_values().visit(&mut fields);
    // As a map it would be put in the order of the alphabet.
    let pairs = fields.0.iter().map(|(name, value)| (name, value));
    serde_json::Serializer::new(&mut *out).collect_map(pairs)?;
    writeln!(out)
}

/// What a library logs under a name that is taken keeps its value, with this behind the name.
const TAKEN: &str = "_";

/// Names and values, in the order in which they were logged.
#[derive(Default)]
struct Fields(Vec<(String, Json)>);

impl<'v> VisitSource<'v> for Fields {
    fn visit_pair(&mut self, key: Key<'v>, value: Value<'v>) -> Result<(), Error> {
        let is_taken = self.0.iter().any(|(name, _)| name == key.as_str());
        let name = key.as_str().to_owned() + if is_taken { TAKEN } else { "" };
        let mut typed = Typed(Json::Null);
        value.visit(&mut typed)?;
        self.0.push((name, typed.0));
        Ok(())
    }
}

/// A value as JSON has it: a number where it is one.
struct Typed(Json);

impl VisitValue<'_> for Typed {
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
