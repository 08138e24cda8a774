//! The nonces of an entry: what its sender, its user and its subject are hashed with.

use super::{Sha256, hex, sha256};

/// The bytes of one nonce.
pub(super) const NONCE: usize = 16;
/// Stands before a nonce.
const KEPT: u8 = 0;
/// Stands before the digest that replaces an erased nonce.
pub(super) const ERASED: u8 = 1;

/// What a text that names a person is hashed with, or the digest, if text and nonce were erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Salt<'a> {
    Nonce(&'a [u8]),
    Digest(&'a [u8]),
}

impl<'a> Salt<'a> {
    fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        let length = match *tag {
            KEPT => NONCE,
            ERASED => size_of::<Sha256>(),
            _ => return None,
        };
        let (salt, rest) = rest.split_at_checked(length)?;
        *bytes = rest;
        Some(if *tag == KEPT {
            Self::Nonce(salt)
        } else {
            Self::Digest(salt)
        })
    }

    pub(super) fn digest(&self, text: &[u8]) -> String {
        match self {
            Self::Nonce(nonce) => hex(&sha256(&[nonce, text])),
            Self::Digest(digest) => hex(digest),
        }
    }

    pub(super) fn is_erased(&self) -> bool {
        matches!(self, Self::Digest(_))
    }

    /// Adds it to the nonces of a row.
    pub(super) fn push(&self, row: &mut Vec<u8>) {
        let (tag, bytes) = match self {
            Self::Nonce(nonce) => (KEPT, nonce),
            Self::Digest(digest) => (ERASED, digest),
        };
        row.push(tag);
        row.extend_from_slice(bytes);
    }

    /// Adds the digest that takes its place once the text is erased.
    pub(super) fn push_erased(&self, text: &[u8], row: &mut Vec<u8>) {
        match self {
            Self::Nonce(nonce) => Salt::Digest(&sha256(&[nonce, text])).push(row),
            Self::Digest(_) => self.push(row),
        }
    }
}

/// The nonces of an entry: one for its sender, one for its user, one for its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nonces<'a> {
    pub(super) sender: Salt<'a>,
    pub(super) user: Salt<'a>,
    pub(super) subject: Salt<'a>,
}

impl<'a> Nonces<'a> {
    /// The random bytes that one entry needs.
    pub(crate) const RANDOM: usize = 3 * NONCE;

    /// The nonces of a new entry, as its row keeps them, from [`RANDOM`](Self::RANDOM) bytes.
    pub(crate) fn row_of(random: &[u8]) -> Vec<u8> {
        let parts = random.chunks(NONCE);
        parts
            .flat_map(|nonce| std::iter::once(&KEPT).chain(nonce))
            .copied()
            .collect()
    }

    /// Reads the nonces of a row. Returns `None` if no row has them.
    pub(crate) fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let nonces = Self {
            sender: Salt::read(&mut bytes)?,
            user: Salt::read(&mut bytes)?,
            subject: Salt::read(&mut bytes)?,
        };
        bytes.is_empty().then_some(nonces)
    }

    /// The digest of a record of the user. `None` if the user was erased.
    pub(crate) fn record_digest(&self, record: &[u8]) -> Option<Sha256> {
        match self.user {
            Salt::Nonce(nonce) => Some(sha256(&[nonce, record])),
            Salt::Digest(_) => None,
        }
    }

    /// Whether the entry does not say any more who sent it.
    pub(crate) fn has_no_sender(&self) -> bool {
        self.sender.is_erased()
    }

    /// Whether the entry does not say any more whom it was about.
    pub(crate) fn has_no_subject(&self) -> bool {
        self.user.is_erased()
    }

    /// What stands for the user in the leaf.
    pub(crate) fn user_digest(&self, id: i64) -> String {
        self.user.digest(id.to_string().as_bytes())
    }

    /// What the user and the record are hashed with, as hex. `None` if the user was erased.
    pub(crate) fn of_user(&self) -> Option<String> {
        match self.user {
            Salt::Nonce(nonce) => Some(hex(nonce)),
            Salt::Digest(_) => None,
        }
    }
}
