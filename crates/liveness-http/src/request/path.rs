//! Which paths are the same: slashes that follow each other count as one, and those at the end as none.
//!
//! Case counts, and a percent-encoded path is another path, as `docs/api.md#transport` says. So what a proxy forbids for a
//! plain path cannot be reached by another spelling that the proxy does not know.

use actix_web::guard::GuardContext;

/// Where the messages are.
pub(crate) const COMMANDS: &str = "/api/BPMSelfService/commands";

/// The pattern for all spellings of a path. actix compares the plain path much faster, so that one stands before it.
pub(crate) fn any_slashes(path: &str) -> String {
    more_slashes(path) + "{end:/*}"
}

/// The pattern for the spellings that end in slashes.
pub(crate) fn slashes_at_the_end(path: &str) -> String {
    more_slashes(path) + "{end:/+}"
}

/// The pattern for the spellings that do not end in a slash: after each slash there may be more.
///
/// actix takes a part in braces as a name and a regular expression.
pub(crate) fn more_slashes(path: &str) -> String {
    let mut pattern = String::new();
    for (number, segment) in path.trim_start_matches('/').split('/').enumerate() {
        pattern += &format!("/{{slashes{number}:/*}}{segment}");
    }
    pattern
}

/// Whether the path is as it was sent. actix decodes what is percent-encoded before it matches.
pub(crate) fn is_plain(context: &GuardContext<'_>) -> bool {
    !context.head().uri.path().contains('%')
}

#[cfg(test)]
mod tests {
    use actix_web::dev::ResourceDef;

    use super::*;

    #[test]
    fn slashes_that_follow_each_other_are_one() {
        let pattern = ResourceDef::new(any_slashes("/health/live"));
        for same in [
            "/health/live",
            "//health/live",
            "/health///live",
            "/health/live/",
            "///health//live//",
        ] {
            assert!(pattern.is_match(same), "{same}");
        }
        for other in [
            "/healthlive",
            "/health",
            "/health/live/x",
            "/Health/live",
            "/health/lively",
            "//",
        ] {
            assert!(!pattern.is_match(other), "{other}");
        }
    }

    #[test]
    fn a_page_with_files_is_told_from_its_spelling_with_a_slash() {
        let page = ResourceDef::new(more_slashes("/admin"));
        let other = ResourceDef::new(slashes_at_the_end("/admin"));
        for (path, is_page) in [
            ("/admin", true),
            ("//admin", true),
            ("/admin/", false),
            ("//admin//", false),
        ] {
            assert_eq!(
                (page.is_match(path), other.is_match(path)),
                (is_page, !is_page),
                "{path}"
            );
        }
    }
}
