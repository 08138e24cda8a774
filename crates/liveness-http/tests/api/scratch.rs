//! `serve --dev` prints an administrator's token, so it serves no database but those that it has made.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command};

use crate::engine::{Database, Engine, on_each_engine};
use crate::server::{Server, serve};

/// A running `serve --dev`. It is killed when dropped.
pub struct Trial(Child);

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Trial {
    /// One that has printed its tokens, or else what it said when it did not start.
    pub fn start(database: &Database) -> Result<Self, String> {
        Self::with(database, "")
    }

    fn with(database: &Database, accepted: &str) -> Result<Self, String> {
        let settings = database.settings();
        let known = settings.iter().find(|(name, _)| *name == "LIVENESS_ACCEPT");
        let known = known.map_or("", |(_, accepted)| accepted);
        let mut process = serve()
            .args(["--dev", "--bind", "127.0.0.1:0"])
            .envs(database.settings())
            .env("LIVENESS_ACCEPT", format!("{known},{accepted}"))
            .env("RUST_LOG", "error")
            .current_dir(database.folder())
            .spawn()
            .unwrap();
        let mut script = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        script.read_line(&mut line).unwrap();
        let mut trial = Self(process);
        if line.is_empty() {
            let mut told = String::new();
            trial.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            assert_eq!(trial.0.wait().unwrap().code(), Some(1));
            return Err(told);
        }
        // Whoever prints must be read.
        std::thread::spawn(move || std::io::copy(&mut script, &mut std::io::sink()));
        Ok(trial)
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    fn end(mut self) {
        let ended = Command::new("kill").arg(self.pid().to_string()).status().unwrap();
        assert!(ended.success() && self.0.wait().unwrap().success());
    }
}

fn a_database_that_it_has_made_is_served_again(engine: Engine) {
    let database = Database::create(engine);

    for _ in 0..2 {
        Trial::start(&database).unwrap().end();
    }

    assert!(database.store().is_scratch().unwrap());
    // It is a database like any other.
    database.store().check_schema().unwrap();
}

fn a_database_that_it_has_not_made_is_refused_in_one_line(engine: Engine) {
    let mut server = Server::start(engine);
    server.signal("TERM");
    server.wait();

    let told = Trial::start(server.database()).err().unwrap();

    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.contains("`serve --dev` did not make it, and would print an administrator's token for its records"),
        "{told}"
    );
    assert!(
        told.contains("sqlite://dev.db") && told.contains("LIVENESS_ACCEPT=real-records"),
        "{told}"
    );
    Trial::with(server.database(), "real-records").unwrap().end();
    // Nor does that make it one.
    assert!(!server.store().is_scratch().unwrap());
    assert!(Trial::start(server.database()).is_err());
}

on_each_engine! {
    a_database_that_it_has_made_is_served_again,
    a_database_that_it_has_not_made_is_refused_in_one_line,
}
