//! What the rules look at: the report, and what the server knows besides.

use serde::{Deserialize, Serialize};

use crate::{NewLivenessCheck, Timestamp};

/// A session that the server issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedSession {
    /// `lvs_` and 22 characters of base64url.
    pub session_id: String,
    /// The challenges, in the order asked.
    pub challenges: Vec<String>,
    /// When it was issued, by the server's clock.
    pub issued_at: Timestamp,
    /// Until when a report may use it, by the server's clock.
    pub expires_at: Timestamp,
}

/// Why a report is bound to no issued session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbound {
    /// It names none.
    NotNamed,
    /// It names one that was never issued to this user.
    NotIssued,
    /// It names one that another report has used up.
    UsedUp,
    /// It names one that has expired.
    Expired,
}

impl Unbound {
    /// The word, as in a reason.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotNamed => "not_named",
            Self::NotIssued => "not_issued",
            Self::UsedUp => "used_up",
            Self::Expired => "expired",
        }
    }
}

/// The session of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionBinding {
    /// The report uses up this session.
    Bound(IssuedSession),
    /// The report is bound to none.
    Unbound(Unbound),
}

/// What decoding an image found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// It decodes, and has this size in pixels.
    Decoded {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
    },
    /// It does not decode. The text says what is broken, and nothing of the image.
    Broken(&'static str),
}

/// An earlier record with the very bytes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// The id of that record.
    pub check_id: i64,
    /// Whether that record is another user's.
    pub of_another_user: bool,
}

/// Everything that the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The report.
    pub check: &'a NewLivenessCheck,
    /// When it is recorded, by the server's clock.
    pub recorded_at: Timestamp,
    /// The issued session that it uses.
    pub session: &'a SessionBinding,
    /// What decoding the image found. `None` if there is no image, or if it was not decoded.
    pub picture: Option<Picture>,
    /// An earlier record with the same image. One of another user goes before one of this user.
    pub reuse: Option<Reuse>,
    /// The `lightingValue` of the user's last record before this one.
    pub last_light: Option<f64>,
}
