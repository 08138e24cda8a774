//! The tables of the log: its length, its runs, its tiles, its checkpoints, and who writes entries.

mod runs;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer};
use diesel::upsert::excluded;

use crate::Timestamp;
use crate::store::engine::bulk_insert::{self, Clauses, row};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::FORGOTTEN_AFTER;
use crate::store::tables::schema::{
    liveness_trail_checkpoints as checkpoints, liveness_trail_head as head, liveness_trail_tiles as tiles,
    liveness_trail_writers as writers,
};
use crate::trail::genesis::Genesis;
use crate::trail::{Checkpoint, HashTiles, Tile};

pub(crate) use self::runs::{Run, add_runs, run_of, runs_from};

/// The writer of the first leaf.
pub(crate) const GENESIS: &[u8] = b"genesis";
/// Stands for the writer of entries that have none. Their ids are their counts.
pub(crate) const NO_WRITER: &[u8] = b"";

/// How long the log is, and where it begins.
#[derive(Queryable, Selectable, Debug, Clone, Copy, PartialEq, Eq)]
#[diesel(table_name = head)]
pub(crate) struct Head {
    pub(crate) size: i64,
    /// The id of the last entry without a writer that is in the log.
    pub(crate) logged_id: i64,
    pub(crate) last_unwritten_id: i64,
    pub(crate) last_unbound_check_id: i64,
}

impl Head {
    pub(crate) fn genesis(&self) -> Genesis {
        Genesis {
            last_unwritten_entry: self.last_unwritten_id,
            last_unbound_record: self.last_unbound_check_id,
        }
    }
}

pub(crate) fn head(conn: &mut Connection<'_>) -> Result<Head, StoreError> {
    Ok(on_either!(conn, |conn| head::table
        .select(Head::as_select())
        .first(*conn))?)
}

/// The head, locked until the end of the transaction. `None` while another node has it.
pub(crate) fn lock_head(conn: &mut Connection<'_>) -> Result<Option<Head>, StoreError> {
    let locked = match conn {
        Connection::Sqlite(conn) => head::table.select(Head::as_select()).first(*conn).optional()?,
        Connection::Postgres(conn) | Connection::Citus(conn) => head::table
            .select(Head::as_select())
            .for_update()
            .skip_locked()
            .first(*conn)
            .optional()?,
    };
    Ok(locked)
}

/// The head of the log, which nobody else changes until the end of the transaction. Waits for another node's step.
pub(crate) fn hold_head(conn: &mut Connection<'_>) -> Result<Head, StoreError> {
    let held = match conn {
        Connection::Sqlite(conn) => head::table.select(Head::as_select()).first(*conn)?,
        Connection::Postgres(conn) | Connection::Citus(conn) => {
            head::table.select(Head::as_select()).for_update().first(*conn)?
        }
    };
    Ok(held)
}

pub(crate) fn set_head(conn: &mut Connection<'_>, size: i64, logged_id: i64) -> Result<(), StoreError> {
    let update = diesel::update(head::table.find(1)).set((head::size.eq(size), head::logged_id.eq(logged_id)));
    on_either!(conn, |conn| update.execute(*conn))?;
    Ok(())
}

/// A writer, and how many of its entries are in the log.
#[derive(Queryable, Selectable, Debug, Clone, PartialEq, Eq)]
#[diesel(table_name = writers)]
pub(crate) struct KnownWriter {
    pub(crate) writer: Vec<u8>,
    pub(crate) logged: i64,
    pub(crate) newest_at: i64,
    pub(crate) is_closed: bool,
}

/// Which writers may write, or have entries that are not in the log yet. It is the condition of an index, to the letter: closed
/// writers are never forgotten.
const IS_OPEN: &str = "(NOT is_closed OR logged = 0)";

/// All writers that may write, or whose entries are not in the log yet.
pub(crate) fn open_writers(conn: &mut Connection<'_>) -> Result<Vec<KnownWriter>, StoreError> {
    Ok(on_either!(conn, |conn| writers::table
        .filter(sql::<Bool>(IS_OPEN))
        .select(KnownWriter::as_select())
        .load(*conn))?)
}

/// How many entries of a writer are in the log. `None` if nobody knows the writer.
pub(crate) fn logged_of(conn: &mut Connection<'_>, writer: &[u8]) -> Result<Option<i64>, StoreError> {
    let logged = writers::table.find(writer).select(writers::logged);
    Ok(on_either!(conn, |conn| logged.first(*conn).optional())?)
}

/// Notes how far a writer's entries are in the log.
pub(crate) fn set_logged(conn: &mut Connection<'_>, writer: &KnownWriter) -> Result<(), StoreError> {
    let update = diesel::update(writers::table.find(&writer.writer)).set((
        writers::logged.eq(writer.logged),
        writers::newest_at.eq(writer.newest_at),
    ));
    on_either!(conn, |conn| update.execute(*conn))?;
    Ok(())
}

/// Closes the writers that have been silent for so long that they write under another name by now.
pub(crate) fn close_silent_writers(conn: &mut Connection<'_>, now: Timestamp) -> Result<(), StoreError> {
    let silent = writers::newest_at.lt(now.unix_millis() - FORGOTTEN_AFTER);
    let open = sql::<Bool>(IS_OPEN).and(writers::is_closed.eq(false));
    let update = diesel::update(writers::table.filter(open.and(silent))).set(writers::is_closed.eq(true));
    on_either!(conn, |conn| update.execute(*conn))?;
    Ok(())
}

/// The tiles of the log in the database.
pub(crate) struct StoredTiles<'a, 'c>(pub(crate) &'a mut Connection<'c>);

impl HashTiles for StoredTiles<'_, '_> {
    type Error = StoreError;

    fn tile(&mut self, level: u8, index: u64, _: u16) -> Result<Vec<u8>, StoreError> {
        let index = i64::try_from(index).map_err(StoreError::internal)?;
        let conn = &mut *self.0;
        let found = tiles::table.find((i32::from(level), index)).select(tiles::hashes);
        let found: Option<Vec<u8>> = on_either!(conn, |conn| found.first(*conn).optional())?;
        Ok(found.unwrap_or_default())
    }
}

row! {
    struct TileRow<'a> of "liveness_trail_tiles", in columns TileColumns {
        level: i32 => Integer,
        tile_index: i64 => BigInt,
        hashes: &'a [u8] => Binary,
    }
}

struct Replace;

impl Clauses for Replace {
    const ON_CONFLICT: &'static str = "ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes";
    type Returned = ();
}

/// Writes tiles, each in place of the one that is there.
pub(crate) fn put_tiles(conn: &mut Connection<'_>, tiles: &[Tile]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(tiles.len());
    for tile in tiles {
        rows.push(TileRow {
            level: i32::from(tile.level),
            tile_index: i64::try_from(tile.index).map_err(StoreError::internal)?,
            hashes: &tile.bytes,
        });
    }
    bulk_insert::execute::<_, Replace>(conn, rows)
}

/// A checkpoint as it is kept.
#[derive(Queryable, Selectable, Insertable, Debug, Clone, PartialEq, Eq)]
#[diesel(table_name = checkpoints, treat_none_as_default_value = false)]
pub(crate) struct StoredCheckpoint {
    hour: i64,
    pub(crate) at: i64,
    pub(crate) size: i64,
    pub(crate) note: String,
}

impl StoredCheckpoint {
    pub(crate) fn new(at: Timestamp, size: i64, note: String) -> Self {
        Self {
            hour: hour_of(at.unix_millis()),
            at: at.unix_millis(),
            size,
            note,
        }
    }

    /// Whether the row says what the checkpoint in it says.
    pub(crate) fn says(&self, checkpoint: &Checkpoint) -> bool {
        u64::try_from(self.size) == Ok(checkpoint.size) && self.hour == hour_of(self.at)
    }
}

/// The hour of a time in milliseconds.
fn hour_of(at: i64) -> i64 {
    at.div_euclid(60 * 60 * 1000)
}

/// Keeps a checkpoint, in place of the one of the same hour.
pub(crate) fn put_checkpoint(conn: &mut Connection<'_>, checkpoint: &StoredCheckpoint) -> Result<(), StoreError> {
    let upsert = diesel::insert_into(checkpoints::table)
        .values(checkpoint)
        .on_conflict(checkpoints::hour)
        .do_update()
        .set((
            checkpoints::at.eq(excluded(checkpoints::at)),
            checkpoints::size.eq(excluded(checkpoints::size)),
            checkpoints::note.eq(excluded(checkpoints::note)),
        ));
    on_either!(conn, |conn| upsert.execute(*conn))?;
    Ok(())
}

pub(crate) fn newest_checkpoint(conn: &mut Connection<'_>) -> Result<Option<StoredCheckpoint>, StoreError> {
    Ok(on_either!(conn, |conn| checkpoints::table
        .order(checkpoints::hour.desc())
        .select(StoredCheckpoint::as_select())
        .first(*conn)
        .optional())?)
}

pub(crate) fn all_checkpoints(conn: &mut Connection<'_>) -> Result<Vec<StoredCheckpoint>, StoreError> {
    Ok(on_either!(conn, |conn| checkpoints::table
        .order(checkpoints::hour)
        .select(StoredCheckpoint::as_select())
        .load(*conn))?)
}
