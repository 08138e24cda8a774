//! `users import`: adds the users of a file to the directory of the standalone host. It can be repeated.

mod file;
mod row;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use liveness_core::store::Store;
use liveness_core::{Clock as _, SystemClock, User};

use self::file::{Batch, UserFile};
use self::row::{Row, RowError};
use super::failure::Failure;
use super::interrupt::unless_interrupted;
use super::operator::Operator;
use super::progress::Progress;
use crate::config::DatabaseConfig;

const EXAMPLES: &str = "\
The file is CSV in UTF-8, separated by commas. Its first line names its columns,
which may be any of these, in any order:

  id                 the user's number, from 1; must be there
  userId             the name in tokens, such as USR-00001234; made from the id
                     when empty
  preRegistrationId  the number of the pre-registration, from 1
  email              electronic mail address
  givenName, familyName, middleName
  displayName        the name to show; given and family name when empty

A user whose id is unknown is added. For a known user, the values that differ are
changed. An empty cell removes a value, and values without a column stay as they
are. So importing the same file again changes nothing. A wrong line is named and
left out, and the others are imported. The import leaves an audit entry.

Examples:
  printf 'id,email,givenName\\n1234,jane@example.com,Jane\\n' > users.csv
  liveness-http users import users.csv
  cat users.csv | liveness-http users import -";

/// How many lines are written at once.
const BATCH_SIZE: usize = 1000;

#[derive(Subcommand)]
pub(super) enum Users {
    /// Add and change the users that a CSV file names.
    #[command(after_help = EXAMPLES)]
    Import(Import),
}

/// Which users, and where to.
#[derive(Args)]
pub(super) struct Import {
    /// The file, or - for standard input.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,

    #[command(flatten)]
    database: DatabaseConfig,
}

impl Users {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Self::Import(import) = self;
        import.run().await
    }
}

impl Import {
    async fn run(self) -> Result<(), Failure> {
        let file = UserFile::open(&self.file)?;
        let store = self.database.open_up_to_date()?;
        Operator::current()?.audit(&store, "users import", None).await?;
        let mut importer = Importer {
            progress: file.progress(),
            name: file.name().to_owned(),
            store,
            lines_of_ids: HashMap::new(),
            refusals: Vec::new(),
            totals: Totals::default(),
        };
        let ended = unless_interrupted(importer.import_all(file)).await?;
        drop(importer.progress);
        let totals = importer.totals;
        match ended {
            None => Err(Failure::Interrupted(format!(
                "interrupted: {totals}; the same import again does the rest"
            ))),
            Some(Err(failure)) => Err(failure.after(&totals.to_string())),
            Some(Ok(())) => totals.report(&importer.name),
        }
    }
}

/// An import that is under way.
struct Importer {
    progress: Progress,
    name: String,
    store: Store,
    lines_of_ids: HashMap<i64, u64>,
    /// The errors in the lines of this batch.
    refusals: Vec<(u64, Vec<RowError>)>,
    totals: Totals,
}

/// How many users were changed in which way.
#[derive(Default)]
struct Totals {
    added: usize,
    changed: usize,
    unchanged: usize,
    refused: usize,
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} added, {} changed, {} unchanged, {} refused",
            self.added, self.changed, self.unchanged, self.refused
        )
    }
}

impl Totals {
    fn report(&self, name: &str) -> Result<(), Failure> {
        use std::io::Write as _;
        let mut out = std::io::stdout().lock();
        writeln!(out, "users: {self}")?;
        out.flush()?;
        match self.refused {
            0 => Ok(()),
            1 => Err(Failure::Partial(format!("{name}: 1 line was left out"))),
            many => Err(Failure::Partial(format!("{name}: {many} lines were left out"))),
        }
    }
}

impl Importer {
    async fn import_all(&mut self, file: UserFile) -> Result<(), Failure> {
        let mut batches = file.read(BATCH_SIZE);
        while let Some(batch) = batches.recv().await {
            let Batch { rows, position } = batch?;
            self.import_batch(rows).await?;
            self.progress.set(position);
        }
        Ok(())
    }

    /// Writes the good lines of a batch, and prints the bad ones.
    async fn import_batch(&mut self, rows: Vec<(u64, Result<Row, Vec<RowError>>)>) -> Result<(), Failure> {
        let ids = rows
            .iter()
            .filter_map(|(_, row)| Some(row.as_ref().ok()?.id()))
            .collect();
        let known = self.store.users().find(ids).await?;
        let known: HashMap<_, _> = known.into_iter().map(|user| (user.id, user)).collect();
        let mut users = Vec::new();
        for (line, row) in rows {
            match row.and_then(|row| self.check_unique(line, row)) {
                Ok(row) => {
                    let user = known.get(&row.id());
                    users.push((line, row.user(user)));
                }
                Err(errors) => self.refusals.push((line, errors)),
            }
        }
        let users = self.refuse_taken_user_ids(users).await?;
        self.report_refusals();
        let (changed, same): (Vec<_>, Vec<_>) = users.into_iter().partition(|user| known.get(&user.id) != Some(user));
        let new = changed.iter().filter(|user| !known.contains_key(&user.id)).count();
        let done = (new, changed.len() - new, same.len());
        if !changed.is_empty() {
            self.store.users().put(changed, SystemClock.now()).await?;
        }
        self.totals.added += done.0;
        self.totals.changed += done.1;
        self.totals.unchanged += done.2;
        Ok(())
    }

    /// Refuses a second line for the same user: it is unclear which of the two should count.
    fn check_unique(&mut self, line: u64, row: Row) -> Result<Row, Vec<RowError>> {
        match self.lines_of_ids.insert(row.id(), line) {
            None => Ok(row),
            Some(first) => {
                self.lines_of_ids.insert(row.id(), first);
                Err(vec![RowError::new("id", format!("stands in line {first} already"))])
            }
        }
    }

    /// Refuses users whose `UserId` belongs to another user, in the database or in this batch. Returns the others.
    async fn refuse_taken_user_ids(&mut self, users: Vec<(u64, User)>) -> Result<Vec<User>, Failure> {
        let names = users.iter().map(|(_, user)| user.user_id.clone()).collect();
        let taken = self.store.users().find_by_user_ids(names).await?;
        let taken: HashMap<_, _> = taken.into_iter().map(|user| (user.user_id, user.id)).collect();
        let mut here = HashSet::new();
        let mut good = Vec::new();
        for (line, user) in users {
            let is_taken = taken.get(&user.user_id).is_some_and(|id| *id != user.id);
            if is_taken || !here.insert(user.user_id.clone()) {
                let error = RowError::new("userId", "is another user's".to_owned());
                self.refusals.push((line, vec![error]));
            } else {
                good.push(user);
            }
        }
        Ok(good)
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
