//! A token of SoftHSM in a folder of its own. A process knows of it by its environment.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// A token that is named `liveness`, and the file with the PIN of its user.
pub struct SoftToken(tempfile::TempDir);

impl SoftToken {
    pub fn new() -> Self {
        let token = Self(tempfile::tempdir().unwrap());
        fs::create_dir(token.0.path().join("tokens")).unwrap();
        let tokens = token.path("tokens");
        fs::write(
            token.path("softhsm2.conf"),
            format!("directories.tokendir = {tokens}\nlog.level = ERROR\n"),
        )
        .unwrap();
        token.write_pin("12345678");
        let mut initialize = Command::new("softhsm2-util");
        initialize
            .args(["--init-token", "--free", "--label", "liveness"])
            .args(["--pin", "12345678", "--so-pin", "87654321"])
            .env("SOFTHSM2_CONF", token.path("softhsm2.conf"));
        let initialized = initialize.output().unwrap();
        assert!(initialized.status.success(), "{initialized:?}");
        token
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Puts a PIN into the file.
    pub fn write_pin(&self, pin: &str) {
        fs::write(self.path("pin"), pin).unwrap();
        fs::set_permissions(self.path("pin"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// What a process has to be told.
    pub fn settings(&self) -> [(&'static str, String); 2] {
        let library = std::env::var("LIVENESS_TEST_SOFTHSM").unwrap();
        let pin = self.path("pin");
        let uri = format!("pkcs11:token=liveness;object=face-keys?module-path={library}&pin-source=file:{pin}");
        [
            ("LIVENESS_FACE_KEYS", uri),
            ("SOFTHSM2_CONF", self.path("softhsm2.conf")),
        ]
    }

    /// The files of the objects on the token, which are its keys. The one of the token itself is not among them.
    pub fn objects(&self) -> Vec<String> {
        let token = fs::read_dir(self.path("tokens")).unwrap().next().unwrap().unwrap();
        let files = fs::read_dir(token.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.ends_with(".object") && name != "token.object")
            .collect()
    }
}
