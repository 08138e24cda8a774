//! The keeper on tokens of SoftHSM: one for each test, in the folder that SOFTHSM2_CONF names.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Mutex;

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeInfo, AttributeType, KeyType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::*;
use crate::faces::keeper_contract;
use crate::faces::{DataKey, KeyKeeper as _};

const PIN: &str = "12345678";
const OFFICER: &str = "87654321";

/// A token, and the file with the PIN of its user.
struct Token {
    folder: tempfile::TempDir,
    module: Pkcs11,
    slot: Slot,
    label: String,
}

fn library() -> PathBuf {
    std::env::var_os("LIVENESS_TEST_SOFTHSM").expect("run .ci/test").into()
}

fn secret(pin: &str) -> AuthPin {
    AuthPin::new(pin.into())
}

impl Token {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
        Self::named(folder, &format!("a token; {name}"))
    }

    fn named(folder: tempfile::TempDir, label: &str) -> Self {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap();
        let module = module::load(&library()).unwrap();
        let is_free = |slot: &Slot| !module.get_token_info(*slot).unwrap().token_initialized();
        let slot = module
            .get_slots_with_token()
            .unwrap()
            .into_iter()
            .find(is_free)
            .unwrap();
        module.init_token(slot, &secret(OFFICER), label).unwrap();
        let token = Self {
            folder,
            module,
            slot,
            label: label.to_owned(),
        };
        token.set_pin(PIN);
        token.write_pin(PIN);
        token
    }

    /// The PIN of the token's user, as its officer sets it.
    fn set_pin(&self, pin: &str) {
        let session = self.module.open_rw_session(self.slot).unwrap();
        session.login(UserType::So, Some(&secret(OFFICER))).unwrap();
        session.init_pin(&secret(pin)).unwrap();
        session.logout().unwrap();
    }

    fn pin_file(&self) -> PathBuf {
        self.folder.path().join("pin")
    }

    fn write_pin(&self, pin: &str) {
        fs::write(self.pin_file(), format!("{pin}\n")).unwrap();
        fs::set_permissions(self.pin_file(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn uri_of(&self, label: &str) -> Pkcs11Uri {
        let label = label.replace(';', "%3B").replace(' ', "%20");
        let (module, pin) = (library(), self.pin_file());
        let uri = format!(
            "pkcs11:token={label};object=face-keys?module-path={}&pin-source=file:{}",
            module.display(),
            pin.display()
        );
        Pkcs11Uri::parse(&uri).unwrap()
    }

    fn uri(&self) -> Pkcs11Uri {
        self.uri_of(&self.label)
    }

    /// A session of somebody else, who is logged in as our user.
    fn session(&self) -> Session {
        let session = self.module.open_rw_session(self.slot).unwrap();
        // It fails where the keeper is logged in, because that counts for the whole process.
        let _ = session.login(UserType::User, Some(&secret(PIN)));
        session
    }
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn it_keeps_what_every_keeper_promises() {
    let token = Token::new();
    let keeper = Pkcs11Keeper::open(token.uri()).unwrap();
    let first = keeper.current().unwrap();
    let again = Pkcs11Keeper::open(token.uri()).unwrap();
    assert_eq!(again.current().unwrap(), first);
    keeper_contract::holds(&keeper, &again);
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_key_never_leaves_its_token() {
    let token = Token::new();
    Pkcs11Keeper::open(token.uri()).unwrap();
    let session = token.session();
    let [key] = session
        .find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)])
        .unwrap()[..]
    else {
        panic!("there is not one key");
    };
    let value = session.get_attribute_info(key, &[AttributeType::Value]).unwrap();
    assert!(matches!(value[..], [AttributeInfo::Sensitive]), "{value:?}");
    let promised = [
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::AlwaysSensitive(true),
        Attribute::Extractable(false),
        Attribute::NeverExtractable(true),
        Attribute::Local(true),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
    ];
    let types: Vec<_> = promised.iter().map(Attribute::attribute_type).collect();
    assert_eq!(session.get_attributes(key, &types).unwrap(), promised);
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_destroyed_key_is_gone_from_the_token() {
    let token = Token::new();
    let keeper = Pkcs11Keeper::open(token.uri()).unwrap();
    let old = keeper.current().unwrap();
    let new = keeper.rotate().unwrap();
    keeper.destroy(&old).unwrap();
    let session = token.session();
    let keys = session
        .find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)])
        .unwrap();
    let attributes = session
        .get_attributes(keys[0], &[AttributeType::Id, AttributeType::Label])
        .unwrap();
    let expected = [
        Attribute::Id(new.as_str().as_bytes().to_vec()),
        Attribute::Label(b"face-keys".to_vec()),
    ];
    assert_eq!((keys.len(), attributes.as_slice()), (1, expected.as_slice()));
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_session_that_died_is_opened_again() {
    let token = Token::new();
    let keeper = Pkcs11Keeper::open(token.uri()).unwrap();
    let key = DataKey::random().unwrap();
    let (id, wrapped) = keeper.wrap(&key, b"").unwrap();
    for _ in 0..2 {
        // Somebody has logged our user out, which counts for all sessions. The keys are then as if they were not there.
        token.session().logout().unwrap();
        assert_eq!(keeper.unwrap(&id, &wrapped, b"").unwrap().expose(), key.expose());
        token.session().logout().unwrap();
        assert!(!keeper.is_empty().unwrap());
    }
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_wrong_pin_is_tried_once() {
    let token = Token::new();
    token.write_pin("wrong-pin");
    let keeper = Pkcs11Keeper::at(token.uri());
    let told = keeper.health().unwrap_err().to_string();
    assert!(told.contains("C_Login says PinIncorrect; write the PIN"), "{told}");
    assert!(!told.contains("wrong-pin"), "{told}");
    // It would be taken now, if it were tried again.
    token.set_pin("wrong-pin");
    assert_eq!(keeper.current().unwrap_err().to_string(), told);
    token.set_pin(PIN);
    token.write_pin(PIN);
    assert!(keeper.is_empty().unwrap());
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn what_is_missing_is_told_with_its_mend() {
    let token = Token::new();
    let refused = |uri: Pkcs11Uri, expected: &str| {
        let told = Pkcs11Keeper::open(uri).unwrap_err().to_string();
        assert!(told.contains(expected), "{expected}: {told}");
    };
    let pin = token.pin_file();
    let with_module = |module: &str| {
        let uri = format!("pkcs11:token=t?module-path={module}&pin-source={}", pin.display());
        Pkcs11Uri::parse(&uri).unwrap()
    };
    refused(
        with_module("/no/such.so"),
        "/no/such.so is not there; install the token's library",
    );
    refused(with_module("/etc/hostname"), "/etc/hostname cannot be loaded");
    refused(
        token.uri_of("another"),
        "the token \"another\" is not there; the tokens that are there are ",
    );
    let told = Pkcs11Keeper::at(token.uri()).health().unwrap_err().to_string();
    assert!(told.contains("has no key; put the backup"), "{told}");
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o640)).unwrap();
    refused(
        token.uri(),
        "pin can be read or written by others than its owner; chmod 600",
    );
    token.write_pin("");
    refused(token.uri(), "has no PIN");
    fs::remove_file(&pin).unwrap();
    refused(token.uri(), "cannot read ");
    // Another token of the same name.
    let twin = Token::named(tempfile::tempdir().unwrap(), &token.label);
    refused(twin.uri(), "is there several times; name it by its serial");
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_key_that_could_leave_the_token_is_refused() {
    let token = Token::new();
    let keeper = Pkcs11Keeper::open(token.uri()).unwrap();
    let foreign = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Label(b"face-keys".to_vec()),
        Attribute::Id(b"00000002-of-somebody".to_vec()),
        Attribute::ValueLen(32.into()),
        Attribute::Extractable(true),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ];
    token.session().generate_key(&Mechanism::AesKeyGen, &foreign).unwrap();
    let told = keeper.health().unwrap_err().to_string();
    assert!(told.contains("would give the key 00000002-of-somebody away"), "{told}");
}
