//! The name of an object that holds a face.

use std::fmt;

use super::data_key::fill;
use super::error::KeeperError;

/// The name of an object that holds a face: 128 random bits. It says nothing about the face or the user.
///
/// ```
/// use liveness_core::faces::ObjectName;
///
/// let name = ObjectName::random()?;
/// assert_eq!(name.to_string().len(), 32);
/// assert_eq!(ObjectName::parse(&name.to_string()), Some(name));
/// assert_eq!(ObjectName::parse("report.pdf"), None);
/// # Ok::<(), liveness_core::faces::KeeperError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName([u8; Self::BYTES]);

impl ObjectName {
    /// The length of a name. As a text, it has twice as many letters.
    pub const BYTES: usize = 16;

    /// The name of the object that says whose a place is. No face has it.
    pub(crate) const MARK: Self = Self([0; Self::BYTES]);

    /// A new name.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`] when the machine gives no random bytes.
    pub fn random() -> Result<Self, KeeperError> {
        let mut name = [0; Self::BYTES];
        fill(&mut name)?;
        Ok(Self(name))
    }

    /// Reads a name as [`Display`](fmt::Display) writes it. `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 2 * Self::BYTES || !text.as_bytes().iter().all(is_digit) {
            return None;
        }
        let mut name = [0; Self::BYTES];
        for (place, byte) in name.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
        }
        Some(Self(name))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectName({self})")
    }
}
