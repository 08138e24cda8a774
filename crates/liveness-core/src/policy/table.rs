//! Reads a table of a policy file into what its keys are, and writes it as lines.

use toml::de::{DeTable, DeValue};

use super::mistake::Collector;

/// One key with its value, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The key, in quotes where it needs them.
    pub(super) key: String,
    /// The value as TOML.
    pub(super) value: String,
    /// What it means, for a comment.
    pub(super) says: &'static [&'static str],
}

/// What can be read from a table.
pub(super) trait Keys {
    /// The keys, in the order in which they are written.
    fn keys(&self) -> &'static [&'static str];

    /// Sets a key that there is.
    ///
    /// # Errors
    ///
    /// What is wrong with the value, below the name of the key, and what would be right.
    fn set(&mut self, key: &str, value: &DeValue<'_>) -> Result<(), Vec<Wrong>>;

    /// What it says, key by key.
    fn lines(&self) -> Vec<Line>;
}

/// A mistake within a value.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Where in the file, if it is not the whole value.
    pub(super) offset: Option<usize>,
    /// What is wrong: `: must be …`, or `.at_least: must be …`.
    pub(super) message: String,
}

impl Wrong {
    /// The whole value is wrong.
    pub(super) fn must_be(what: &str) -> Self {
        Self {
            offset: None,
            message: format!(": must be {what}"),
        }
    }
}

/// Reads what a table says. `name` is the name of the part.
pub(super) fn read(keys: &mut impl Keys, name: &str, table: &DeTable<'_>, mistakes: &mut Collector<'_>) {
    for (key, value) in table {
        let (offset, key) = (key.span().start, key.get_ref().as_ref());
        if mistakes.is_broken(offset) {
            continue;
        }
        if !keys.keys().contains(&key) {
            mistakes.add(offset, unknown(keys, name, key, value.get_ref()));
        } else if let Err(wrong) = keys.set(key, value.get_ref()) {
            for Wrong {
                offset: within,
                message,
            } in wrong
            {
                mistakes.add(within.unwrap_or(offset), format!("{name}.{key}{message}"));
            }
        }
    }
}

fn unknown(keys: &impl Keys, name: &str, key: &str, value: &DeValue<'_>) -> String {
    // Without quotes, a dot leads into a table.
    if let (Some(inner), Some(dotted)) = (value.as_table(), dotted(keys.keys(), key)) {
        let first = inner.keys().next().map(|inner| format!("{key}.{}", inner.get_ref()));
        let meant = first.filter(|name| keys.keys().contains(&name.as_str()));
        let meant = meant.unwrap_or_else(|| dotted.to_owned());
        return format!("{name}.{key}: a name with a dot needs quotes: \"{meant}\"");
    }
    format!(
        "{name}.{key}: there is no such key in [{name}]{}",
        nearest(key, keys.keys())
    )
}

fn dotted(keys: &[&'static str], key: &str) -> Option<&'static str> {
    let begins = |name: &&&str| name.split_once('.').is_some_and(|(first, _)| first == key);
    keys.iter().find(begins).copied()
}

/// The name that was meant, if one is near, or all that there are.
pub(super) fn nearest(word: &str, known: &[&str]) -> String {
    let word = word.to_ascii_lowercase();
    let closeness = |name: &&&str| strsim::jaro_winkler(&word, name);
    let near = known.iter().max_by(|a, b| closeness(a).total_cmp(&closeness(b)));
    match near {
        Some(name) if closeness(&name) > 0.75 => format!("; did you mean {name}?"),
        _ => format!("; known are {}", known.join(", ")),
    }
}

/// Declares a struct of keys: its fields, each with what it means and how it is written, and perhaps its value under `record`
/// and under `enforce`. What a field means is a comment in the file too.
macro_rules! keys {
    (
        $(#[$meta:meta])*
        $name:ident {
            $(
                $(#[doc = $says:literal])+
                $field:ident: $type:ty as $form:expr, $record:expr, $enforce:expr;
            )+
        }
    ) => {
        $crate::policy::table::keys! {
            $(#[$meta])*
            $name { $($(#[doc = $says])+ $field: $type as $form;)+ }
        }

        impl $name {
            pub(super) fn of(base: $crate::policy::base::Base) -> Self {
                Self { $($field: base.choose($record, $enforce),)+ }
            }
        }
    };
    (
        $(#[$meta:meta])*
        $name:ident {
            $(
                $(#[doc = $says:literal])+
                $field:ident: $type:ty as $form:expr;
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[doc = $says])+
                pub $field: $type,
            )+
        }

        impl $crate::policy::table::Keys for $name {
            fn keys(&self) -> &'static [&'static str] {
                &[$(stringify!($field)),+]
            }

            fn set(
                &mut self,
                key: &str,
                value: &toml::de::DeValue<'_>,
            ) -> Result<(), Vec<$crate::policy::table::Wrong>> {
                use $crate::policy::forms::Form as _;
                match key {
                    $(stringify!($field) => {
                        let wrong = || vec![$crate::policy::table::Wrong::must_be(&$form.must_be())];
                        self.$field = $form.read(value).ok_or_else(wrong)?;
                    })+
                    _ => {}
                }
                Ok(())
            }

            fn lines(&self) -> Vec<$crate::policy::table::Line> {
                use $crate::policy::forms::Form as _;
                vec![$($crate::policy::table::Line {
                    key: stringify!($field).to_owned(),
                    value: $form.write(&self.$field),
                    says: &[$($says),+],
                }),+]
            }
        }
    };
}
pub(super) use keys;
