//! Checks files: who may read and write them, and on which kind of disk they are.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use liveness_core::faces::is_kept_secret;
use liveness_core::store::Store;

use super::findings::Findings;

/// The types of network file systems in statfs(2): NFS, SMB, SMB2, CIFS, AFS, Ceph, 9P.
const NETWORK_FILE_SYSTEMS: [u64; 7] = [
    0x6969,
    0x517B,
    0xFE53_4D42,
    0xFF53_4D42,
    0x5346_414F,
    0x00C3_6400,
    0x0102_1997,
];
const GIBIBYTE: u64 = 1 << 30;

/// Checks a file of keys. Anybody who can write it can make valid tokens.
pub(crate) fn not_writable_by_others(setting: &'static str, path: &Path, findings: &mut Findings) {
    written_by_its_owner(setting, path, "make tokens", findings);
}

/// Checks the file of the policy. Anybody who can write it can have every face erased.
pub(crate) fn policy_not_writable_by_others(path: &Path, findings: &mut Findings) {
    written_by_its_owner("LIVENESS_POLICY", path, "have faces erased", findings);
}

fn written_by_its_owner(setting: &'static str, path: &Path, harm: &str, findings: &mut Findings) {
    let Ok(about) = fs::metadata(path) else { return };
    let name = path.display();
    if about.mode() & 0o022 == 0 {
        findings.ok("files", format!("{setting}: {name} is written by its owner only"));
    } else if about.mode() & 0o002 != 0 {
        findings.danger(
            "world-writable",
            "files",
            format!("{setting}: {name} can be written by others than its owner, who could then {harm}"),
            &format!("chmod go-w {name}"),
        );
    } else {
        findings.problem(
            "files",
            format!("{setting}: {name} can be written by others than its owner, who could then {harm}"),
            format!("chmod go-w {name}"),
        );
    }
}

/// Checks a file with a secret: see [`is_kept_secret`].
pub(crate) fn secret(setting: &'static str, path: &Path, findings: &mut Findings) {
    let Ok(about) = fs::metadata(path) else { return };
    let name = path.display();
    if about.mode() & 0o077 == 0 {
        findings.ok("files", format!("{setting}: {name} is its owner's only"));
    } else if is_kept_secret(&about) {
        findings.ok(
            "files",
            format!("{setting}: {name} is root's, and read by group {}", about.gid()),
        );
    } else if about.mode() & 0o002 != 0 {
        findings.danger(
            "world-writable",
            "files",
            format!("{setting}: {name} can be read or written by others than its owner"),
            &format!("chmod 600 {name}"),
        );
    } else {
        findings.problem(
            "files",
            format!("{setting}: {name} can be read or written by others than its owner"),
            format!("chmod 600 {name}"),
        );
    }
}

/// Checks the database's files. They hold faces, so only their owner may read them, and they have one owner.
pub(crate) fn database(path: &Path, findings: &mut Findings) {
    let Ok(about) = fs::metadata(path) else { return };
    let files = Store::files_at(path);
    let about_files = files
        .iter()
        .filter_map(|file| Some((file.display(), fs::metadata(file).ok()?)));
    let about_files: Vec<_> = about_files.collect();
    let open_to_all = |bit: u32| about_files.iter().find(|(_, about)| about.mode() & bit != 0);
    if let Some((open, _)) = open_to_all(0o002) {
        findings.danger(
            "world-writable",
            "files",
            format!("{open} holds faces, and everybody may change it"),
            &format!("chmod 600 {open}"),
        );
    } else if let Some((open, _)) = open_to_all(0o004) {
        findings.problem(
            "files",
            format!("{open} holds faces, and everybody may read it"),
            format!("chmod 600 {open}"),
        );
    } else if let Some((open, _)) = about_files.iter().find(|(_, about)| about.mode() & 0o077 != 0) {
        findings.warning(
            "files",
            format!("{open} holds faces, and others than its owner may read or write it"),
            format!("chmod 600 {open}"),
        );
    } else {
        findings.ok("files", format!("{} is its owner's only", path.display()));
    }
    let owner = about.uid();
    for (name, other) in about_files.iter().filter(|(_, about)| about.uid() != owner) {
        findings.warning(
            "files",
            format!(
                "{name} belongs to user {}, and {} to user {owner}: a server cannot use both",
                other.uid(),
                path.display()
            ),
            format!("chown {owner} {name}"),
        );
    }
    let me = rustix::process::geteuid().as_raw();
    if owner != me {
        findings.warning(
            "files",
            format!(
                "{} belongs to user {owner}, and this process is user {me}",
                path.display()
            ),
            "run it as the user that the server runs as",
        );
    }
}

/// Checks the disk of the database: how much room it has, and whether it is in this machine.
pub(crate) fn disk(path: &Path, findings: &mut Findings) {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let Ok(about) = rustix::fs::statfs(folder) else { return };
    let free = about
        .f_bavail
        .saturating_mul(u64::try_from(about.f_bsize).unwrap_or_default());
    let size = fs::metadata(path).map_or(0, |about| about.len());
    let found = format!("{:.1} GiB are free for the database", free as f64 / GIBIBYTE as f64);
    let mend = "a full disk is 503 for every command: make room, or move the database";
    if free < GIBIBYTE / 4 {
        findings.problem("disk", found, mend);
    } else if free < GIBIBYTE.max(size / 10) {
        findings.warning("disk", found, mend);
    } else {
        findings.ok("disk", found);
    }
    if u64::try_from(about.f_type).is_ok_and(|kind| NETWORK_FILE_SYSTEMS.contains(&(kind & 0xFFFF_FFFF))) {
        findings.danger(
            "network-disk",
            "disk",
            "the database is on a network file system, where SQLite loses data",
            "move it to a disk of this machine, or use PostgreSQL",
        );
    }
}
