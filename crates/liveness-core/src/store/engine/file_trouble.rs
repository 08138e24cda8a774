//! Which file keeps this process from a SQLite database, whose it is, and what would mend it.
//!
//! SQLite only says "unable to open database file", and means any of four files or their folder.

use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

/// What SQLite puts beside the database. A journal is from before the database had a write-ahead log, or from another program:
/// SQLite rolls it back before it reads anything.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// What is done to a folder on the way to a file.
const ENTERED: &str = "entered";

/// A file or folder that this process cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileTrouble {
    /// What is wrong, with the path.
    pub(crate) problem: String,
    /// What would mend it.
    pub(crate) mend: String,
}

impl fmt::Display for FileTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.mend)
    }
}

/// Looks at the folders above a database, at the database and its companions, and at its folder, in this order.
pub(crate) fn find(path: &Path) -> Option<FileTrouble> {
    // SQLite follows a link, and puts the companions beside the file itself.
    let real = fs::read_link(path).and_then(|_| fs::canonicalize(path));
    let path = real.as_deref().unwrap_or(path);
    let folder = folder_of(path);
    let above = folder.ancestors().collect::<Vec<_>>().into_iter().rev();
    let mut folders = above.filter(|folder| *folder != Path::new(""));
    folders
        .find_map(of_folder_above)
        .or_else(|| files(path).iter().find_map(|file| of_file(file)))
        .or_else(|| of_folder(&folder))
}

/// The database and its companions, whether they are there or not.
pub(crate) fn files(path: &Path) -> [PathBuf; 4] {
    let beside = |end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let [journal, wal, shm] = COMPANIONS.map(beside);
    [path.to_owned(), journal, wal, shm]
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn of_folder_above(folder: &Path) -> Option<FileTrouble> {
    match fs::metadata(folder) {
        Ok(about) if !about.is_dir() => Some(FileTrouble {
            problem: format!("{} is no folder", folder.display()),
            mend: "correct the database URL".to_owned(),
        }),
        Ok(_) => refused(folder, Access::EXEC_OK).map(|errno| of_errno("the folder ", folder, errno, ENTERED)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(FileTrouble {
            problem: format!("the folder {} is not there", folder.display()),
            mend: "make it, or correct the database URL".to_owned(),
        }),
        // The folder above it is told.
        Err(_) => None,
    }
}

fn of_file(file: &Path) -> Option<FileTrouble> {
    let about = fs::metadata(file).ok()?;
    // SQLite takes an empty journal for none.
    if about.is_file() && about.len() == 0 && file.as_os_str().as_bytes().ends_with(b"-journal") {
        return None;
    }
    if !about.is_file() {
        return Some(FileTrouble {
            problem: format!("{} is no file", file.display()),
            mend: "correct the database URL".to_owned(),
        });
    }
    let of = |access, verb| refused(file, access).map(|errno| of_errno("", file, errno, verb));
    of(Access::READ_OK, "read").or_else(|| of(Access::WRITE_OK, "written"))
}

/// SQLite makes files in the folder and removes them, so it is not enough that the database can be written.
fn of_folder(folder: &Path) -> Option<FileTrouble> {
    refused(folder, Access::WRITE_OK).map(|errno| of_errno("the folder ", folder, errno, "written to"))
}

fn refused(path: &Path, access: Access) -> Option<Errno> {
    match accessat(CWD, path, access, AtFlags::EACCESS) {
        Err(errno @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) => Some(errno),
        _ => None,
    }
}

fn of_errno(kind: &str, path: &Path, errno: Errno, verb: &str) -> FileTrouble {
    let name = name_of(path);
    match errno {
        Errno::ROFS => FileTrouble {
            problem: format!("{kind}{name} cannot be {verb}: it is on a file system that is mounted read-only"),
            mend: "mount it for writing, or name another place in the database URL".to_owned(),
        },
        Errno::PERM => FileTrouble {
            problem: format!("{kind}{name} cannot be {verb}: it is marked as immutable"),
            mend: format!("chattr -i {name}"),
        },
        _ => of_permissions(kind, path, verb),
    }
}

fn of_permissions(kind: &str, path: &Path, verb: &str) -> FileTrouble {
    let name = name_of(path);
    let me = rustix::process::geteuid().as_raw();
    let Ok(about) = fs::metadata(path) else {
        return FileTrouble {
            problem: format!("{kind}{name} cannot be {verb} by user {me}"),
            mend: "let this user read and write it".to_owned(),
        };
    };
    let (owner, group, mode) = (about.uid(), about.gid(), about.mode() & 0o7777);
    let problem = format!(
        "{kind}{name} cannot be {verb}: it belongs to user {owner} and group {group}, with mode {mode:o}, and this \
         process is user {me}"
    );
    let mend = match (owner == me, about.is_dir()) {
        (true, true) => format!("chmod u+rwx {name}"),
        (true, false) => format!("chmod u+rw {name}"),
        // A folder above may be another's.
        (false, true) if verb == ENTERED => format!("chmod o+x {name}, or run this as user {owner}"),
        (false, _) => format!("chown {me} {name}, or run this as user {owner}"),
    };
    FileTrouble { problem, mend }
}

/// The path, or the whole path of the folder that the process is in.
fn name_of(path: &Path) -> String {
    let here = (path == Path::new(".")).then(std::env::current_dir);
    let here = here.and_then(Result::ok);
    here.as_deref().unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_companions_are_beside_the_database() {
        let named = files(Path::new("/a b/x.db"));

        assert_eq!(
            named,
            ["/a b/x.db", "/a b/x.db-journal", "/a b/x.db-wal", "/a b/x.db-shm"].map(PathBuf::from)
        );
    }

    #[test]
    fn a_good_place_has_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.db");
        fs::write(&file, "").unwrap();

        assert_eq!(find(&file), None);
        assert_eq!(find(&folder.path().join("new.db")), None);
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().display();
        fs::write(folder.path().join("letter"), "").unwrap();
        fs::write(folder.path().join("x.db"), "").unwrap();
        fs::create_dir(folder.path().join("x.db-shm")).unwrap();
        let problem = |file: &str| find(&folder.path().join(file)).map(|found| found.problem);

        assert_eq!(
            problem("no/such/x.db"),
            Some(format!("the folder {name}/no is not there"))
        );
        assert_eq!(problem("letter/x.db"), Some(format!("{name}/letter is no folder")));
        assert_eq!(problem("x.db"), Some(format!("{name}/x.db-shm is no file")));
    }
}
