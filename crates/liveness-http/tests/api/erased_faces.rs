//! What is left of a face that was erased: nothing, in any place, for anybody with the keys of today. What was kept still opens.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::cluster::bin;
use crate::engine::{Database, Engine, on_each_engine};
use crate::server::{FACE, SECRET, Server, admin, command, customer, report, token};

const USERS: i64 = 10;
const FACES_OF_EACH: i64 = 5;
/// This user is erased as a whole.
const ERASED_USER: i64 = 3;
/// The bytes of a face that no other face has.
const PATTERN: usize = 60;

/// A face of which nobody else has the pattern.
struct Face {
    id: i64,
    user: i64,
    pattern: Vec<u8>,
    is_erased: bool,
}

impl Face {
    fn new(user: i64, number: i64) -> Self {
        let mut pattern = vec![0; PATTERN];
        getrandom::fill(&mut pattern).unwrap();
        // No line feed and no zero, which would end it for `grep`.
        pattern.iter_mut().for_each(|byte| *byte |= 0x80);
        Self {
            id: 0,
            user,
            pattern,
            is_erased: user == ERASED_USER || number % 2 == 0,
        }
    }

    /// A JPEG: what is behind its end is kept.
    fn image(&self) -> Vec<u8> {
        [FACE, &self.pattern].concat()
    }

    fn data_uri(&self) -> String {
        format!("data:image/jpeg;base64,{}", STANDARD.encode(self.image()))
    }

    /// The pattern as it may stand somewhere: as it is, in hexadecimal digits, and in Base64, which has three forms of it.
    fn forms(&self) -> Vec<Vec<u8>> {
        let hex: String = self.pattern.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![self.pattern.clone(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
        for skipped in 0..3 {
            // Whole groups of three bytes.
            let part = &self.pattern[skipped..skipped + 57];
            forms.push(STANDARD_NO_PAD.encode(part).into_bytes());
            forms.push(URL_SAFE_NO_PAD.encode(part).into_bytes());
        }
        forms
    }
}

/// A host with sealed faces, and the folder that has its keys.
struct Place {
    folder: tempfile::TempDir,
    keys: Database,
    server: Server,
}

impl Place {
    fn start(engine: Engine, has_objects: bool) -> Self {
        let (folder, keys) = (tempfile::tempdir().unwrap(), Database::create(engine));
        let settings = settings(folder.path(), &keys_url(&keys), has_objects);
        let server = Server::with(engine, &borrowed(&settings));
        Self { folder, keys, server }
    }

    /// Runs a subcommand beside the server.
    fn run(&self, arguments: &[&str]) -> String {
        let ended = command(arguments)
            .env("LIVENESS_JWT_SECRET", SECRET)
            .envs(self.server.database().settings())
            .envs(settings(
                self.folder.path(),
                &keys_url(&self.keys),
                self.objects().exists(),
            ))
            .current_dir(self.server.database().folder())
            .output()
            .unwrap();
        assert!(ended.status.success(), "{arguments:?}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }

    fn record(&self, faces: &mut [Face]) {
        for face in faces {
            let mut body = report(&format!("session-{}-{:?}", face.user, &face.pattern[..8]), true);
            body["imageBase64"] = json!(face.data_uri());
            body["metadata"] = json!({ "verificationResult": true });
            let recorded = self
                .server
                .send("UpdateLivenessCheckCommand", &customer(face.user), &body);
            assert_eq!(recorded.status, 200, "{recorded:?}");
            face.id = recorded.data()["id"].as_i64().unwrap();
        }
    }

    fn erase(&self, faces: &[Face]) {
        let officer = token(&json!({ "sub": "officer-1", "role": "officer" }));
        let erased = faces.iter().filter(|face| face.is_erased && face.user != ERASED_USER);
        for face in erased {
            let body = json!({ "id": face.id, "reason": "asked for" });
            let answer = self.server.send("EraseFaceCommand", &officer, &body);
            assert_eq!(answer.codes(), (200, "00"), "{answer:?}");
            assert_eq!(
                self.server.send("EraseFaceCommand", &officer, &body).codes(),
                (410, "25")
            );
        }
        let body = json!({ "userId": ERASED_USER, "reason": "asked for" });
        let answer = self.server.send("EraseUserCommand", &officer, &body);
        assert_eq!(answer.data()["faces"], FACES_OF_EACH, "{answer:?}");
    }

    /// The folders in which a face might be: of the databases and their logs, the key store, the objects, and all backups.
    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.folder.path().to_owned()];
        for database in [self.server.database(), &self.keys] {
            folders.push(database.folder().to_owned());
            folders.extend(
                database
                    .postgres()
                    .map(|postgres| postgres.sql("SHOW data_directory").into()),
            );
        }
        folders
    }
}

fn keys_url(keys: &Database) -> String {
    match keys.postgres() {
        None => format!("sqlite://{}", keys.folder().join("liveness.keys.db").display()),
        Some(postgres) => postgres.url(),
    }
}

fn settings(folder: &Path, keys_url: &str, has_objects: bool) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        (
            "LIVENESS_FACE_KEYS",
            format!("file:{}", folder.join("face-keys").display()),
        ),
        ("LIVENESS_KEYS_URL", keys_url.to_owned()),
    ];
    if has_objects {
        settings.push((
            "LIVENESS_FACES_URL",
            format!("file://{}", folder.join("objects").display()),
        ));
    }
    settings
}

fn borrowed<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Which files in the folders have a pattern in any form.
fn found_in(folders: &[PathBuf], patterns: &[Vec<u8>]) -> String {
    let list = tempfile::NamedTempFile::new().unwrap();
    fs::write(list.path(), patterns.join(&b'\n')).unwrap();
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C")
        .args(["-rlaFs", "-f"])
        .arg(list.path())
        .args(folders);
    String::from_utf8(grep.output().unwrap().stdout).unwrap()
}

fn forms<'a>(faces: impl Iterator<Item = &'a Face>) -> Vec<Vec<u8>> {
    faces.flat_map(Face::forms).collect()
}

/// The memory that a process may write to.
fn memory_of(pid: u32) -> Vec<u8> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (begin, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [begin, end] = [begin, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        memory.seek(SeekFrom::Start(begin)).unwrap();
        // A region may have gone meanwhile.
        let _ = (&mut memory).take(end - begin).read_to_end(&mut all);
    }
    all
}

/// What a server shows of a face.
fn shown(server: &Server, face: &Face) -> Value {
    let answer = server.send("GetLivenessCheckQuery", &admin(), &json!({ "id": face.id }));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.data()["LivenessCheck"].clone()
}

/// Asserts that a server opens what was kept, and nothing of what was erased.
fn assert_opens_what_was_kept(server: &Server, faces: &[Face]) {
    for face in faces {
        let shown = shown(server, face);
        if face.is_erased {
            assert_eq!(
                (&shown["HasImage"], &shown["ImageBase64"]),
                (&json!(false), &json!(null))
            );
        } else {
            assert!(shown["ImageBase64"] == face.data_uri(), "face {}", face.id);
        }
    }
}

/// A backup of the database, as it is now.
fn back_up(place: &Place, name: &str) -> PathBuf {
    let file = place.folder.path().join(name);
    let path = file.to_str().unwrap();
    match place.server.database().postgres() {
        None => {
            place.run(&["backup", path]);
        }
        Some(postgres) => {
            let dumped = Command::new(bin("pg_dump"))
                .args(["-f", path, &postgres.url()])
                .status();
            assert!(dumped.unwrap().success());
        }
    }
    file
}

/// A new database from a backup.
fn restore(engine: Engine, backup: &Path, key: &Path) -> Database {
    let database = Database::create(engine);
    match database.postgres() {
        None => {
            fs::copy(backup, database.file()).unwrap();
            fs::copy(key, database.trail_key_file()).unwrap();
        }
        Some(postgres) => {
            let arguments = [
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-f",
                backup.to_str().unwrap(),
                &postgres.url(),
            ];
            let restored = Command::new(bin("psql")).args(arguments).output().unwrap();
            assert!(restored.status.success(), "{restored:?}");
        }
    }
    database
}

fn nothing_is_left(engine: Engine, has_objects: bool) {
    let place = Place::start(engine, has_objects);
    let numbered = |user| (0..FACES_OF_EACH).map(move |number| Face::new(user, number + user));
    let mut faces: Vec<_> = (1..=USERS).flat_map(numbered).collect();
    place.record(&mut faces);
    for face in faces.iter().step_by(3) {
        assert!(shown(&place.server, face)["ImageBase64"] == face.data_uri());
    }
    let old = back_up(&place, "before");
    let is_file = matches!(engine, Engine::Sqlite);
    let old_keys = place.folder.path().join("before.keys");
    if is_file {
        place.run(&["backup", "--keys", old_keys.to_str().unwrap()]);
    }

    place.erase(&faces);
    place.run(&["faces", "rotate"]);
    place.run(&["faces", "seal", "--compact"]);
    let new = back_up(&place, "after");

    let memory = tempfile::tempdir().unwrap();
    fs::write(memory.path().join("memory"), memory_of(place.server.pid())).unwrap();
    assert_eq!(
        found_in(
            &[memory.path().to_owned()],
            &forms(faces.iter().filter(|face| face.is_erased))
        ),
        ""
    );
    assert_eq!(found_in(&place.folders(), &forms(faces.iter())), "");
    assert_opens_what_was_kept(&place.server, &faces);
    assert!(
        place
            .run(&["trail", "verify"])
            .ends_with("nothing was changed, taken away or put in\n")
    );

    // With the keys of today, each backup opens what was kept.
    let key = place.server.database().trail_key_file();
    for backup in [&old, &new] {
        let settings = settings(place.folder.path(), &keys_url(&place.keys), has_objects);
        let server = Server::on(restore(engine, backup, &key), &borrowed(&settings));
        assert_opens_what_was_kept(&server, &faces);
    }
    // With the key store of before, nothing opens: what wrapped its keys is gone.
    if is_file {
        let settings = settings(
            place.folder.path(),
            &format!("sqlite://{}", old_keys.display()),
            has_objects,
        );
        for backup in [&old, &new] {
            let database = restore(engine, backup, &key);
            let ended = command(&["serve"])
                .env("LIVENESS_JWT_SECRET", SECRET)
                .env("LIVENESS_BIND", "127.0.0.1:0")
                .envs(settings.clone())
                .current_dir(database.folder())
                .output()
                .unwrap();
            let told = String::from_utf8(ended.stderr).unwrap();
            assert!(told.contains("faces cannot be opened"), "{told}");
        }
    }
}

fn nothing_is_left_of_an_erased_face(engine: Engine) {
    nothing_is_left(engine, false);
}

fn nothing_is_left_of_an_erased_object(engine: Engine) {
    nothing_is_left(engine, true);
}

on_each_engine!(nothing_is_left_of_an_erased_face, nothing_is_left_of_an_erased_object);
