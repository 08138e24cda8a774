//! Imports the rows of a file, batch by batch. A batch is one transaction, together with its audit entries.

use std::collections::{HashMap, HashSet};
use std::fmt;

use liveness_core::store::{Store, UserChanges};
use liveness_core::{AuditEntry, Clock as _, SystemClock, User};

use super::super::failure::Failure;
use super::super::progress::Progress;
use super::directory::{Directory, default_user_id};
use super::file::{FileRow, UserFile};
use super::row::{Row, RowError};
use super::trace::Trace;

/// How many rows are written at once.
const BATCH_SIZE: usize = 1000;

/// An import that is under way.
pub(super) struct Importer {
    progress: Progress,
    name: String,
    store: Store,
    trace: Trace,
    lines_of_ids: HashMap<i64, u64>,
    /// The `UserId`s of the rows that were taken.
    user_ids: HashSet<String>,
    /// The errors in the lines of this batch.
    refusals: Vec<(u64, Vec<RowError>)>,
    totals: Totals,
}

/// How many users were changed in which way, and in which lines.
#[derive(Default)]
pub(super) struct Totals {
    added: usize,
    changed: usize,
    unchanged: usize,
    pub(super) refused: usize,
    /// The last line that was done.
    pub(super) line: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} added, {} changed, {} unchanged, {} refused",
            self.added, self.changed, self.unchanged, self.refused
        )
    }
}

/// What one batch does.
#[derive(Default)]
struct Batch {
    users: Vec<User>,
    entries: Vec<AuditEntry>,
    without_records: Vec<i64>,
    added: usize,
    changed: usize,
    unchanged: usize,
    /// What else the operator should know.
    notes: Vec<String>,
}

impl Importer {
    pub(super) fn new(file: &UserFile, store: Store, trace: Trace) -> Self {
        Self {
            progress: file.progress(),
            name: file.name().to_owned(),
            store,
            trace,
            lines_of_ids: HashMap::new(),
            user_ids: HashSet::new(),
            refusals: Vec::new(),
            totals: Totals::default(),
        }
    }

    /// What was done.
    pub(super) fn totals(self) -> Totals {
        self.totals
    }

    pub(super) async fn import_all(&mut self, file: &UserFile) -> Result<(), Failure> {
        let mut rows = file.rows();
        loop {
            let batch: Vec<_> = rows.by_ref().take(BATCH_SIZE).collect();
            let Some((line, position)) = batch.last().map(|row| (row.line, row.position)) else {
                return Ok(());
            };
            self.import_batch(batch).await?;
            self.totals.line = line;
            self.progress.set(position);
        }
    }

    /// Writes the good rows of a batch, and prints the bad ones.
    async fn import_batch(&mut self, rows: Vec<FileRow>) -> Result<(), Failure> {
        let ids = rows
            .iter()
            .filter_map(|row| Some(row.row.as_ref().ok()?.id()))
            .collect();
        let mut directory = Directory::of(&self.store, ids).await?;
        let mut users = Vec::new();
        for FileRow { line, row, .. } in rows {
            match row.and_then(|row| self.check_unique(line, row)) {
                Ok(row) => {
                    let known = directory.known(row.id());
                    users.push((line, row.user(known)));
                }
                Err(errors) => self.refusals.push((line, errors)),
            }
        }
        directory.look_up(&self.store, &users).await?;
        let users = self.take(users, &directory);
        self.report_refusals();
        let mut batch = self.batch(users, &directory);
        self.rename_holders(&mut batch, &directory).await?;
        if !batch.users.is_empty() {
            let changes = UserChanges {
                users: batch.users,
                without_records: batch.without_records,
                entries: batch.entries,
                at: SystemClock.now(),
            };
            self.store.users().change(changes).await?;
        }
        for note in &batch.notes {
            self.progress.print(note)?;
        }
        self.totals.added += batch.added;
        self.totals.changed += batch.changed;
        self.totals.unchanged += batch.unchanged;
        Ok(())
    }

    /// Refuses a second line for the same user: it is unclear which of the two should count.
    fn check_unique(&mut self, line: u64, row: Row) -> Result<Row, Vec<RowError>> {
        let first = *self.lines_of_ids.entry(row.id()).or_insert(line);
        if first == line {
            Ok(row)
        } else {
            Err(vec![RowError::new("id", format!("stands in line {first} already"))])
        }
    }

    /// Refuses users whose `UserId` they must not have, or which a line before has taken. Returns the others.
    fn take(&mut self, users: Vec<(u64, User)>, directory: &Directory) -> Vec<User> {
        let mut taken = Vec::new();
        for (line, user) in users {
            let mut checked = directory.check(&user, self.trace.may_rebind());
            if checked.is_ok() && !self.user_ids.insert(user.user_id.clone()) {
                checked = Err(RowError::new("userId", "is another user's".to_owned()));
            }
            match checked {
                Ok(()) => taken.push(user),
                Err(error) => self.refusals.push((line, vec![error])),
            }
        }
        taken
    }

    /// Sorts the users by what is done to them, with the audit entry of each that is added or changed.
    fn batch(&self, users: Vec<User>, directory: &Directory) -> Batch {
        let mut batch = Batch::default();
        for user in users {
            let known = directory.known(user.id);
            match known {
                Some(known) if *known == user => {
                    batch.unchanged += 1;
                    continue;
                }
                Some(_) => batch.changed += 1,
                None => batch.added += 1,
            }
            let holder = directory.holder(&user).map(|holder| holder.id);
            batch.entries.push(match known {
                _ if holder.is_some() || directory.is_rebinding(&user) => self.trace.rebound(known, &user, holder),
                Some(known) => self.trace.changed(known, &user),
                None => self.trace.added(&user),
            });
            if directory.is_moving(&user) && !self.trace.may_rebind() {
                batch.without_records.push(user.id);
            }
            batch.users.push(user);
        }
        batch
    }

    /// Gives another `UserId` to each user whose own is given away, unless the batch gives them one.
    async fn rename_holders(&self, batch: &mut Batch, directory: &Directory) -> Result<(), Failure> {
        let ids: HashSet<_> = batch.users.iter().map(|user| user.id).collect();
        let takers = batch.users.iter();
        let moved: Vec<_> = takers
            .filter_map(|user| Some((directory.holder(user)?.clone(), user.id)))
            .collect();
        for (holder, taker) in moved {
            batch.entries.push(self.trace.gave(holder.id, taker));
            if !ids.contains(&holder.id) {
                let user_id = self.free_user_id(holder.id).await?;
                batch.notes.push(format!(
                    "user {}: the userId is now {user_id}, because user {taker} has the one before",
                    holder.id
                ));
                batch.users.push(User { user_id, ..holder });
            }
        }
        Ok(())
    }

    /// A `UserId` that nobody has, made from the id.
    async fn free_user_id(&self, id: i64) -> Result<String, Failure> {
        let default = default_user_id(id);
        let others = (2..=9).map(|number| format!("{default}-{number}"));
        let candidates: Vec<_> = std::iter::once(default.clone()).chain(others).collect();
        let taken = self.store.users().find_by_user_ids(candidates.clone()).await?;
        let is_free = |name: &String| !self.user_ids.contains(name) && taken.iter().all(|user| user.user_id != *name);
        candidates.into_iter().find(is_free).ok_or_else(|| {
            Failure::of(format!(
                "user {id} would be left without a userId: give them one in a line of this file"
            ))
        })
    }

    /// Prints the refused lines, in their order.
    fn report_refusals(&mut self) {
        self.totals.refused += self.refusals.len();
        self.refusals.sort_unstable_by_key(|(line, _)| *line);
        for (line, errors) in self.refusals.drain(..) {
            for error in errors {
                self.progress
                    .print_error(&format!("{} line {line}: {error}", self.name));
            }
        }
    }
}
