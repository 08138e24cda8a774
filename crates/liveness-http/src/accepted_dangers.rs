//! The dangers that an operator accepts, by their names.

use std::str::FromStr;

/// The names of dangers that the operator accepts: `world-writable,newer-schema`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcceptedDangers(Vec<String>);

impl AcceptedDangers {
    /// Whether a danger is accepted.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|accepted| accepted.eq_ignore_ascii_case(name))
    }
}

impl FromStr for AcceptedDangers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let is_name = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let names: Vec<_> = names.map(str::to_owned).collect();
        if names.iter().all(|name| is_name(name)) {
            Ok(Self(names))
        } else {
            Err(
                "must be names of dangers with commas between, as `doctor` shows them: world-writable,newer-schema"
                    .to_owned(),
            )
        }
    }
}
