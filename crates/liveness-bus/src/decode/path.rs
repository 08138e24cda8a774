//! Where a value stands in a body.

use std::fmt::{self, Display, Write as _};

/// The way from the body's root to a value. Each part lies in the stack frame that reads it, so a path costs nothing
/// until somebody needs its text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    /// A field that the type has, by its name in the type.
    Field(&'p Path<'p>, &'static str),
    /// An entry of a map. Its key comes from the caller.
    Entry(&'p Path<'p>, &'p str),
    Element(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    /// The field that the value is, or lies in. The root is in none.
    pub(super) fn nearest_field(self) -> Self {
        match self {
            Self::Root | Self::Field(..) => self,
            Self::Entry(parent, _) | Self::Element(parent, _) => parent.nearest_field(),
        }
    }

    pub(super) const fn is_root(self) -> bool {
        matches!(self, Self::Root)
    }

    /// The smallest JSON text that has a value there, namely `value`.
    pub(super) fn skeleton(self, value: &str) -> String {
        match self {
            Self::Root => value.to_owned(),
            Self::Field(parent, name) => parent.skeleton(&format!("{{\"{name}\":{value}}}")),
            Self::Entry(parent, _) => parent.skeleton(&format!("{{\"\":{value}}}")),
            Self::Element(parent, _) => parent.skeleton(&format!("[{value}]")),
        }
    }

    /// The path of a field of the object that is there.
    pub(super) fn field(self, name: &str) -> String {
        match self {
            Self::Root => name.to_owned(),
            _ => format!("{self}.{name}"),
        }
    }
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Root => return f.write_char('.'),
            Self::Element(parent, index) => {
                if !matches!(parent, Self::Root) {
                    parent.fmt(f)?;
                }
                return write!(f, "[{index}]");
            }
            Self::Field(_, name) => name,
            Self::Entry(_, key) => printable_key(key),
        };
        match self {
            Self::Field(Self::Root, _) | Self::Entry(Self::Root, _) | Self::Root | Self::Element(..) => {}
            Self::Field(parent, _) | Self::Entry(parent, _) => {
                parent.fmt(f)?;
                f.write_char('.')?;
            }
        }
        f.write_str(name)
    }
}

/// The key as it may be reported. A key comes from the caller, so one that does not look like a field's name becomes `?`.
pub(super) fn printable_key(key: &str) -> &str {
    let plain = key.len() <= 64
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain { key } else { "?" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_on_the_wire() {
        let root = Path::Root;
        let metadata = Path::Field(&root, "metadata");
        let list = Path::Field(&metadata, "challenges");
        let entry = Path::Entry(&metadata, "a\nb");
        assert_eq!(root.to_string(), ".");
        assert_eq!(root.field("a"), "a");
        assert_eq!(list.field("a"), "metadata.challenges.a");
        assert_eq!(Path::Element(&list, 3).to_string(), "metadata.challenges[3]");
        assert_eq!(Path::Element(&root, 3).to_string(), "[3]");
        assert_eq!(Path::Field(&entry, "x").to_string(), "metadata.?.x");
    }

    #[test]
    fn a_skeleton_leads_to_the_value() {
        let root = Path::Root;
        let list = Path::Field(&root, "list");
        let element = Path::Element(&list, 7);
        let entry = Path::Entry(&element, "k");
        assert_eq!(entry.skeleton("{}"), r#"{"list":[{"":{}}]}"#);
    }
}
