//! Code in the documents is an excerpt of sources that compile.

use super::blocks;

/// What the documents may show excerpts of.
const SOURCES: [&str; 3] = [
    "crates/liveness-http/examples/embedding.rs",
    "crates/liveness-http/examples/embedding_postgres.rs",
    "crates/liveness-bus/src/liveness/update_liveness_check.rs",
];

/// The lines of a text, each without its indentation.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

fn assert_is_excerpted(document: &str, language: &str, sources: &[&str]) {
    let text = blocks::read(document);
    let sources: Vec<_> = sources.iter().map(|source| blocks::read(source)).collect();
    let blocks = blocks::of(&text, language);
    assert!(!blocks.is_empty(), "{document} shows no {language}");
    for block in blocks {
        let shown = lines(block);
        let is_there = sources
            .iter()
            .any(|source| lines(source).windows(shown.len()).any(|window| window == shown));
        assert!(is_there, "{document} shows what stands in no source:\n{block}");
    }
}

#[test]
fn the_readmes_show_lines_of_the_examples() {
    for document in ["README.md", "crates/liveness-http/README.md"] {
        assert_is_excerpted(document, "rust,ignore", &SOURCES);
    }
}

#[test]
fn embedding_shows_lines_of_the_examples() {
    assert_is_excerpted("docs/embedding.md", "rust,ignore", &SOURCES);
}

#[test]
fn clients_are_shown_lines_of_the_typescript_that_is_compiled() {
    let sources = ["liveness.ts", "main.ts"].map(|name| format!("crates/liveness-http/tests/typescript/{name}"));

    assert_is_excerpted("docs/clients.md", "typescript", &sources.each_ref().map(String::as_str));
}
