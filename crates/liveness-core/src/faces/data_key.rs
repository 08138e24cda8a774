//! The key of one face, and its name. Both are random.

use std::fmt;

use zeroize::Zeroizing;

use super::error::KeeperError;
use crate::Timestamp;

/// A 256-bit key that seals one face. It is wiped from memory when it is dropped, and `Debug` does not show it.
pub struct DataKey(Box<Zeroizing<[u8; Self::BYTES]>>);

impl DataKey {
    /// The length of a key.
    pub const BYTES: usize = 32;

    /// A new key.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`] when the machine gives no random bytes.
    pub fn random() -> Result<Self, KeeperError> {
        // On the heap from the beginning: a move of the key must not leave a copy on the stack.
        let mut key = Box::new(Zeroizing::new([0; Self::BYTES]));
        fill(key.as_mut_slice())?;
        Ok(Self(key))
    }

    /// A key that was unwrapped. `None` if it does not have [`BYTES`](Self::BYTES) bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Box::new(Zeroizing::new([0; Self::BYTES]));
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The secret itself, for those who wrap it.
    pub fn expose(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// The name of a data key: when it was made, in 48 bits, and 80 random bits. It says nothing about the face or the user. Names
/// grow with time, so that new keys are added at the end of an index.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaceKeyId([u8; Self::BYTES]);

impl FaceKeyId {
    /// The length of a name.
    pub const BYTES: usize = 16;

    pub(crate) fn new(now: Timestamp) -> Result<Self, KeeperError> {
        let mut id = [0; Self::BYTES];
        id[..6].copy_from_slice(&now.unix_millis().to_be_bytes()[2..]);
        fill(&mut id[6..])?;
        Ok(Self(id))
    }

    /// The least of all names.
    pub(crate) const fn least() -> Self {
        Self([0; Self::BYTES])
    }

    /// The least name of a key that was made at this time.
    pub(crate) fn first_at(time: Timestamp) -> Self {
        let mut id = [0; Self::BYTES];
        id[..6].copy_from_slice(&time.unix_millis().max(0).to_be_bytes()[2..]);
        Self(id)
    }

    /// A name as it is stored. `None` if it does not have [`BYTES`](Self::BYTES) bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The name as it is stored.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for FaceKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FaceKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaceKeyId({self})")
    }
}

/// A random number.
pub(super) fn random_number() -> Result<u64, KeeperError> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}

/// Fills a buffer with random bytes.
pub(super) fn fill(buffer: &mut [u8]) -> Result<(), KeeperError> {
    aws_lc_rs::rand::fill(buffer).map_err(|_| KeeperError::Unusable {
        problem: "the machine gives no random bytes".to_owned(),
        mend: "see that getrandom(2) works".to_owned(),
    })
}
