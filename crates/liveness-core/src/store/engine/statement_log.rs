//! What PostgreSQL's log tells of our statements. Their values are names, addresses, session ids and `metadata`.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::error::StoreError;

/// A setting by which values of statements reach the log of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedValues {
    /// The setting and its value, such as `log_min_duration_statement=0`.
    pub setting: String,
    /// When values are logged with it.
    pub when: &'static str,
    /// The settings that keep values out of the log.
    pub mend: &'static str,
    /// Whether whole statements are logged with their values. Else the server quotes one row or one key, if it refuses it.
    pub is_every_value: bool,
}

/// The settings that decide what is logged. A server has those of its version and of its extensions. The texts of our
/// statements have no values in them (`$1`), so what logs a text alone (`log_min_error_statement`) does not count.
const SETTINGS: &str = "'log_statement', 'log_min_duration_statement', 'log_min_duration_sample', \
    'log_statement_sample_rate', 'log_transaction_sample_rate', 'log_parameter_max_length', \
    'log_parameter_max_length_on_error', 'log_error_verbosity', \
    'auto_explain.log_min_duration', 'auto_explain.log_parameter_max_length'";

/// Asks the server what it logs of the statements of this connection.
pub(super) fn logged_values(conn: &mut PgConnection) -> Result<Vec<LoggedValues>, StoreError> {
    let settings = format!("SELECT name, setting FROM pg_settings WHERE name IN ({SETTINGS})");
    let settings: Vec<(String, String)> = sql::<(Text, Text)>(&settings).load(conn)?;
    Ok(Settings(settings.into_iter().collect()).logged_values())
}

/// Settings by their names, in the units of `pg_settings`.
struct Settings(BTreeMap<String, String>);

impl Settings {
    fn logged_values(&self) -> Vec<LoggedValues> {
        let mut found = Vec::new();
        let mut add = |name: &str, when, mend, is_every_value| {
            let setting = format!("{name}={}", self.text(name));
            found.push(LoggedValues {
                setting,
                when,
                mend,
                is_every_value,
            });
        };
        // A terse log has neither the DETAIL nor the CONTEXT of a message.
        let is_terse = self.text("log_error_verbosity") == "terse";
        if let Some(name) = self.statements().filter(|_| !is_terse) {
            // Before PostgreSQL 13 there was no such setting, and all values were logged.
            if self.text("log_parameter_max_length") != "0" {
                add(name, "a statement is logged", STATEMENTS, true);
            }
        }
        if !is_terse && self.is_set("log_parameter_max_length_on_error") {
            add("log_parameter_max_length_on_error", "a statement fails", ERRORS, true);
        }
        // It writes values into the message itself. Before PostgreSQL 16 it wrote none.
        if self.number("auto_explain.log_min_duration") >= 0.0 && self.is_set("auto_explain.log_parameter_max_length") {
            add("auto_explain.log_min_duration", "a plan is logged", PLANS, true);
        }
        if !is_terse {
            add("log_error_verbosity", "it refuses a row or a key", VERBOSITY, false);
        }
        found
    }

    /// The setting by which statements are logged that did not fail, if there is one.
    fn statements(&self) -> Option<&'static str> {
        if matches!(self.text("log_statement"), "mod" | "all") {
            Some("log_statement")
        } else if self.number("log_min_duration_statement") >= 0.0 {
            Some("log_min_duration_statement")
        } else if self.number("log_min_duration_sample") >= 0.0 && self.number("log_statement_sample_rate") > 0.0 {
            Some("log_min_duration_sample")
        } else {
            Some("log_transaction_sample_rate").filter(|name| self.number(name) > 0.0)
        }
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// -1, which is off, where the server does not have it.
    fn number(&self, name: &str) -> f64 {
        self.text(name).parse().unwrap_or(-1.0)
    }

    /// Whether the server has it, and it is not 0.
    fn is_set(&self, name: &str) -> bool {
        !matches!(self.text(name), "" | "0")
    }
}

const STATEMENTS: &str = "set log_parameter_max_length = 0 and log_error_verbosity = terse on the server";
const ERRORS: &str = "set log_parameter_max_length_on_error = 0 and log_error_verbosity = terse on the server";
const PLANS: &str = "set auto_explain.log_parameter_max_length = 0 on the server";
const VERBOSITY: &str = "set log_error_verbosity = terse on the server";

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings that log values, where these differ from those of PostgreSQL 16 as it comes.
    fn logging(changed: &[(&str, &str)]) -> Vec<String> {
        let defaults = [
            ("log_statement", "none"),
            ("log_min_duration_statement", "-1"),
            ("log_min_duration_sample", "-1"),
            ("log_statement_sample_rate", "1"),
            ("log_transaction_sample_rate", "0"),
            ("log_parameter_max_length", "-1"),
            ("log_parameter_max_length_on_error", "0"),
            ("log_error_verbosity", "default"),
        ];
        let all = defaults.iter().chain(changed);
        let owned = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let found = Settings(owned.collect()).logged_values();
        let every = found.into_iter().filter(|found| found.is_every_value);
        every.map(|found| found.setting).collect()
    }

    #[test]
    fn each_way_into_the_log_is_found_and_each_mend_closes_it() {
        let ways: [&[(&str, &str)]; 6] = [
            &[("log_statement", "mod")],
            &[("log_statement", "all")],
            &[("log_min_duration_statement", "0")],
            &[("log_min_duration_statement", "250")],
            &[("log_min_duration_sample", "0")],
            &[("log_transaction_sample_rate", "0.01")],
        ];
        for way in ways {
            let (name, value) = way[0];
            assert_eq!(logging(way), [format!("{name}={value}")]);
            for mend in [("log_parameter_max_length", "0"), ("log_error_verbosity", "terse")] {
                assert_eq!(logging(&[way, &[mend]].concat()), [""; 0], "{way:?} {mend:?}");
            }
        }
        let on_error = ("log_parameter_max_length_on_error", "-1");
        assert_eq!(logging(&[on_error]), ["log_parameter_max_length_on_error=-1"]);
        assert_eq!(logging(&[on_error, ("log_error_verbosity", "terse")]), [""; 0]);
    }

    #[test]
    fn plans_have_values_even_in_a_terse_log() {
        let plans = ("auto_explain.log_min_duration", "0");
        let terse = ("log_error_verbosity", "terse");
        let values = |length| ("auto_explain.log_parameter_max_length", length);

        assert_eq!(
            logging(&[plans, terse, values("-1")]),
            ["auto_explain.log_min_duration=0"]
        );
        assert_eq!(logging(&[plans, terse, values("0")]), [""; 0]);
        // PostgreSQL 15.
        assert_eq!(logging(&[plans]), [""; 0]);
    }

    #[test]
    fn what_logs_no_values_is_not_found() {
        let harmless: [&[(&str, &str)]; 4] = [
            &[],
            &[("log_statement", "ddl")],
            &[("log_min_duration_sample", "0"), ("log_statement_sample_rate", "0")],
            &[
                ("auto_explain.log_min_duration", "-1"),
                ("auto_explain.log_parameter_max_length", "-1"),
            ],
        ];
        for settings in harmless {
            assert_eq!(logging(settings), [""; 0], "{settings:?}");
        }
    }
}
