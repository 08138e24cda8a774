//! Unpacks the files of Swagger UI that `/docs` serves, so that they are compiled in.

use std::error::Error;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::{env, fs, io};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const FOLDER: &str = "swagger-ui-5.32.6/dist";
const FILES: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

fn main() -> Result<(), Box<dyn Error>> {
    writeln!(io::stdout().lock(), "cargo::rerun-if-changed=build.rs")?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for name in FILES {
        let mut packed = archive.by_name(&format!("{FOLDER}/{name}"))?;
        io::copy(&mut packed, &mut fs::File::create(out.join(name))?)?;
    }
    Ok(())
}
