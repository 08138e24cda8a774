//! Webhooks, sent by the binary to receivers that are real servers.

mod receiver;

use std::collections::{BTreeMap, HashSet};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use self::receiver::{Answer, Got, Proxy, Receiver, ok};
use crate::engine::{Engine, on_each_engine};
use crate::server::{Server, command, customer, report};
use crate::tls_identity::Identity;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What each record is told in, at least.
const TYPES: [&str; 2] = ["liveness.check.recorded", "liveness.check.judged"];

fn sending(engine: Engine, url: &str) -> Server {
    sending_with(engine, url, &[])
}

fn sending_with(engine: Engine, url: &str, more: &[(&str, &str)]) -> Server {
    let settings = [("LIVENESS_WEBHOOK_URL", url), ("LIVENESS_WEBHOOK_SECRET", SECRET)];
    Server::with(engine, &[&settings, more].concat())
}

/// Records a check, and returns its id.
fn record(server: &Server, user: i64, session: &str) -> i64 {
    let answer = server.send("SubmitLivenessCheckCommand", &customer(user), &report(session, true));
    assert_eq!(answer.codes(), (200, "00"));
    answer.data()["id"].as_i64().unwrap()
}

/// Whether all that is to be told of a record has come.
fn is_told(got: &[Got], check: i64) -> bool {
    let told: HashSet<_> = got
        .iter()
        .filter(|got| got.check() == Some(check))
        .map(Got::event_type)
        .collect();
    TYPES.iter().all(|event_type| told.contains(event_type))
}

/// Waits for a line of the metrics.
fn wait_for_metric(server: &Server, line: &str) {
    let begun = Instant::now();
    loop {
        let text = metrics(server);
        if text.lines().any(|found| found == line) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no {line}\n{text}");
        std::thread::yield_now();
    }
}

fn metrics(server: &Server) -> String {
    let url = format!("http://{}/metrics", server.address());
    ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap()
}

/// What a subcommand prints about the server's database.
fn run(server: &Server, arguments: &[&str]) -> String {
    let output = command(arguments)
        .envs(server.database().settings())
        .current_dir(server.database().folder())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A door that is closed until it is opened.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let is_open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(is_open, |is_open| !*is_open).unwrap());
    }
}

fn a_slow_answer_keeps_only_its_own_user_waiting(engine: Engine) {
    let door = Door::default();
    let passing = door.clone();
    let receiver = Receiver::start(move |got, _| {
        if got.user() == 1 {
            passing.pass();
        }
        ok()
    });
    let server = sending(engine, &receiver.url());

    let slow = [record(&server, 1, "a"), record(&server, 1, "b")];
    receiver.wait_for(|got| got.iter().any(|got| got.user() == 1));
    let quick = record(&server, 2, "c");
    receiver.wait_for(|got| is_told(got, quick));
    assert_eq!(receiver.got().iter().filter(|got| got.user() == 1).count(), 1);
    door.open();
    let got = receiver.wait_for(|got| slow.iter().all(|check| is_told(got, *check)));

    let of_slow: Vec<_> = got.iter().filter(|got| got.user() == 1).collect();
    let checks: Vec<_> = of_slow.iter().filter_map(|got| got.check()).collect();
    assert!(checks.is_sorted(), "{checks:?}");
    let ids: HashSet<_> = got.iter().map(Got::id).collect();
    assert_eq!(ids.len(), got.len(), "one came twice");
    for got in &got {
        assert_eq!(got.path, "/hook?key=1");
        assert_eq!(got.headers["content-type"], "application/json");
        assert!(got.headers["webhook-signature"].starts_with("v1,"));
        assert!(got.headers["webhook-timestamp"].parse::<u64>().is_ok());
    }
    assert!(!server.log().contains("key=1"), "{}", server.log());
    wait_for_metric(&server, "liveness_webhooks_waiting 0");
}

fn a_webhook_goes_on_with_the_trace_of_its_request(engine: Engine) {
    let receiver = Receiver::start(|_, _| ok());
    let server = sending(engine, &receiver.url());
    let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let token = format!("Bearer {}", customer(1));
    let headers = [("Authorization", token.as_str()), ("traceparent", sent)];
    let traced = server.request(
        "SubmitLivenessCheckCommand",
        &headers,
        report("a", true).to_string().as_bytes(),
    );
    assert_eq!(traced.codes(), (200, "00"));
    let traced = traced.data()["id"].as_i64().unwrap();
    let other = record(&server, 1, "b");
    let got = receiver.wait_for(|got| is_told(got, other));
    for got in &got {
        let expected = (got.check() == Some(traced)).then_some(sent);
        assert_eq!(got.headers.get("traceparent").map(String::as_str), expected, "{got:?}");
    }
    assert!(is_told(&got, traced));
}

/// The first request is answered so, and all others well. Returns the attempts of the first event, once it was delivered.
fn first_answered(engine: Engine, answer: Answer) -> (Server, Receiver, Vec<Got>) {
    let receiver = Receiver::start(move |_, before| if before.is_empty() { answer.clone() } else { ok() });
    let server = sending(engine, &receiver.url());
    let check = record(&server, 1, "a");
    let got = receiver.wait_for(|got| is_told(&got[1.min(got.len())..], check));
    let attempts: Vec<_> = got.iter().filter(|other| other.id() == got[0].id()).cloned().collect();
    assert_eq!(attempts.len(), 2, "{got:#?}");
    assert_eq!(attempts[0].body, attempts[1].body);
    let times = attempts
        .iter()
        .map(|got| got.headers["webhook-timestamp"].parse::<u64>().unwrap());
    assert!(times.is_sorted());
    (server, receiver, attempts)
}

fn an_answer_of_500_is_no_success_and_the_event_comes_again(engine: Engine) {
    let (server, ..) = first_answered(engine, (500, String::new()));
    let text = metrics(&server);
    assert!(
        text.contains("liveness_webhooks_sent_total{outcome=\"status\"} 1\n"),
        "{text}"
    );
}

fn a_redirect_is_not_followed(engine: Engine) {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = format!("Location: http://{}/\r\n", elsewhere.local_addr().unwrap());
    let (server, ..) = first_answered(engine, (307, location));
    assert!(elsewhere.accept().is_err(), "it was followed");
    let text = metrics(&server);
    assert!(
        text.contains("liveness_webhooks_sent_total{outcome=\"redirect\"} 1\n"),
        "{text}"
    );
}

fn retry_after_holds_the_events_of_all_users(engine: Engine) {
    let wait = Duration::from_secs(8);
    let receiver = Receiver::start(move |_, before| {
        if before.is_empty() {
            (429, "Retry-After: 8\r\n".to_owned())
        } else {
            ok()
        }
    });
    let server = sending(engine, &receiver.url());

    let first = record(&server, 1, "a");
    let held = receiver.wait_for(|got| !got.is_empty())[0].at;
    // It is noted a moment after the answer.
    wait_for_metric(&server, "liveness_webhooks_sent_total{outcome=\"status\"} 1");
    let other = record(&server, 2, "b");
    let got = receiver.wait_for(|got| is_told(&got[1..], first) && is_told(got, other));

    let too_early: Vec<_> = got[1..].iter().filter(|got| got.at < held + wait).collect();
    // The other user's first event may have been on its way.
    assert!(
        too_early.len() <= 1 && too_early.iter().all(|got| got.user() == 2),
        "{too_early:#?}"
    );
}

fn a_receiver_that_was_away_gets_all_when_it_is_back(engine: Engine) {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let server = sending(engine, &format!("http://{address}/hook?key=1"));

    let checks = [record(&server, 1, "a"), record(&server, 2, "b")];
    wait_for_metric(&server, "liveness_webhooks_sent_total{outcome=\"unreached\"} 2");
    let receiver = Receiver::on(TcpListener::bind(address).unwrap(), |_, _| ok());

    receiver.wait_for(|got| checks.iter().all(|check| is_told(got, *check)));
}

fn who_is_gone_is_sent_nothing_more_until_an_operator_begins_again(engine: Engine) {
    let door = Door::default();
    let is_open = door.clone();
    let receiver = Receiver::start(move |_, _| {
        if *is_open.0.0.lock().unwrap() {
            ok()
        } else {
            (410, String::new())
        }
    });
    let server = sending(engine, &receiver.url());

    let first = record(&server, 1, "a");
    wait_for_metric(&server, "liveness_webhooks_disabled 1");
    let gone = receiver.got().len();
    let meanwhile = record(&server, 1, "b");
    let listed = run(&server, &["events", "list"]);
    assert!(listed.contains("410"), "{listed}");
    assert_eq!(receiver.got().len(), gone);

    door.open();
    run(&server, &["events", "enable"]);
    let later = record(&server, 1, "c");
    receiver.wait_for(|got| {
        [first, meanwhile, later]
            .iter()
            .all(|check| is_told(&got[gone..], *check))
    });
}

fn a_host_that_is_killed_in_the_middle_loses_no_event(engine: Engine) {
    let door = Door::default();
    let passing = door.clone();
    // The first answers are not given before the host is dead.
    let receiver = Receiver::start(move |_, before| {
        if before.len() < 4 {
            passing.pass();
        }
        ok()
    });
    let mut server = sending(engine, &receiver.url());

    let checks: Vec<_> = (1..=8)
        .flat_map(|user| [(user, "a"), (user, "b")])
        .map(|(user, session)| record(&server, user, &format!("{session}-{user}")))
        .collect();
    receiver.wait_for(|got| got.len() >= 4);
    server.signal("KILL");
    server.wait();
    door.open();
    let server = server.restart();

    let got = receiver.wait_for(|got| checks.iter().all(|check| is_told(got, *check)));
    // Each in its order, by the first time that it came.
    let mut first: BTreeMap<i64, Vec<(i64, String)>> = BTreeMap::new();
    let mut known = HashSet::new();
    for got in got.iter().filter(|got| known.insert(got.id().to_owned())) {
        let Some(check) = got.check() else { continue };
        first
            .entry(got.user())
            .or_default()
            .push((check, got.event_type().to_owned()));
    }
    for (user, events) in first {
        let checks: Vec<_> = events.iter().map(|(check, _)| check).collect();
        assert!(checks.is_sorted(), "user {user}: {events:?}");
    }
    wait_for_metric(&server, "liveness_webhooks_waiting 0");
}

#[test]
fn a_name_that_leads_into_the_machine_is_not_dialled() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    // The resolver of the system takes the number for 127.0.0.1.
    let url = format!("https://2130706433:{}/", inside.local_addr().unwrap().port());
    let server = sending(Engine::Sqlite, &url);

    record(&server, 1, "a");

    wait_for_metric(&server, "liveness_webhooks_sent_total{outcome=\"address\"} 1");
    assert!(inside.accept().is_err(), "it was dialled");
    // The attempt is counted before its error is noted.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut listed = String::new();
    while !listed.contains("LIVENESS_WEBHOOK_NETWORKS") {
        assert!(Instant::now() < deadline, "{listed}");
        listed = run(&server, &["events", "list"]);
    }
}

/// A file that vouches for a certificate.
fn vouching(identity: &Identity) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &identity.certificate_pem).unwrap();
    file
}

#[test]
fn a_receiver_with_tls_is_one_that_the_authorities_of_the_machine_vouch_for() {
    let (known, unknown) = (Identity::of("localhost"), Identity::of("localhost"));
    let file = vouching(&known);
    let trusted = ("SSL_CERT_FILE", file.path().to_str().unwrap());
    for (identity, is_trusted) in [(&known, true), (&unknown, false)] {
        let receiver = Receiver::with_tls(identity);
        let url = format!("https://localhost:{}/hook", receiver.port());
        let server = sending_with(Engine::Sqlite, &url, &[trusted]);
        let check = record(&server, 1, "a");
        if is_trusted {
            receiver.wait_for(|got| is_told(got, check));
        } else {
            wait_for_metric(&server, "liveness_webhooks_sent_total{outcome=\"unreached\"} 1");
            assert!(receiver.got().is_empty());
        }
    }
}

#[test]
fn a_proxy_looks_up_the_name_and_sees_nothing_of_the_event() {
    let identity = Identity::of("hooks.example");
    let receiver = Receiver::with_tls(&identity);
    let proxy = Proxy::leading_to(receiver.port());
    let (file, address) = (vouching(&identity), format!("http://{}", proxy.address));
    let more = [
        ("SSL_CERT_FILE", file.path().to_str().unwrap()),
        ("LIVENESS_WEBHOOK_PROXY", &address),
    ];
    let server = sending_with(Engine::Sqlite, "https://hooks.example/hook", &more);

    let check = record(&server, 1, "a");

    receiver.wait_for(|got| is_told(got, check));
    let asked = proxy.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|line| line == "CONNECT hooks.example:443 HTTP/1.1"),
        "{asked:?}"
    );
}

on_each_engine! {
    a_slow_answer_keeps_only_its_own_user_waiting,
    an_answer_of_500_is_no_success_and_the_event_comes_again,
    a_redirect_is_not_followed,
    a_webhook_goes_on_with_the_trace_of_its_request,
    retry_after_holds_the_events_of_all_users,
    a_receiver_that_was_away_gets_all_when_it_is_back,
    who_is_gone_is_sent_nothing_more_until_an_operator_begins_again,
    a_host_that_is_killed_in_the_middle_loses_no_event,
}
