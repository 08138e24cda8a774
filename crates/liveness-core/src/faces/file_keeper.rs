//! Key-encryption keys in files of a folder, one for each key.
//!
//! A file has 32 random bytes and mode 0600, and the folder mode 0700. The name of a file is a number that grows and some
//! random digits: the last name is the current key. No key stays in memory, so a key that another process has destroyed is
//! gone for this one too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::data_key::{DataKey, fill, random_number};
use super::error::KeeperError;
use super::keeper::{Destroyed, KeyKeeper};
use super::key_id::KeyId;
use super::own_file::{check_mode, unusable};
use super::wrapping::{WRAPPED_BYTES, associated};

const KEY_BYTES: usize = 32;
const EXTENSION: &str = "key";

/// Key-encryption keys in a folder that only its owner may enter.
///
/// ```
/// use liveness_core::faces::{DataKey, FileKeeper, KeyKeeper as _};
///
/// let folder = tempfile::tempdir()?;
/// let keeper = FileKeeper::open(&folder.path().join("face-keys"))?;
/// let key = DataKey::random()?;
/// let (id, wrapped) = keeper.wrap(&key, b"face 7")?;
/// assert_eq!(keeper.unwrap(&id, &wrapped, b"face 7")?.expose(), key.expose());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileKeeper {
    folder: PathBuf,
}

impl FileKeeper {
    /// Uses the keys of a folder. Makes the folder if it is missing, and a first key if it is empty.
    ///
    /// # Errors
    ///
    /// [`KeeperError::Unusable`] when the folder cannot be used, or others may look into it.
    pub fn open(folder: &Path) -> Result<Self, KeeperError> {
        let keeper = Self::at(folder);
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(unusable("make", folder, &error)),
            _ => {}
        }
        check_mode(folder, 0o700)?;
        if keeper.ids()?.is_empty() {
            keeper.make(1)?;
        }
        keeper.health()?;
        Ok(keeper)
    }

    /// The keys of a folder, which is not looked at yet: see [`health`](KeyKeeper::health).
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    fn path_of(&self, id: &KeyId) -> PathBuf {
        self.folder.join(format!("{id}.{EXTENSION}"))
    }

    /// The names of the keys, the current one last.
    fn ids(&self) -> Result<Vec<KeyId>, KeeperError> {
        let refused = |error: io::Error| unusable("read", &self.folder, &error);
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(refused)? {
            let name = entry.map_err(refused)?.file_name();
            let name = name
                .to_str()
                .and_then(|name| name.strip_suffix(&format!(".{EXTENSION}")));
            // A name with a dot in front is of a file that was not finished.
            ids.extend(name.filter(|name| !name.starts_with('.')).and_then(KeyId::parse));
        }
        KeyId::sort(&mut ids);
        Ok(ids)
    }

    /// Makes a key. It has its name only once it is on the disk as a whole.
    fn make(&self, number: u64) -> Result<KeyId, KeeperError> {
        let id = KeyId::numbered(number, random_number()?);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        fill(key.as_mut_slice())?;
        let unfinished = self.folder.join(format!(".{id}.new"));
        let written = (|| {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)?;
            file.write_all(key.as_slice())?;
            file.sync_all()?;
            fs::rename(&unfinished, self.path_of(&id))?;
            File::open(&self.folder)?.sync_all()
        })();
        written.map_err(|error| unusable("write to", &self.folder, &error))?;
        Ok(id)
    }

    fn read(&self, id: &KeyId) -> Result<LessSafeKey, KeeperError> {
        let path = self.path_of(id);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(KeeperError::NoSuchKey(id.clone())),
            opened => opened.map_err(|error| unusable("read", &path, &error))?,
        };
        // One byte more, to see a file that is too long.
        let mut found = Zeroizing::new([0; KEY_BYTES + 1]);
        let mut length = 0;
        while length < found.len() {
            match file.read(&mut found[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unusable("read", &path, &error)),
            }
        }
        let key = found.get(..length).filter(|key| key.len() == KEY_BYTES);
        let key = key.and_then(|key| UnboundKey::new(&AES_256_GCM, key).ok());
        key.map(LessSafeKey::new).ok_or_else(|| KeeperError::Unusable {
            problem: format!("{} does not have the {KEY_BYTES} bytes of a key", path.display()),
            mend: "put its backup in its place".to_owned(),
        })
    }
}

impl KeyKeeper for FileKeeper {
    fn current(&self) -> Result<KeyId, KeeperError> {
        self.ids()?.pop().ok_or_else(|| KeeperError::Unusable {
            problem: format!("{} has no key", self.folder.display()),
            mend: "put the backup of the keys into it".to_owned(),
        })
    }

    fn wrap(&self, key: &DataKey, bound_to: &[u8]) -> Result<(KeyId, Vec<u8>), KeeperError> {
        let id = self.current()?;
        let wrapped = wrap_with(&self.read(&id)?, &id, key, bound_to)?;
        Ok((id, wrapped))
    }

    /// Reads the key-encryption key once.
    fn wrap_all(&self, keys: &[(&DataKey, &[u8])]) -> Result<Vec<(KeyId, Vec<u8>)>, KeeperError> {
        let id = self.current()?;
        let wrapping = self.read(&id)?;
        let wrap = |(key, bound_to): &(&DataKey, &[u8])| Ok((id.clone(), wrap_with(&wrapping, &id, key, bound_to)?));
        keys.iter().map(wrap).collect()
    }

    fn unwrap(&self, id: &KeyId, wrapped: &[u8], bound_to: &[u8]) -> Result<DataKey, KeeperError> {
        let key = self.read(id)?;
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_LEN).ok_or(KeeperError::Changed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeeperError::Changed)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let opened = key.open_in_place(nonce, Aad::from(associated(id, bound_to)), &mut sealed);
        opened
            .ok()
            .and_then(|key| DataKey::from_slice(key))
            .ok_or(KeeperError::Changed)
    }

    fn rotate(&self) -> Result<KeyId, KeeperError> {
        let newest = self.current()?;
        self.make(newest.number() + 1)
    }

    /// Overwrites the file, and then removes it. A disk may keep what was overwritten: see docs/operations.md, Faces.
    fn destroy(&self, id: &KeyId) -> Result<Destroyed, KeeperError> {
        if self.current()? == *id {
            return Err(KeeperError::Unusable {
                problem: format!("{id} is the current key"),
                mend: "rotate first".to_owned(),
            });
        }
        let path = self.path_of(id);
        let destroyed = (|| {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            file.write_all(&[0; KEY_BYTES])?;
            file.sync_all()?;
            fs::remove_file(&path)?;
            File::open(&self.folder)?.sync_all()
        })();
        match destroyed {
            Ok(()) => Ok(Destroyed::Now),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Destroyed::Before),
            Err(error) => Err(unusable("destroy", &path, &error)),
        }
    }

    fn health(&self) -> Result<(), KeeperError> {
        check_mode(&self.folder, 0o700)?;
        self.current()?;
        for id in self.ids()? {
            check_mode(&self.path_of(&id), 0o600)?;
            self.read(&id)?;
        }
        Ok(())
    }
}

/// AES-256-GCM with a random nonce, which is good for 2^32 keys (NIST SP 800-38D, 8.3): far more than the faces of a month.
fn wrap_with(wrapping: &LessSafeKey, id: &KeyId, key: &DataKey, bound_to: &[u8]) -> Result<Vec<u8>, KeeperError> {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce)?;
    // With room for the tag, so that no copy of the key is left behind.
    let mut wrapped = Zeroizing::new(Vec::with_capacity(WRAPPED_BYTES));
    wrapped.extend(nonce);
    wrapped.extend(key.expose());
    let sealed = wrapping.seal_in_place_separate_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(associated(id, bound_to)),
        &mut wrapped[NONCE_LEN..],
    );
    // This does not fail, because the key is whole and 32 bytes are not too many. If it did, nothing would be kept.
    let tag = sealed.map_err(|_| KeeperError::Changed)?;
    wrapped.extend(tag.as_ref());
    Ok(wrapped.to_vec())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::super::keeper_contract;
    use super::*;

    fn keeper() -> (tempfile::TempDir, FileKeeper) {
        let place = tempfile::tempdir().unwrap();
        let keeper = FileKeeper::open(&place.path().join("keys")).unwrap();
        (place, keeper)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn the_first_key_is_made_once_and_is_its_owners_only() {
        let (place, keeper) = keeper();
        let folder = place.path().join("keys");
        let id = keeper.current().unwrap();
        assert_eq!((mode(&folder), mode(&keeper.path_of(&id))), (0o700, 0o600));
        assert_eq!(FileKeeper::open(&folder).unwrap().current().unwrap(), id);
    }

    #[test]
    fn what_others_may_read_is_refused_with_the_mend() {
        let (place, keeper) = keeper();
        let folder = place.path().join("keys");
        let file = keeper.path_of(&keeper.current().unwrap());
        for (path, open, mend) in [(&folder, 0o750, "chmod 700"), (&file, 0o640, "chmod 600")] {
            let before = mode(path);
            fs::set_permissions(path, fs::Permissions::from_mode(open)).unwrap();
            let told = FileKeeper::open(&folder).unwrap_err().to_string();
            assert!(told.contains(&format!("{mend} {}", path.display())), "{told}");
            fs::set_permissions(path, fs::Permissions::from_mode(before)).unwrap();
            FileKeeper::open(&folder).unwrap();
        }
    }

    #[test]
    fn it_keeps_what_every_keeper_promises() {
        let (_place, keeper) = keeper();
        // Another process on the same folder.
        let other = FileKeeper::open(&keeper.folder).unwrap();
        keeper_contract::holds(&keeper, &other);
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let (_place, keeper) = keeper();
        let path = keeper.path_of(&keeper.current().unwrap());
        for length in [0, 31, 33] {
            fs::write(&path, vec![7; length]).unwrap();
            let told = keeper.health().unwrap_err().to_string();
            assert!(told.contains(&*path.to_string_lossy()), "{told}");
        }
    }
}
