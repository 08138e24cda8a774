//! What a rule of the verdict does when it speaks.

use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::forms::Form;
use super::texts::quoted;

/// What a rule does when it speaks. The worst effect of all rules decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The rule is not asked.
    Off,
    /// The verdict names it, and is none the worse.
    Note,
    /// A person has to look.
    Review,
    /// The check is rejected.
    Reject,
}

impl Effect {
    const ALL: [Self; 4] = [Self::Off, Self::Note, Self::Review, Self::Reject];

    /// The word, as in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Note => "note",
            Self::Review => "review",
            Self::Reject => "reject",
        }
    }
}

/// An effect, by its word.
pub(super) struct EffectWord;

impl Form for EffectWord {
    type Value = Effect;

    fn must_be(&self) -> String {
        "\"off\", \"note\", \"review\" or \"reject\"".to_owned()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Effect> {
        let word = value.as_str()?;
        Effect::ALL.into_iter().find(|effect| effect.as_str() == word)
    }

    fn write(&self, value: &Effect) -> String {
        quoted(value.as_str())
    }
}
