//! The identity provider that we did not write, npm's `oidc-provider`, in a process of its own: `provider.mjs`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

/// It ends when dropped.
pub struct Provider {
    process: Child,
    output: BufReader<ChildStdout>,
    issuer: String,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Provider {
    pub fn start() -> Self {
        let folder = std::env::var("LIVENESS_TEST_OIDC").unwrap_or_else(|_| panic!("run it by .ci/test"));
        let mut process = Command::new("node")
            .arg(format!("{folder}/provider.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut provider = Self {
            output: BufReader::new(process.stdout.take().unwrap()),
            process,
            issuer: String::new(),
        };
        // It says in notices that it is for development only.
        while !provider.issuer.starts_with("http://") {
            provider.issuer = provider.line();
        }
        provider
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the provider has ended");
        line.trim_end().to_owned()
    }

    /// Waits until it has done this, by the commands of `provider.mjs`.
    pub fn tell(&mut self, command: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{command}").unwrap();
        while self.line() != command {}
    }
}
