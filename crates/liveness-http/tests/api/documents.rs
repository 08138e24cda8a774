//! What the documents show is true: their code stands in sources that compile, and their commands do what they say.

mod blocks;
mod code;
mod commands;
mod sql;
