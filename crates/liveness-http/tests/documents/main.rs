//! What the documents show is true: their code stands in sources that are compiled and tested.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod blocks;
mod code;
