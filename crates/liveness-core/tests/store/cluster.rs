//! PostgreSQL for tests: servers of a test's own, that can be stopped, killed, suspended and replicated, and databases
//! of a test's own on the server that `.ci/test` starts.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    dead_code,
    reason = "who includes this uses a part"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use tempfile::{NamedTempFile, TempDir};

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// A PostgreSQL server of the test's own on loopback. It ends with this, and its folder too.
pub(crate) struct Cluster {
    folder: TempDir,
    ca_file: PathBuf,
    port: u16,
    postmaster: Option<Child>,
}

impl Cluster {
    /// A durable one, as PostgreSQL is unless told otherwise.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// One with these settings in its `postgresql.conf`.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::initialised(settings).on_a_free_port()
    }

    /// One that accepts TLS only. Its certificate is for `localhost` and 127.0.0.1, signed by `ca_file`.
    pub(crate) fn with_tls() -> Self {
        let cluster = Self::initialised(&[("ssl", "on")]);
        // In the data folder, so that a standby has them too.
        let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -addext";
        let ca = "keyUsage=keyCertSign -subj /CN=tests -keyout ca.key -out data/ca.pem";
        let server = "subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=CA:FALSE -subj /CN=localhost";
        let signed = "-CA data/ca.pem -CAkey ca.key -keyout data/server.key -out data/server.crt";
        cluster.run("openssl", &format!("{new} {ca}"));
        cluster.run("openssl", &format!("{new} {server} {signed}"));
        let rules = "hostssl all all 127.0.0.1/32 trust\nhostssl replication all 127.0.0.1/32 trust\n";
        fs::write(cluster.data("pg_hba.conf"), rules).unwrap();
        cluster.on_a_free_port()
    }

    /// A second server that streams from this one, and calls itself `name` there.
    pub(crate) fn standby(&self, name: &str) -> Self {
        let standby = Self::empty();
        let source = format!("{}?application_name={name}", self.url(""));
        let arguments = format!("-D data -R -X stream --checkpoint=fast --no-sync -d {source}");
        standby.run(bin("pg_basebackup"), &arguments);
        let standby = standby.on_a_free_port();
        standby.wait_for("SELECT status FROM pg_stat_wal_receiver", "streaming");
        let sender = format!("FROM pg_stat_replication WHERE application_name = '{name}'");
        self.wait_for(&format!("SELECT string_agg(state, ' ') {sender}"), "streaming");
        standby
    }

    /// From now on a commit waits until the standby of this name has it.
    pub(crate) fn make_synchronous(&self, name: &str) {
        self.set("synchronous_standby_names", &format!("\"{name}\""));
        self.set("synchronous_commit", "on");
        let sender = format!("FROM pg_stat_replication WHERE application_name = '{name}'");
        self.wait_for(&format!("SELECT sync_state {sender}"), "sync");
        // It is the checkpointer that makes all others wait, when it reads the setting: before it does what it is told.
        self.psql("postgres", "CHECKPOINT");
    }

    /// Makes a standby a primary that commits by itself.
    pub(crate) fn promote(&mut self) {
        self.run(bin("pg_ctl"), "promote -w -D data");
        self.set("synchronous_standby_names", "");
        self.wait_for("SHOW synchronous_standby_names", "");
    }

    /// Shuts it down, whoever is connected, and waits until it is down.
    pub(crate) fn stop(&mut self) {
        self.resume();
        let postmaster = self.postmaster.as_mut().unwrap();
        signal("INT", &[postmaster.id()]);
        let is_down = wait_until(|| postmaster.try_wait().unwrap().is_some());
        assert!(is_down, "PostgreSQL does not shut down");
        self.postmaster = None;
    }

    /// Ends all its processes at once, as a machine that dies does.
    pub(crate) fn kill(&mut self) {
        wait_until(|| {
            let left = self.processes();
            signal("KILL", &left);
            left.is_empty()
        });
        if let Some(mut postmaster) = self.postmaster.take() {
            let _ = postmaster.kill();
            let _ = postmaster.wait();
            // Who is killed leaves a block of shared memory, which a machine would not.
            if let Some(block) = self.lock_file_line(6).split_whitespace().nth(1) {
                let _ = Command::new("ipcrm").args(["-m", block]).output();
            }
        }
    }

    /// Starts what was stopped or killed, with the same data on the same port.
    pub(crate) fn start_again(&mut self) {
        if let Err(log) = self.launch() {
            panic!("PostgreSQL does not start again:\n{log}");
        }
    }

    /// Halts all its processes: connections stay open, and nothing answers.
    pub(crate) fn suspend(&self) {
        signal("STOP", &self.processes());
        // Whom the server has started meanwhile.
        signal("STOP", &self.processes());
    }

    /// Lets what was suspended go on.
    pub(crate) fn resume(&self) {
        signal("CONT", &self.processes());
    }

    /// Where a database of it is.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Where it keeps what goes with it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its port on 127.0.0.1, the same after `start_again`.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What a client must trust, where this is `with_tls`.
    pub(crate) fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Runs the test's own SQL in one transaction, and gives back what it printed.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        psql(&self.url(database), sql).unwrap()
    }

    fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("liveness-postgres-").tempdir().unwrap();
        if let Some((user, group)) = server_account() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        Self {
            ca_file: folder.path().join("data/ca.pem"),
            folder,
            port: 0,
            postmaster: None,
        }
    }

    fn initialised(settings: &[(&str, &str)]) -> Self {
        let cluster = Self::empty();
        cluster.run(
            bin("initdb"),
            "-D data --no-sync -U postgres -A trust -E UTF8 --locale=C.UTF-8",
        );
        let path = cluster.data("postgresql.conf");
        let mut file = File::options().append(true).open(path).unwrap();
        writeln!(file, "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''").unwrap();
        // In the folder, so that it goes with it.
        writeln!(file, "dynamic_shared_memory_type = mmap").unwrap();
        writeln!(file, "wal_retrieve_retry_interval = 100ms").unwrap();
        for (name, value) in settings {
            writeln!(file, "{name} = '{}'", value.replace('\'', "''")).unwrap();
        }
        cluster
    }

    fn on_a_free_port(mut self) -> Self {
        for _ in 0..20 {
            self.port = free_port();
            match self.launch() {
                Ok(()) => return self,
                Err(log) if log.contains("could not bind") => {}
                Err(log) => panic!("PostgreSQL does not start:\n{log}"),
            }
        }
        panic!("PostgreSQL found no free port");
    }

    /// Starts it and waits until it accepts connections, or gives back the end of its log.
    fn launch(&mut self) -> Result<(), String> {
        assert!(self.postmaster.is_none(), "it runs");
        let path = self.folder.path().join("log");
        let log = File::options().create(true).append(true).open(&path).unwrap();
        let mut postgres = self.server_command(bin("postgres"), &format!("-D data -p {}", self.port));
        postgres
            .arg("-c")
            .arg(format!("cluster_name={}", self.folder.path().display()));
        postgres
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let id = self.postmaster.insert(postgres.spawn().unwrap()).id().to_string();

        let accepts = |it: &Self| it.lock_file_line(0) == id && it.lock_file_line(7) == "ready";
        let ended = |it: &mut Self| it.postmaster.as_mut().unwrap().try_wait().unwrap().is_some();
        wait_until(|| accepts(self) || ended(self));
        if accepts(self) {
            return Ok(());
        }
        self.kill();
        let log = fs::read_to_string(path).unwrap();
        let lines: Vec<_> = log.lines().collect();
        Err(lines[lines.len().saturating_sub(20)..].join("\n"))
    }

    /// Of `postmaster.pid`, by which `pg_ctl` too knows the state of a server.
    fn lock_file_line(&self, number: usize) -> String {
        let file = fs::read_to_string(self.data("postmaster.pid")).unwrap_or_default();
        file.lines().nth(number).unwrap_or_default().trim().into()
    }

    fn data(&self, file: &str) -> PathBuf {
        self.folder.path().join("data").join(file)
    }

    /// The server and its children: all have the folder on their command lines, as `cluster_name`.
    fn processes(&self) -> Vec<u32> {
        let folder = self.folder.path().file_name().unwrap_or_default().to_string_lossy();
        let names_it = |process: &u32| {
            let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&*folder)
        };
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let all = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        all.filter(names_it).collect()
    }

    /// A program in the folder, as whom the server runs.
    pub(crate) fn server_command(&self, program: impl AsRef<OsStr>, arguments: &str) -> Command {
        let (mut command, folder) = (Command::new(program), self.folder.path());
        command
            .args(arguments.split_whitespace())
            .current_dir(folder)
            .env("HOME", folder);
        if let Some((user, group)) = server_account() {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, program: impl AsRef<OsStr>, arguments: &str) {
        output(&mut self.server_command(program, arguments)).unwrap();
    }

    pub(crate) fn set(&self, setting: &str, value: &str) {
        self.psql("postgres", &format!("ALTER SYSTEM SET {setting} = '{value}'"));
        self.psql("postgres", "SELECT pg_reload_conf()");
    }

    fn wait_for(&self, query: &str, expected: &str) {
        let came = wait_until(|| self.psql("postgres", query) == expected);
        assert!(came, "{query} is never {expected:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An empty database of the test's own on a server that runs already. It ends with this.
pub(crate) struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Makes one on the PostgreSQL server that `LIVENESS_TEST_POSTGRES` names.
    pub(crate) fn create() -> Self {
        let server = std::env::var("LIVENESS_TEST_POSTGRES").unwrap_or_else(|_| {
            panic!("LIVENESS_TEST_POSTGRES is not set: run .ci/test, which starts a PostgreSQL server for the tests")
        });
        Self::on(&server, "TEMPLATE template0")
    }

    /// Makes one on the Citus cluster whose coordinator `LIVENESS_TEST_CITUS` names. A database of it is made on every
    /// node, with the extension and the nodes in it: docs/operations.md says how.
    pub(crate) fn on_citus() -> Self {
        let coordinator = std::env::var("LIVENESS_TEST_CITUS").unwrap_or_else(|_| {
            panic!("LIVENESS_TEST_CITUS is not set: it names the coordinator of a Citus cluster for tests")
        });
        // The extension is in the default template.
        Self::on(&coordinator, "")
    }

    fn on(server: &str, how: &str) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let name = format!("test_{}_{count}_{nanoseconds}", process::id());
        let server = server.trim_end_matches('/').into();
        let database = Self { server, name };
        database.on_server("CREATE", how).unwrap();
        database
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs the test's own SQL in one transaction, and gives back what it printed.
    pub(crate) fn sql(&self, sql: &str) -> String {
        psql(&self.url(), sql).unwrap()
    }

    fn on_server(&self, verb: &str, how: &str) -> Result<String, String> {
        let statement = format!("{verb} DATABASE {} {how}", self.name);
        psql(&format!("{}/postgres", self.server), &statement)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let _ = self.on_server("DROP", "WITH (FORCE)");
    }
}

fn psql(url: &str, sql: &str) -> Result<String, String> {
    let arguments = ["-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql];
    output(Command::new(bin("psql")).args(arguments).env("PGCONNECT_TIMEOUT", "30"))
}

/// What it printed, or else what it complained of.
fn output(command: &mut Command) -> Result<String, String> {
    let ran = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !ran.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&ran.stderr)));
    }
    Ok(String::from_utf8_lossy(&ran.stdout).trim_end_matches('\n').into())
}

/// Sends it; who has ended since is no matter.
fn signal(name: &str, processes: &[u32]) {
    let numbers: String = processes.iter().map(|process| format!(" {process}")).collect();
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -s {name}{numbers}")])
        .output();
}

/// Whether it came to hold before patience ended.
fn wait_until(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(POLL);
    }
    true
}

/// Below those that the kernel gives to clients, so that none of them takes it while the server is down.
pub(crate) fn free_port() -> u16 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = process::id()
            .wrapping_mul(31)
            .wrapping_add(COUNTER.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(20_000 + number % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A file with a key of the audit trail, for all databases and nodes of these tests. Its seed is zero, so that nobody takes it
/// for a secret.
pub(crate) fn trail_key_file() -> &'static Path {
    static FILE: LazyLock<NamedTempFile> = LazyLock::new(|| {
        let mut file = NamedTempFile::new().unwrap();
        let key = format!("MC4CAQAwBQYDK2VwBCIEI{}", "A".repeat(43));
        writeln!(file, "-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----").unwrap();
        file
    });
    FILE.path()
}

/// A program of the newest PostgreSQL.
pub(crate) fn bin(program: &str) -> PathBuf {
    let has_server = |bin: &PathBuf| bin.join("postgres").exists();
    let asked_for = std::env::var_os("LIVENESS_TEST_POSTGRES_BIN").map(PathBuf::from);
    let mut debian = (10..100)
        .rev()
        .map(|version| format!("/usr/lib/postgresql/{version}/bin").into());
    let configured = || Some(output(Command::new("pg_config").arg("--bindir")).ok()?.into());
    let folder = asked_for
        .or_else(|| debian.find(has_server))
        .or_else(|| configured().filter(has_server));
    let Some(folder) = folder else {
        panic!("there is no PostgreSQL server here: .ci/test gets one")
    };
    folder.join(program)
}

/// PostgreSQL refuses to run as root: whom it runs as then, as user and group.
fn server_account() -> Option<(u32, u32)> {
    static ACCOUNT: LazyLock<Option<(u32, u32)>> = LazyLock::new(|| {
        let id = |arguments: &[&str]| output(Command::new("id").args(arguments)).ok()?.parse::<u32>().ok();
        let account = |name: &str| Some((id(&["-u", name])?, id(&["-g", name])?));
        let is_root = id(&["-u"]) == Some(0);
        is_root.then(|| account("postgres").or_else(|| account("nobody")))?
    });
    *ACCOUNT
}
