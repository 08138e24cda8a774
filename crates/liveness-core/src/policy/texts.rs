//! How texts and lists of a policy are written.

use toml::de::DeValue;

use super::forms::Form;
use crate::text::is_forbidden_control;

/// A text as TOML. A JSON string is a TOML string, if it has no DEL.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text of so many characters at most, without control characters.
pub(super) struct Words(pub(super) usize);

impl Form for Words {
    type Value = String;

    fn must_be(&self) -> String {
        format!("a text of 1 to {} characters without control characters", self.0)
    }

    fn read(&self, value: &DeValue<'_>) -> Option<String> {
        let text = value.as_str()?.trim();
        let is_good = !text.is_empty() && text.chars().count() <= self.0 && !text.contains(char::is_control);
        is_good.then(|| text.to_owned())
    }

    fn write(&self, value: &String) -> String {
        quoted(value)
    }
}

/// A list of names, none of them twice: of two names, this says whether they are one.
pub(super) struct Names(pub(super) fn(&str, &str) -> bool);

impl Form for Names {
    type Value = Vec<String>;

    fn must_be(&self) -> String {
        "a list of 1 to 100 names, each of 1 to 64 characters, none of them twice".to_owned()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Vec<String>> {
        let list = value.as_array()?;
        let mut names: Vec<String> = Vec::with_capacity(list.len());
        for name in list {
            let name = name.as_ref().as_str()?;
            let is_good = !name.is_empty() && name.chars().count() <= 64 && !name.contains(is_forbidden_control);
            if !is_good || names.iter().any(|known| self.0(known, name)) {
                return None;
            }
            names.push(name.to_owned());
        }
        (1..=100).contains(&names.len()).then_some(names)
    }

    fn write(&self, value: &Vec<String>) -> String {
        list_of(value.iter().map(|name| quoted(name)))
    }
}

/// A list of numbers from 0 to 1. Its order does not matter.
pub(super) struct Shares;

impl Form for Shares {
    type Value = Vec<f64>;

    fn must_be(&self) -> String {
        "a list of at most 100 numbers from 0 to 1".to_owned()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Vec<f64>> {
        let list = value.as_array()?;
        let numbers = list.iter().map(|value| share(value.as_ref()));
        let mut numbers = numbers.collect::<Option<Vec<_>>>()?;
        numbers.sort_unstable_by(f64::total_cmp);
        numbers.dedup();
        (numbers.len() <= 100).then_some(numbers)
    }

    fn write(&self, value: &Vec<f64>) -> String {
        list_of(value.iter().map(|number| format!("{number:?}")))
    }
}

fn share(value: &DeValue<'_>) -> Option<f64> {
    let number: f64 = match value {
        DeValue::Float(number) => number.as_str().parse().ok()?,
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok()?,
        _ => return None,
    };
    // Zero has no sign.
    (0.0..=1.0).contains(&number).then_some(number + 0.0)
}

fn list_of(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
