//! The key of the audit trail that the tests of one program share.

use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use liveness_core::trail::TrailKey;
use tempfile::NamedTempFile;

/// A file with a key of the audit trail, for all databases and nodes of these tests.
pub(crate) fn trail_key_file() -> &'static Path {
    static FILE: LazyLock<NamedTempFile> = LazyLock::new(|| {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(TrailKey::generate().unwrap().pem.as_str().as_bytes())
            .unwrap();
        file
    });
    FILE.path()
}
