//! Traces: what the log says of them, and the spans that are exported: `docs/operations.md#traces`.

use std::net::TcpListener;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::collector::{Arrived, Collector};
use crate::engine::{Engine, on_each_engine};
use crate::metrics::{metric, wait_for};
use crate::server::{FACE, Server, admin, command, customer, report};
use crate::tls_identity::Identity;
use crate::wire::{CANARY, DETAILS, Header, LIST, STATUS, SUBMIT, bearer, post, settled_log};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SENDER: &str = "b7ad6b7169203331";
const SUBMIT_SPAN: &str = "POST /api/BPMSelfService/commands/SubmitLivenessCheckCommand";
const STATUS_SPAN: &str = "POST /api/BPMSelfService/commands/CheckLivenessStatusQuery";

/// A server that exports to that address, and soon.
fn exporting(engine: Engine, url: &str, settings: &[(&str, &str)]) -> Server {
    let own = [("OTEL_EXPORTER_OTLP_ENDPOINT", url), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    Server::with(engine, &[&own, settings].concat())
}

fn submit(server: &Server, headers: &[Header<'_>]) -> u16 {
    let authorization = bearer(&customer(1));
    let own = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let body = report("traced", true).to_string();
    post(server, SUBMIT, &[&own, headers].concat(), body).status
}

fn ask(server: &Server, headers: &[Header<'_>]) -> u16 {
    let authorization = bearer(&customer(1));
    let own = [("Authorization", authorization.as_str())];
    post(server, STATUS, &[&own, headers].concat(), "").status
}

on_each_engine!(a_submit_is_a_tree_of_request_bus_store_and_commit);

#[expect(clippy::print_stdout, reason = "a transcript of what happened when")]
fn a_submit_is_a_tree_of_request_bus_store_and_commit(engine: Engine) {
    let collector = Collector::start();
    let server = exporting(engine, &collector.url(), &[]);
    // The user is added by the first request.
    assert_eq!(ask(&server, &[]), 200);
    assert_eq!(submit(&server, &[("X-Request-Id", "the-one")]), 200);

    let trace = collector.trace_of(|span| span.name == SUBMIT_SPAN);
    println!("{}", trace.tree());
    let (request, bus) = (trace.only(SUBMIT_SPAN), trace.only(SUBMIT));
    let (store, commit) = (trace.only("store write"), trace.only("commit"));
    assert_eq!((request.parent.as_str(), request.kind), ("", SpanKind::Server));
    // Who the user is, is read before.
    assert_eq!(trace.below(request), ["store read", SUBMIT]);
    assert_eq!(trace.below(trace.only("store read")), ["query"]);
    assert_eq!(trace.below(bus), ["store write"]);
    assert_eq!(trace.below(store), ["commit"]);
    assert_eq!(trace.below(commit), [""; 0]);
    for (inner, outer) in [(bus, request), (store, bus), (commit, store)] {
        assert!(
            outer.begun <= inner.begun && inner.ended <= outer.ended,
            "{}",
            trace.tree()
        );
    }

    let attributes = |span: &Arrived| json!(span.attributes);
    let path = "/api/BPMSelfService/commands/SubmitLivenessCheckCommand";
    assert_eq!(
        attributes(request),
        json!({
            "http.request.method": "POST", "http.route": path, "url.path": path,
            "http.response.status_code": "200", "liveness.request.id": "the-one",
        })
    );
    assert_eq!(
        attributes(bus),
        json!({ "liveness.message.kind": "command", "liveness.status_code": "00" })
    );
    let system = if matches!(engine, Engine::Sqlite) {
        "sqlite"
    } else {
        "postgresql"
    };
    assert_eq!(
        attributes(commit),
        json!({ "db.system.name": system, "liveness.batch.size": "1" })
    );
    assert!(trace.0.iter().all(|span| !span.is_failed), "{}", trace.tree());
    assert_eq!(request.resource["service.name"], "liveness");
    assert_eq!(request.resource["service.version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_trace_goes_on_below_the_span_of_its_sender() {
    let collector = Collector::start();
    let server = exporting(Engine::Sqlite, &collector.url(), &[]);
    let sent = format!("00-{TRACE}-{SENDER}-01");
    assert_eq!(ask(&server, &[("traceparent", &sent), ("tracestate", "a=1")]), 200);
    let trace = collector.trace_of(|span| span.name == STATUS_SPAN);
    let request = trace.only(STATUS_SPAN);
    assert_eq!((request.trace.as_str(), request.parent.as_str()), (TRACE, SENDER));
    let log = settled_log(&server);
    assert!(
        log.contains(&format!(" trace_id={TRACE} span_id={}\n", request.id)),
        "{log}"
    );
}

#[test]
fn a_trace_that_its_sender_does_not_sample_is_not_sampled_here() {
    let collector = Collector::start();
    let server = exporting(Engine::Sqlite, &collector.url(), &[]);
    let sent = |flags: &str| format!("00-{TRACE}-{SENDER}-{flags}");
    assert_eq!(ask(&server, &[("traceparent", &sent("00"))]), 200);
    let log = settled_log(&server);
    assert!(log.contains(&format!(" trace_id={TRACE} span_id={SENDER}\n")), "{log}");
    assert_eq!(submit(&server, &[("traceparent", &sent("01"))]), 200);
    collector.trace_of(|span| span.name == SUBMIT_SPAN);
    assert!(!collector.spans().iter().any(|span| span.name == STATUS_SPAN));
}

#[test]
fn a_sampler_that_takes_nothing_leaves_no_trace_of_its_own() {
    let collector = Collector::start();
    let settings = [("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    let server = exporting(Engine::Sqlite, &collector.url(), &settings);
    assert_eq!(ask(&server, &[]), 200);
    assert!(!settled_log(&server).contains("trace_id"), "{}", server.log());
    let sent = format!("00-{TRACE}-{SENDER}-01");
    assert_eq!(submit(&server, &[("traceparent", &sent)]), 200);
    collector.trace_of(|span| span.name == SUBMIT_SPAN);
    assert!(collector.spans().iter().all(|span| span.trace == TRACE));
}

#[test]
fn nothing_of_a_person_is_in_a_span() {
    let collector = Collector::start();
    let server = exporting(Engine::Sqlite, &collector.url(), &[]);
    let mut body = report(CANARY, true);
    body["imageBase64"] = json!(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, FACE));
    body["metadata"] = json!({ "deviceModel": CANARY });
    let authorization = bearer(&customer(77_001));
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("User-Agent", CANARY),
        ("X-App-Version", CANARY),
    ];
    assert_eq!(post(&server, SUBMIT, &headers, body.to_string()).status, 200);
    assert_eq!(post(&server, CANARY, &headers, "{}").status, 404);
    assert_eq!(post(&server, STATUS, &[("Authorization", CANARY)], "").status, 401);
    assert_eq!(server.send(DETAILS, &admin(), &json!({ "userId": 77_001 })).status, 200);
    assert_eq!(server.send(LIST, &admin(), &json!({ "sessionId": CANARY })).status, 200);

    collector.trace_of(|span| span.name.ends_with(LIST));
    let spans = collector.spans();
    let unknown = "POST /api/BPMSelfService/commands/{name}";
    assert!(spans.iter().any(|span| span.name == unknown), "{spans:?}");
    let known = [
        "db.system.name",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "liveness.batch.size",
        "liveness.message.kind",
        "liveness.request.id",
        "liveness.status_code",
        "url.path",
    ];
    for span in &spans {
        assert!(
            span.attributes.keys().all(|name| known.contains(&name.as_str())),
            "{span:?}"
        );
    }
    let all = format!("{spans:?}");
    for personal in [CANARY, "77001", "127.0.0.1", "eyJ"] {
        assert!(!all.contains(personal), "{personal}: {all}");
    }
}

#[test]
fn a_collector_that_is_not_there_harms_no_request_and_no_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut server = exporting(Engine::Sqlite, &url, &[]);
    assert_eq!(submit(&server, &[]), 200);
    wait_until_failed(&server);
    assert_eq!(ask(&server, &[]), 200);
    let log = settled_log(&server);
    assert_eq!(log.matches("spans are not exported").count(), 1, "{log}");
    server.signal("TERM");
    assert!(server.wait().success());
}

fn wait_until_failed(server: &Server) {
    crate::wire::wait_until("spans fail", || {
        metric(server, r#"liveness_spans_total{outcome="failed"}"#) > 0.0
    });
}

#[test]
fn a_collector_that_never_answers_harms_no_request_and_what_finds_no_room_is_counted() {
    let collector = Collector::start();
    collector.hold();
    let settings = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
    ];
    let mut server = exporting(Engine::Sqlite, &collector.url(), &settings);
    // Each is a tree of five spans at least.
    for _ in 0..10 {
        assert_eq!(ask(&server, &[]), 200);
    }
    let dropped = metric(&server, r#"liveness_spans_total{outcome="dropped"}"#);
    assert!(dropped >= 30.0, "{dropped}");
    assert_eq!(collector.spans().len(), 0);
    server.signal("TERM");
    assert!(server.wait().success());
}

#[test]
fn a_collector_that_refuses_is_told_of_once_and_so_is_that_it_takes_spans_again() {
    let collector = Collector::start();
    collector.refuse(true);
    let server = exporting(Engine::Sqlite, &collector.url(), &[]);
    assert_eq!(submit(&server, &[]), 200);
    wait_until_failed(&server);
    assert_eq!(ask(&server, &[]), 200);
    collector.refuse(false);
    crate::wire::wait_until("spans arrive", || {
        assert_eq!(ask(&server, &[]), 200);
        !collector.spans().is_empty()
    });
    crate::wire::wait_until("it is logged", || server.log().contains("spans are exported again"));
    assert_eq!(
        server.log().matches("spans are not exported").count(),
        1,
        "{}",
        server.log()
    );
}

#[test]
fn what_waits_is_exported_before_the_process_ends() {
    let collector = Collector::start();
    let mut server = exporting(
        Engine::Sqlite,
        &collector.url(),
        &[("OTEL_BSP_SCHEDULE_DELAY", "3600000")],
    );
    assert_eq!(submit(&server, &[]), 200);
    assert_eq!(collector.spans().len(), 0);
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(collector.spans().iter().any(|span| span.name == SUBMIT_SPAN));
}

#[test]
fn spans_go_to_a_collector_that_the_authorities_of_the_machine_vouch_for() {
    let (made, other) = (Identity::of("127.0.0.1"), Identity::of("127.0.0.1"));
    let collector = Collector::with_tls(made.server_config());
    let headers = [("OTEL_EXPORTER_OTLP_HEADERS", "x-key=of%20ours")];
    let trusting = |identity: &Identity| {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &identity.certificate_pem).unwrap();
        let trusted = ("SSL_CERT_FILE", file.path().to_str().unwrap());
        let server = exporting(
            Engine::Sqlite,
            &collector.https_url(),
            &[&headers[..], &[trusted]].concat(),
        );
        assert_eq!(ask(&server, &[]), 200);
        server
    };

    wait_until_failed(&trusting(&other));
    assert_eq!(collector.heads().len(), 0);
    let server = trusting(&made);
    collector.trace_of(|span| span.name == STATUS_SPAN);
    wait_for(&server, r#"liveness_spans_total{outcome="failed"}"#, 0.0);
    let head = &collector.heads()[0];
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    assert!(head.contains("x-key: of ours\r\n"), "{head}");
}

#[test]
fn without_a_collector_the_log_has_the_trace_of_the_sender_and_no_other() {
    let sent = format!("00-{TRACE}-{SENDER}-01");
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_LOG_FORMAT", "json")]);
    let good = [("X-Request-Id", "good"), ("traceparent", sent.as_str())];
    assert_eq!(ask(&server, &good), 200);
    // Neither of them counts, and neither is an error.
    let broken = [("X-Request-Id", "broken"), ("traceparent", "00-nonsense")];
    assert_eq!(ask(&server, &broken), 200);
    let twice = [
        ("X-Request-Id", "twice"),
        ("traceparent", &sent),
        ("traceparent", &sent),
    ];
    assert_eq!(ask(&server, &twice), 200);
    let refused = [("X-Request-Id", "refused"), ("traceparent", &sent)];
    assert_eq!(post(&server, STATUS, &refused, "").status, 401);

    let log = settled_log(&server);
    let line = |id: &str| -> Value {
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.into_iter().find(|line| line["request"] == id).unwrap()
    };
    for id in ["good", "refused"] {
        assert_eq!(
            (&line(id)["trace_id"], &line(id)["span_id"]),
            (&json!(TRACE), &json!(SENDER))
        );
    }
    for id in ["broken", "twice", "the-last-one"] {
        assert_eq!(line(id).get("trace_id"), None, "{log}");
    }
}

#[test]
fn a_variable_that_says_what_cannot_be_done_is_named() {
    let good = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    let cases: [&[(&str, &str)]; 9] = [
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@127.0.0.1")],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key=1"),
        ],
        &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), good],
        &[("OTEL_TRACES_EXPORTER", "zipkin"), good],
        &[("OTEL_TRACES_SAMPLER", "sometimes"), good],
        &[
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            good,
        ],
        &[("OTEL_BSP_MAX_QUEUE_SIZE", "none"), good],
        &[("OTEL_EXPORTER_OTLP_TIMEOUT", "0"), good],
    ];
    for variables in cases {
        let folder = tempfile::tempdir().unwrap();
        let output = command(&["serve"])
            .env("LIVENESS_JWT_SECRET", crate::server::SECRET)
            .env("LIVENESS_BIND", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{variables:?}");
        assert!(told.contains(&format!("{}: ", variables[0].0)), "{variables:?}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
