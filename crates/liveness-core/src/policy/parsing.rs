//! Reads a policy file, and finds every mistake in it.

use toml::de::{DeTable, DeValue};

use super::base::Base;
use super::mistake::{Collector, PolicyMistakes};
use super::table::{self, nearest};
use super::{PARTS, Policy};

const BASE_IS: &str = "base: must be \"record\" or \"enforce\"";

impl Policy {
    /// Reads a policy file: TOML that begins with `base = "record"` or `"enforce"`, and says what differs.
    ///
    /// # Errors
    ///
    /// All mistakes, each with its line.
    pub fn parse(text: &str) -> Result<Self, PolicyMistakes> {
        let mut mistakes = Collector::of(text);
        let (root, broken) = DeTable::parse_recoverable(text);
        for error in &broken {
            let span = error.span().unwrap_or(text.len()..text.len());
            mistakes.add_broken(span.start, syntax(error.message(), text.get(span)));
        }
        let root = root.get_ref();
        let mut policy = Self::of(base_of(root, &mut mistakes));
        for (name, value) in root {
            let (offset, name) = (name.span().start, name.get_ref().as_ref());
            if name != "base" && !mistakes.is_broken(offset) {
                policy.read_part(name, offset, value.get_ref(), &mut mistakes);
            }
        }
        if mistakes.is_empty() {
            policy.check_together(root, &mut mistakes);
        }
        mistakes.finish().map(|()| policy)
    }

    fn read_part(&mut self, name: &str, offset: usize, value: &DeValue<'_>, mistakes: &mut Collector<'_>) {
        if !PARTS.contains(&name) {
            return mistakes.add(offset, self.unknown(name, value));
        }
        let Some(table) = value.as_table() else {
            return mistakes.add(offset, format!("{name}: must be a part: [{name}], and its keys below"));
        };
        match name {
            "session" => table::read(&mut self.session, name, table, mistakes),
            "attempts" => table::read(&mut self.attempts, name, table, mistakes),
            "quota" => table::read(&mut self.quota, name, table, mistakes),
            "verdict" => table::read(&mut self.verdict, name, table, mistakes),
            "rules" => table::read(&mut self.rules, name, table, mistakes),
            "review" => table::read(&mut self.review, name, table, mistakes),
            "looks" => table::read(&mut self.looks, name, table, mistakes),
            _ => table::read(&mut self.retention, name, table, mistakes),
        }
    }

    fn unknown(&self, name: &str, value: &DeValue<'_>) -> String {
        if value.as_table().is_some() {
            return format!("{name}: there is no such part{}", nearest(name, &PARTS));
        }
        match self.lines().iter().find(|(_, line)| line.key == name) {
            Some((part, _)) => format!("{name}: must be below its part: [{part}]"),
            None => format!("{name}: there is no such key{}", nearest(name, &["base"])),
        }
    }

    /// Checks the values that need each other.
    fn check_together(&self, root: &DeTable<'_>, mistakes: &mut Collector<'_>) {
        let challenges = self.session.challenges.len();
        if self.session.count as usize > challenges {
            let offset = place_of(root, "session", &["count", "challenges"]);
            mistakes.add(
                offset,
                format!("session.count: must be at most {challenges}, as many as there are challenges"),
            );
        }
        if self.attempts.in_a_row.is_some() && self.attempts.delay.is_none() {
            let offset = place_of(root, "attempts", &["in_a_row", "delay"]);
            mistakes.add(
                offset,
                "attempts.in_a_row: must have a delay beside it, which says how long to wait, such as delay = \"30s\"",
            );
        }
    }
}

/// What a file starts from. A mistake stands for `record`, so that the rest of the file is read.
fn base_of(root: &DeTable<'_>, mistakes: &mut Collector<'_>) -> Base {
    let found = root.iter().find(|(name, _)| name.get_ref() == "base");
    let Some((name, value)) = found else {
        if !mistakes.is_broken(0) {
            mistakes.add(
                0,
                "base: is missing: a policy begins with base = \"record\" or base = \"enforce\"",
            );
        }
        return Base::Record;
    };
    value.get_ref().as_str().and_then(Base::of_word).unwrap_or_else(|| {
        mistakes.add(name.span().start, BASE_IS);
        Base::Record
    })
}

/// Where the first of these keys is in the file.
fn place_of(root: &DeTable<'_>, part: &str, keys: &[&str]) -> usize {
    let table = root.iter().find(|(name, _)| name.get_ref() == part);
    let table = table.and_then(|(_, value)| value.get_ref().as_table());
    let place = |key: &&str| {
        let found = table?.iter().find(|(name, _)| name.get_ref() == *key);
        found.map(|(name, _)| name.span().start)
    };
    keys.iter().find_map(place).unwrap_or_default()
}

/// What is wrong with a line that is no TOML.
fn syntax(message: &str, found: Option<&str>) -> String {
    let found = found.unwrap_or_default();
    if message == "duplicate key" {
        return format!("{found}: is said twice; leave one of them out");
    }
    format!("no valid TOML: {message}")
}
