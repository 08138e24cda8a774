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
    let mut line = String::new();
    let message = record.args().to_string();
    for letter in message.chars() {
        if breaks_lines(letter) {
            line.extend(letter.escape_debug());
        } else {
            line.push(letter);
        }
    }
    let mut fields = Fields::default();
    visit(record, &mut fields);
    for (name, value) in fields.0 {
        let value = match value {
            Json::Null => "-".to_owned(),
            Json::String(text) => plain(text),
            other => other.to_string(),
        };
        // Writing to a String cannot fail.
        let _ = write!(line, " {name}={value}");
    }
    writeln!(out, "[{time} {level} {}] {line}", record.target())
}

/// A value as it stands, or in quotes where it could be taken for something else.
fn plain(text: String) -> String {
    let is_plain = |letter: char| !letter.is_whitespace() && !breaks_lines(letter) && !matches!(letter, '"' | '=');
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("{text:?}")
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
    visit(record, &mut fields);
    // As a map it would be put in the order of the alphabet.
    let pairs = fields.0.iter().map(|(name, value)| (name, value));
    serde_json::Serializer::new(&mut *out).collect_map(pairs)?;
    writeln!(out)
}

fn visit(record: &Record<'_>, fields: &mut Fields) {
    // It fails only when what it visits with does, and that does not.
    let _ = record.key_values().visit(fields);
}

/// Names and values, in the order in which they were logged.
#[derive(Default)]
struct Fields(Vec<(String, Json)>);

impl<'v> VisitSource<'v> for Fields {
    fn visit_pair(&mut self, key: Key<'v>, value: Value<'v>) -> Result<(), Error> {
        // What a library logs under a name that is taken keeps its value, under another.
        let is_taken = self.0.iter().any(|(name, _)| name == key.as_str());
        let name = key.as_str().to_owned() + if is_taken { "_" } else { "" };
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
