//! `users import`: adds the users of a file to the directory of the standalone host. It can be repeated.

mod directory;
mod file;
mod importer;
mod lines;
mod row;
mod trace;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use liveness_core::Shown;

use self::file::UserFile;
use self::importer::{Importer, Totals};
use self::trace::{COMMAND, Trace};
use super::closing::close;
use super::failure::Failure;
use super::interrupt::unless_interrupted;
use super::reason::reason;
use crate::config::DatabaseConfig;
use crate::operator::Operator;
use crate::trail_key;

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
left out, and the others are imported.

A row is one line. If a quote is not closed in its line, the lines that it would
swallow are named, and nothing of the file is imported.

A userId with records behind it is not handed to another person. A line that would
do so is refused, unless --rebind and a --reason allow it. Whoever loses a userId
gets one that is made from their id.

The import leaves an audit entry, and one for each user that it adds or changes,
with the SHA-256 of the file.

Examples:
  printf 'id,email,givenName\\n1234,jane@example.com,Jane\\n' > users.csv
  liveness-http users import users.csv
  cat users.csv | liveness-http users import -
  liveness-http users import --rebind --reason 'Ticket 4711' users.csv";

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

    /// Let a userId move from a user who has records, or change. Their checks then count for whoever has the userId.
    #[arg(long, requires = "reason")]
    rebind: bool,

    /// Why it is right that they do, for the audit trail: 1 to 1,000 characters.
    #[arg(long, value_name = "TEXT", requires = "rebind", value_parser = reason)]
    reason: Option<String>,

    #[command(flatten)]
    database: DatabaseConfig,
}

/// The user of each row of a file, or what is wrong with the row, for `fuzz/`. `None` if the file is refused.
#[cfg(fuzzing)]
pub fn users_of_csv(text: Vec<u8>) -> Option<Vec<Result<liveness_core::User, Vec<String>>>> {
    let file = UserFile::of("users.csv".to_owned(), text).ok()?;
    let users = file.rows().map(|row| match row.row {
        Ok(row) => Ok(row.user(None)),
        Err(errors) => Err(errors.iter().map(ToString::to_string).collect()),
    });
    Some(users.collect())
}

impl Users {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Self::Import(import) = self;
        import.run().await
    }
}

impl Import {
    async fn run(self) -> Result<(), Failure> {
        let path = self.file.clone();
        let reading = async { actix_web::rt::task::spawn_blocking(move || UserFile::read(&path)).await };
        let Some(read) = unless_interrupted(reading).await? else {
            return Err(Failure::Interrupted("interrupted: nothing was imported".to_owned()));
        };
        let file = read.map_err(|error| Failure::of(error.to_string()))??;
        let store = self.database.open_up_to_date()?;
        trail_key::sign_entries(&store, &self.database)?;
        let operator = Operator::current()?;
        operator.audit(&store, COMMAND, None, Shown::default()).await?;
        let trace = Trace::new(operator, file.sha256(), self.reason);
        let mut importer = Importer::new(&file, store.clone(), trace);
        let ended = unless_interrupted(importer.import_all(&file)).await?;
        close(&store);
        let totals = importer.totals();
        let line = totals.line;
        match ended {
            None => Err(Failure::Interrupted(format!(
                "interrupted: {totals}, to line {line}; the same import again does the rest"
            ))),
            Some(Err(failure)) => Err(failure.after(&format!(
                "{totals}, to line {line}; nothing after this line was imported"
            ))),
            Some(Ok(())) => report(&totals, file.name()),
        }
    }
}

fn report(totals: &Totals, name: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "users: {totals}")?;
    out.flush()?;
    match totals.refused {
        0 => Ok(()),
        1 => Err(Failure::Partial(format!("{name}: 1 line was left out"))),
        many => Err(Failure::Partial(format!("{name}: {many} lines were left out"))),
    }
}
