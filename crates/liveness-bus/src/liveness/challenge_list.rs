//! The fields `challenges` and `completedChallenges`. Every element is checked, but only as many are kept as it
//! takes to see that there are too many.

use std::fmt;

use liveness_core::{Challenges, Violation};
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The texts of a list of challenges, as they were sent: the first 101.
///
/// A list may hold 100. So a body of thousands of texts costs no memory for each.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct ChallengeList(Vec<String>);

impl ChallengeList {
    /// The challenges.
    ///
    /// # Errors
    ///
    /// That of [`Challenges::parse`]. There is no error after validation.
    pub fn challenges(&self) -> Result<Challenges, Violation> {
        Challenges::parse(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChallengeList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = ChallengeList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<ChallengeList, A::Error> {
                let mut texts = Vec::new();
                while texts.len() <= Challenges::MAX {
                    let Some(text) = elements.next_element()? else {
                        return Ok(ChallengeList(texts));
                    };
                    texts.push(text);
                }
                while elements.next_element::<PassedText>()?.is_some() {}
                Ok(ChallengeList(texts))
            }
        }

        deserializer.deserialize_seq(Texts)
    }
}

/// A text that is not kept.
struct PassedText;

impl<'de> Deserialize<'de> for PassedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = PassedText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<PassedText, E> {
                Ok(PassedText)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_too_long_is_known_by_its_first_texts() {
        let list =
            |count: usize| serde_json::from_str::<ChallengeList>(&format!("[{}]", vec![r#""A""#; count].join(",")));
        let most = list(100).unwrap();
        assert_eq!(most.challenges().unwrap().to_strings().len(), 100);
        for count in [101, 102, 5_000] {
            let longer = list(count).unwrap();
            assert_eq!(longer.0.len(), 101);
            assert_eq!(longer.challenges().unwrap_err().code(), "length");
        }
    }
}
