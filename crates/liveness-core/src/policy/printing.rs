//! Writes a policy as a file that explains itself, and makes its version.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::table::{Keys, Line};
use super::{PARTS, Policy};

impl Policy {
    /// The policy as a file that says every key, with a comment to each. The first line is the [version](Self::version).
    ///
    /// [`Policy::parse`] makes the same policy of it.
    pub fn to_toml(&self) -> String {
        let mut text = format!("# {}\n", self.version());
        text.push_str("# The line above is the version of this policy: SHA-256 of the lines that are not empty and no comments.\n\n");
        text.push_str("# What a key has that the file does not name.\n");
        self.write(&mut text, true);
        text
    }

    /// What the policy says, as SHA-256 in hex. It is kept with every verdict.
    ///
    /// It is the digest of the lines of [`to_toml`](Self::to_toml) that are not empty and no comments, each with a line feed
    /// at its end. So comments, order and spelling in a file do not change it.
    pub fn version(&self) -> String {
        self.digest().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The [version](Self::version) as bytes.
    pub fn digest(&self) -> [u8; 32] {
        let mut text = String::new();
        self.write(&mut text, false);
        Sha256::digest(text.as_bytes()).into()
    }

    /// The keys that have another value in `other`, such as `looks.purpose`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (ours, theirs) = (self.lines(), other.lines());
        let differ = |((name, ours), (_, theirs)): (&(&str, Line), &(&str, Line))| {
            let key = ours.key.trim_matches('"');
            (ours.value != theirs.value).then(|| format!("{name}.{key}"))
        };
        ours.iter().zip(&theirs).filter_map(differ).collect()
    }

    fn write(&self, text: &mut String, with_comments: bool) {
        let _ = writeln!(text, "base = \"{}\"", self.base.as_str());
        let mut part = "";
        for (name, line) in self.lines() {
            if part != name {
                let gap = if with_comments { "\n" } else { "" };
                let _ = writeln!(text, "{gap}[{name}]");
                part = name;
            }
            if with_comments {
                for says in line.says {
                    let _ = writeln!(text, "#{says}");
                }
            }
            let _ = writeln!(text, "{} = {}", line.key, line.value);
        }
    }

    /// Every key, with the name of its part.
    pub(super) fn lines(&self) -> Vec<(&'static str, Line)> {
        let parts: [&dyn Keys; 8] = [
            &self.session,
            &self.attempts,
            &self.quota,
            &self.verdict,
            &self.rules,
            &self.review,
            &self.looks,
            &self.retention,
        ];
        let named = PARTS.into_iter().zip(parts);
        named
            .flat_map(|(name, part)| part.lines().into_iter().map(move |line| (name, line)))
            .collect()
    }
}
