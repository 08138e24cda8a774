//! Lets calls wait for the database without holding a thread. Writes go through group commit, and reads through a pool
//! of threads. Batch loaders serve the reads that most requests need. Wake-ups end
//! the wait for a change. No file in this folder knows a table.

pub(crate) mod batch_loader;
pub(crate) mod group_commit;
pub(crate) mod read_pool;
pub(crate) mod spans;
pub(crate) mod stats;
pub(crate) mod wake_ups;
