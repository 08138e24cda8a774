//! Which names mean the same challenge, for the policy that issues them and for the rules that compare them.

/// Whether two names mean the same challenge: `ChallengeType.turnLeft`, `turn_left` and `TURN-LEFT` do.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one == other || letters(one).eq(letters(other))
}

/// What a name says, without the type of an enum before it, without what separates words, and without case (of ASCII letters).
fn letters(name: &str) -> impl Iterator<Item = char> {
    let (_, name) = name.rsplit_once('.').unwrap_or(("", name));
    let said = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    said.map(|c| c.to_ascii_lowercase())
}
