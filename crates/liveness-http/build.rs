//! Unpacks the files of Swagger UI that `/docs` serves, and compresses all static files, so that they are compiled in.
//!
//! They are compressed here and not when they are asked for: whoever asks needs no token.

use std::error::Error;
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::GzEncoder;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const SWAGGER_UI: &str = "swagger-ui-5.32.6/dist";
const SWAGGER_UI_FILES: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];
/// The folders below `assets`.
const FOLDERS: [&str; 3] = ["admin", "docs", "privacy"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut told = io::stdout().lock();
    writeln!(told, "cargo::rerun-if-changed=build.rs")?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for folder in FOLDERS {
        let assets = Path::new("assets").join(folder);
        writeln!(told, "cargo::rerun-if-changed={}", assets.display())?;
        for file in fs::read_dir(assets)? {
            let file = file?;
            let name = file
                .file_name()
                .into_string()
                .map_err(|_| "a file's name is not UTF-8")?;
            write(&out.join(folder), &name, &fs::read(file.path())?)?;
        }
    }
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for name in SWAGGER_UI_FILES {
        let mut content = Vec::new();
        archive
            .by_name(&format!("{SWAGGER_UI}/{name}"))?
            .read_to_end(&mut content)?;
        write(&out.join("docs"), name, &content)?;
    }
    Ok(())
}

/// Writes a file, and beside it the same file compressed.
fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(name), content)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    fs::write(folder.join(format!("{name}.gz")), gzip.finish()?)
}
