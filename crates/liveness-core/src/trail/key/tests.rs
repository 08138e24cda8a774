//! Tests of keys: those of other programs, broken ones, and their signatures and MACs.

use super::*;
use crate::trail::BadSignature;

/// Made by `openssl genpkey -algorithm ED25519`. The values of the tests were computed by Python's cryptography.
const PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIIBNth4hK/goKFkxK4ahm47SYjJ+D/dIE6TXzGslgZcr
-----END PRIVATE KEY-----
";
const VKEY: &str = "liveness.log/9916e469e235e8ca+51475751+AcDoSH8AGJyQRjDVy1Jyca7aET7A0AVMIEiZG9hl2qwN";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAwOhIfwAYnJBGMNXLUnJxrtoRPsDQBUwgSJkb2GXarA0=
-----END PUBLIC KEY-----
";
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhf2uBBe2IzwgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEDPV7Tj8jmFDqo9Gdua0v0UEQNet
n+TcJG1iHXaF68dehYXuZ/WMuXKMERpiUAtDm+z9r4bq3238d3TJgVq4FdEkHOtR
LHw/A1FQYPsFEQnkNn0=
-----END ENCRYPTED PRIVATE KEY-----
";
const EC: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggSfhXfDKy97khLkR
9/AebMIz3fJ+hXlPsBv/C8DoM5ehRANCAAT3ygLG7W1nQdyHkqVXBAh+g0pjsFvJ
PHL8/0o/8wcVrb66qf7sIjlFK6VFQuIAenqXSbx5XwQlj3Sd0+3GZT55
-----END PRIVATE KEY-----
";
const EC_OLD: &str = "-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIP93Uwe9wbFoaJ0m6KV/3/tJF0OeVHeNtC1yH0wyMeiLoAoGCCqGSM49
AwEHoUQDQgAE4RtdNNMaVeL79JSI/WayEqslG2EabzjVHgg3i9OJgGKnp4L81RJF
dCoaPk9bABg3DqXmGRpZ+s6qTNbo73Gyhw==
-----END EC PRIVATE KEY-----
";
/// It is cut, which nobody gets to see: the algorithm is told first.
const RSA: &str = "-----BEGIN PRIVATE KEY-----
MIIBUwIBADANBgkqhkiG9w0BAQEFAASCAT0wggE5AgEAAkEAqlkKhSq1ESw6gQCN
-----END PRIVATE KEY-----
";
const X25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIBCAaeBPrt4wnkSxoPCS/2PoWr37grzecwQX3P+gLh91
-----END PRIVATE KEY-----
";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_key_of_openssl_signs_as_another_library_does() {
    let key = TrailKey::from_pem(PEM).unwrap();
    assert_eq!(key.vkey(), VKEY);
    assert_eq!(
        hex(&key.sign(b"a text")),
        "9c95410e3732bb8d77e5185cb4e8da075e4ce428dd9c479e224c8723c425768d\
         4cfd7076578873d0db096ad113a473faf891df7dbdb253e5bddb727bdfffb800"
    );
    let mac = key.entry_mac_key().unwrap().mac(b"an entry");
    assert_eq!(
        hex(&mac),
        "ef0eaea61a15434b5fb9afe9d9616c12f4e4b51bb6bc6e46ddb0f5fe05acc08a"
    );
}

#[test]
fn a_new_key_is_read_again_with_its_name() {
    for new in [
        TrailKey::generate().unwrap(),
        TrailKey::generate_named("bank.example/trail").unwrap(),
    ] {
        let read = TrailKey::from_pem(new.pem.as_str()).unwrap();
        assert_eq!(read.verifier(), new.key.verifier());
        // From Windows, and between other text.
        let other = format!("Made on a day.\n{}\nmore\n", new.pem.as_str()).replace('\n', "\r\n");
        assert_eq!(TrailKey::from_pem(&other).unwrap().verifier(), new.key.verifier());
    }
    assert_eq!(
        TrailKey::generate_named("bank.example/trail").unwrap().key.origin(),
        "bank.example/trail"
    );
}

#[test]
fn what_is_no_key_is_told_by_what_it_is() {
    let other = |name: &str| KeyError::Other(name.to_owned());
    let cases = [
        ("", KeyError::Missing),
        ("MC4CAQAwBQYDK2VwBCIEIIBNth4h", KeyError::Missing),
        (
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            KeyError::Missing,
        ),
        (PUBLIC, KeyError::Public),
        (ENCRYPTED, KeyError::Encrypted),
        (RSA, other("RSA")),
        (EC, other("ECDSA or ECDH")),
        (X25519, other("X25519")),
        (EC_OLD, other("a program that calls it \"EC PRIVATE KEY\"")),
        (&format!("{PEM}{EC}"), KeyError::Several(2)),
        (&PEM[..60], KeyError::Broken),
        (&PEM.replace("MC4C", "MC4!"), KeyError::Broken),
        (&PEM.replace("MC4C", "MD4C"), KeyError::Broken),
        (&format!("Origin: a\nOrigin: b\n{PEM}"), KeyError::Origins(2)),
        (&format!("Origin: a b\n{PEM}"), KeyError::Name(NameError("a b".into()))),
        (&format!("Origin:\n{PEM}"), KeyError::Name(NameError(String::new()))),
    ];
    for (pem, expected) in cases {
        assert_eq!(TrailKey::from_pem(pem).map(|_| ()), Err(expected), "{pem}");
    }
    // A public key beside it does no harm.
    assert_eq!(TrailKey::from_pem(&format!("{PUBLIC}{PEM}")).unwrap().vkey(), VKEY);
}

#[test]
fn a_name_is_one_that_a_note_can_have() {
    for name in ["a", "bank.example/log", "Zürich/α", &"n".repeat(255)] {
        assert_eq!(TrailKey::generate_named(name).unwrap().key.origin(), name);
    }
    for name in ["", "a b", "a\nb", "a+b", "a\u{a0}b", "a\tb", "a\0", &"n".repeat(256)] {
        assert!(
            matches!(TrailKey::generate_named(name), Err(KeyError::Name(_))),
            "{name:?}"
        );
    }
}

#[test]
fn a_mac_is_that_of_its_key_and_text() {
    let key = |pem| TrailKey::from_pem(pem).unwrap().entry_mac_key().unwrap();
    let mac = key(PEM).mac(b"an entry");
    assert_eq!(key(PEM).verify(b"an entry", &mac), Ok(()));
    assert_eq!(key(PEM).verify(b"another", &mac), Err(BadSignature));
    assert_eq!(key(PEM).verify(b"an entry", &mac[..31]), Err(BadSignature));
    let other = TrailKey::generate().unwrap();
    assert_eq!(key(other.pem.as_str()).verify(b"an entry", &mac), Err(BadSignature));
}

#[test]
fn nothing_secret_is_shown() {
    let new = TrailKey::from_pem(PEM).unwrap();
    let mac = new.entry_mac_key().unwrap();
    assert_eq!(format!("{new:?} {mac:?}"), format!("TrailKey({VKEY}) MacKey(secret)"));
    let new = TrailKey::generate().unwrap();
    let secret = new.pem.as_str().lines().nth(1).unwrap();
    assert!(!format!("{new:?}").contains(&secret[22..]));
}
