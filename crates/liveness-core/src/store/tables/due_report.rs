//! A report before it is judged, with what is known about it, as plain data.

use super::dating::Dated;
use crate::trail::leaf::Sha256;
use crate::verdict::Picture;

/// A report to judge, with what was made of its image before.
#[derive(Clone, Copy)]
pub(crate) struct DueReport<'a> {
    pub(crate) dated: Dated<'a>,
    /// What decoding the image found.
    pub(crate) picture: Option<Picture>,
    /// The keyed digest of the image.
    pub(crate) image_digest: Option<&'a Sha256>,
}
