//! How calls wait for the database without holding a thread: group commit for writes, a pool of threads for reads, and
//! batch loaders for what is read with most requests. Nothing here knows a table.

pub(crate) mod batch_loader;
pub(crate) mod group_commit;
pub(crate) mod read_pool;
pub(crate) mod stats;
