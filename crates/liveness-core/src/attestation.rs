//! What another service attests of a phone and its app.

/// What an attestation of the phone and the app said, such as Play Integrity or App Attest.
///
/// An embedding backend that has its app attested verifies what the service says, and gives the result with the message. It is a
/// fact for the rule `attestation.failed` of the [verdict](crate::verdict), and is not kept besides. Nothing here verifies an
/// attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Who attests, such as `play_integrity` or `app_attest`. Reviewers see it.
    pub provider: String,
    /// Whether phone and app passed.
    pub passed: bool,
}
