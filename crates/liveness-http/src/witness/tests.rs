//! A witness that is a real server, and logs that fit what it has signed, or do not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_core::store::Store;
use liveness_core::trail::{SignedCheckpoint, TrailKey, TrailVerifier, verify_consistency};
use liveness_core::{AuditEntry, AuditSubject};

use super::{Unwitnessed, Witness, WitnessAddress, WitnessAddressError, Witnessed};

const NAME: &str = "witness.example/w1";

/// C2SP tlog-witness: it cosigns a checkpoint that goes on from the last one that it has cosigned, and no other.
struct Server {
    key: TrailKey,
    log: TrailVerifier,
    /// The size and the root that it has cosigned last.
    cosigned: Mutex<(u64, [u8; 32])>,
    /// How many requests it was sent.
    asked: Mutex<u32>,
}

impl Server {
    fn start(log: &TrailVerifier) -> (Arc<Self>, WitnessAddress) {
        let server = Arc::new(Self {
            key: TrailKey::generate_named(NAME).unwrap().key,
            log: log.clone(),
            cosigned: Mutex::default(),
            asked: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("{} http://{}/", server.vkey(), listener.local_addr().unwrap());
        let serving = Arc::clone(&server);
        thread::spawn(move || {
            for stream in listener.incoming() {
                serving.serve(stream.unwrap());
            }
        });
        (server, address.parse().unwrap())
    }

    fn key_id(&self) -> u32 {
        let bytes = [NAME.as_bytes(), b"\n\x04", self.key.verifier().public_key()].concat();
        let digest = digest(&SHA256, &bytes);
        u32::from_be_bytes(digest.as_ref()[..4].try_into().unwrap())
    }

    fn vkey(&self) -> String {
        let key = [&[4], &self.key.verifier().public_key()[..]].concat();
        format!("{NAME}+{:08x}+{}", self.key_id(), STANDARD.encode(key))
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(&stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        assert!(head.starts_with("POST /add-checkpoint HTTP/1.1\r\n"), "{head}");
        let length = head.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap();
        let mut body = vec![0; length.split("\r\n").next().unwrap().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        *self.asked.lock().unwrap() += 1;
        let (status, media_type, answer) = self.answer(&String::from_utf8(body).unwrap());
        let length = answer.len();
        write!(
            &stream,
            "HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
        )
        .unwrap();
    }

    fn answer(&self, request: &str) -> (u16, &str, String) {
        let (proof, note) = request.split_once("\n\n").unwrap();
        let mut lines = proof.lines();
        let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
        let proof: Vec<[u8; 32]> = lines
            .map(|line| STANDARD.decode(line).unwrap().try_into().unwrap())
            .collect();
        let Ok(signed) = SignedCheckpoint::open(note, &self.log) else {
            return (403, "text/plain", String::new());
        };
        let checkpoint = signed.checkpoint();
        let mut cosigned = self.cosigned.lock().unwrap();
        if old != cosigned.0 {
            return (409, "text/x.tlog.size", format!("{}\n", cosigned.0));
        }
        let new = (checkpoint.size, &checkpoint.root);
        if old > 0 && verify_consistency((old, &cosigned.1), new, &proof).is_err() {
            return (422, "text/plain", String::new());
        }
        *cosigned = (checkpoint.size, checkpoint.root);
        let time = 1_774_188_005_u64;
        let signature = self
            .key
            .sign(format!("cosignature/v1\ntime {time}\n{checkpoint}").as_bytes());
        let bytes = [&self.key_id().to_be_bytes()[..], &time.to_be_bytes(), &signature].concat();
        (200, "text/plain", format!("— {NAME} {}\n", STANDARD.encode(bytes)))
    }
}

/// A log with so many entries behind its first one, by these principals.
async fn log(key: &Arc<TrailKey>, principals: &[&str]) -> Store {
    let store = Store::in_memory().unwrap();
    store.migrate().unwrap();
    grow(&store, key, principals).await;
    store
}

async fn grow(store: &Store, key: &Arc<TrailKey>, principals: &[&str]) {
    store.trail().sign_entries(key).unwrap();
    for principal in principals {
        let entry = AuditEntry {
            at: "2026-03-22T14:00:05Z".parse().unwrap(),
            request_id: "test".to_owned(),
            principal: (*principal).to_owned(),
            issuer: None,
            actor: None,
            roles: "admin".to_owned(),
            self_service_user_id: None,
            message: "RetrieveLivenessChecksQuery".into(),
            outcome: "00".into(),
            client_address: None,
            subject: AuditSubject::default(),
        };
        store.trail().append(entry).await.unwrap();
    }
    store.trail().keep(Arc::clone(key), false).unwrap().stop();
}

fn key() -> Arc<TrailKey> {
    Arc::new(TrailKey::generate().unwrap().key)
}

fn finding(witnessed: Witnessed) -> String {
    match witnessed {
        Witnessed::Finding(finding) => finding,
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn each_checkpoint_is_cosigned_and_the_cosignature_is_kept() {
    let key = key();
    let store = log(&key, &["a", "b"]).await;
    let (server, address) = Server::start(key.verifier());
    let mut witness = Witness::new(address.clone(), store.clone(), key.verifier().clone());
    assert!(witness.is_due().unwrap());

    assert_eq!(witness.ask().unwrap(), Witnessed::Cosigned(3));
    assert!(!witness.is_due().unwrap());
    grow(&store, &key, &["c"]).await;
    assert!(witness.is_due().unwrap());
    assert_eq!(witness.ask().unwrap(), Witnessed::Cosigned(4));

    let note = store.trail().last_checkpoint().unwrap().unwrap();
    let signed = SignedCheckpoint::open(&note, key.verifier()).unwrap();
    let kept = signed.cosignature(address.verifier()).unwrap().unwrap();
    assert_eq!(kept.at, 1_774_188_005);
    assert_eq!(witness.verify_kept().unwrap(), [""; 0]);
    // Another process goes on from what is kept, without a 409.
    grow(&store, &key, &[]).await;
    let asked = *server.asked.lock().unwrap();
    let mut another = Witness::new(address, store, key.verifier().clone());
    assert_eq!(another.ask().unwrap(), Witnessed::Cosigned(4));
    assert_eq!(*server.asked.lock().unwrap(), asked + 1);
}

#[actix_web::test]
async fn a_witness_that_has_cosigned_another_size_is_asked_again_from_there() {
    let key = key();
    let (server, address) = Server::start(key.verifier());
    let store = log(&key, &["a", "b"]).await;
    let mut witness = Witness::new(address, store.clone(), key.verifier().clone());
    witness.ask().unwrap();
    grow(&store, &key, &["c", "d"]).await;
    witness.cosigned = Some(1);

    assert_eq!(witness.ask().unwrap(), Witnessed::Cosigned(5));
    assert_eq!(*server.asked.lock().unwrap(), 3);
}

#[actix_web::test]
async fn a_log_that_was_set_back_is_found() {
    let key = key();
    let (_server, address) = Server::start(key.verifier());
    let longer = log(&key, &["a", "b", "c"]).await;
    Witness::new(address.clone(), longer, key.verifier().clone())
        .ask()
        .unwrap();
    let shorter = log(&key, &["a"]).await;

    let found = Witness::new(address, shorter, key.verifier().clone()).ask().unwrap();

    let expected =
        "the log has 2 entries, and the witness witness.example/w1 has cosigned 4: the database was set back";
    assert!(finding(found).starts_with(expected));
}

#[actix_web::test]
async fn another_log_under_the_same_key_is_found() {
    let key = key();
    let (_server, address) = Server::start(key.verifier());
    let first = log(&key, &["a", "b"]).await;
    Witness::new(address.clone(), first, key.verifier().clone())
        .ask()
        .unwrap();
    let forged = log(&key, &["x", "y", "z"]).await;

    let found = Witness::new(address, forged, key.verifier().clone()).ask().unwrap();

    let expected = "the log of 4 entries does not go on from the one of 3 entries that the witness witness.example/w1";
    assert!(finding(found).starts_with(expected));
}

#[actix_web::test]
async fn a_witness_that_does_not_know_the_key_or_is_away_is_no_finding() {
    let own = key();
    let store_of_own = log(&own, &["a"]).await;
    let (_server, address) = Server::start(key().verifier());
    let refused = Witness::new(address, store_of_own.clone(), own.verifier().clone()).ask();
    assert!(
        matches!(refused, Err(Unwitnessed::Unknown("the key of the log"))),
        "{refused:?}"
    );

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (server, _) = Server::start(own.verifier());
    let away = format!("{} http://{free}", server.vkey()).parse().unwrap();
    let refused = Witness::new(away, store_of_own, own.verifier().clone()).ask();
    assert!(matches!(refused, Err(Unwitnessed::Unreached(_))), "{refused:?}");
}

#[test]
fn a_setting_names_a_key_and_a_url() {
    let (server, _) = Server::start(key().verifier());
    let vkey = server.vkey();
    let read = |text: &str| text.parse::<WitnessAddress>();
    for url in [
        "https://witness.example",
        "https://witness.example/a/",
        "http://localhost:1",
        "http://[::1]:1/",
    ] {
        read(&format!("{vkey} {url}")).unwrap();
    }
    let wrong = [vkey.clone(), String::new(), format!("{vkey} https://a https://b")];
    for text in wrong {
        assert_eq!(read(&text).unwrap_err(), WitnessAddressError::Form, "{text}");
    }
    for url in [
        "http://witness.example",
        "ftp://a",
        "https://a:b@c",
        "witness.example",
        "https://a/?b",
    ] {
        let refused = read(&format!("{vkey} {url}")).unwrap_err();
        assert_eq!(refused, WitnessAddressError::Url(url.to_owned()));
    }
    let log = key().vkey();
    assert!(matches!(
        read(&format!("{log} https://a")),
        Err(WitnessAddressError::Vkey(_))
    ));
}
