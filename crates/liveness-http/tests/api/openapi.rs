//! The OpenAPI document: what it says is what the host does, and a backend's own messages are in it.

use std::collections::BTreeSet;

use liveness_bus::schemars::JsonSchema;
use liveness_bus::validator::Validate;
use liveness_bus::{Access, Audit, Bus, BusError, Call, Description, Handler, Kind, Message, Module};
use liveness_http::openapi::{Endpoints, document};
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::server::{Server, command};

const API: &str = include_str!("../../../../docs/api.md");

#[test]
fn the_served_document_is_the_printed_one() {
    let server = Server::start(Engine::Sqlite);
    let served = server.get("/openapi.json");
    let printed = command(&["openapi"]).output().unwrap();

    assert_eq!(served.status, 200);
    assert!(served.header("x-request-id").is_some());
    assert_eq!(served.json, serde_json::from_slice::<Value>(&printed.stdout).unwrap());
    assert_eq!(served.json["openapi"], "3.1.0");
    let commands = served.json["paths"].as_object().unwrap().keys();
    let commands: Vec<&str> = commands
        .filter_map(|path| path.strip_prefix("/api/BPMSelfService/commands/"))
        .collect();
    let messages = liveness_bus::liveness::MESSAGES.map(|meta| meta.name());
    assert_eq!(
        commands.into_iter().collect::<BTreeSet<_>>(),
        messages.into_iter().collect()
    );
}

#[test]
fn the_statuses_and_codes_are_those_of_the_documented_table() {
    let rows = API
        .split("\n## Status codes\n")
        .nth(1)
        .unwrap()
        .split("\n| --- | --- | --- |\n")
        .nth(1)
        .unwrap();
    let rows = rows.lines().map_while(|line| line.strip_prefix("| "));
    let documented: BTreeSet<(String, String)> = rows
        .map(|row| {
            let mut cells = row.split(" | ").map(str::to_owned);
            (cells.next().unwrap(), cells.next().unwrap())
        })
        .collect();

    let document = liveness_http::openapi::host_document().unwrap();
    // A name that there is not, is no operation.
    let mut described = BTreeSet::from([("404".to_owned(), "12".to_owned())]);
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("post") else { continue };
        for (status, response) in operation["responses"].as_object().unwrap() {
            let schema = &response["content"]["application/json"]["schema"];
            let codes = match schema.pointer("/allOf/1/properties/statusCode/enum") {
                Some(codes) => codes.as_array().unwrap().clone(),
                None => vec![schema["properties"]["statusCode"]["const"].clone()],
            };
            assert!(!codes.is_empty(), "{path} {status}");
            described.extend(
                codes
                    .iter()
                    .map(|code| (status.clone(), code.as_str().unwrap().to_owned())),
            );
            assert!(
                response["headers"]["X-Request-Id"]["required"].as_bool().unwrap(),
                "{path} {status}"
            );
        }
    }
    assert_eq!(described, documented);
}

#[test]
fn a_message_has_the_failures_of_its_own_and_no_others() {
    let document = liveness_http::openapi::host_document().unwrap();
    let has = |message: &str, status: &str| {
        document["paths"][format!("/api/BPMSelfService/commands/{message}")]["post"]["responses"]
            .get(status)
            .is_some()
    };
    let cases = [
        ("StartLivenessSessionCommand", [false, false, false]),
        ("SubmitLivenessCheckCommand", [true, true, false]),
        ("UpdateLivenessCheckCommand", [false, true, false]),
        ("CheckLivenessStatusQuery", [false, false, false]),
        ("GetUserLivenessCheckQuery", [false, false, true]),
        ("GetLivenessCheckQuery", [false, false, true]),
        ("RetrieveLivenessChecksQuery", [false, false, false]),
        ("RetrieveMyLivenessChecksQuery", [false, false, false]),
        ("GetReceiptQuery", [false, false, true]),
        ("RetrieveAuditEntriesQuery", [false, false, true]),
        ("ReviewLivenessCheckCommand", [false, true, true]),
        ("EraseFaceCommand", [false, true, true]),
        ("EraseUserCommand", [false, true, true]),
        ("PlaceLegalHoldCommand", [false, true, true]),
        ("LiftLegalHoldCommand", [false, false, true]),
        ("UnlockUserCommand", [false, false, true]),
    ];
    for (message, expected) in cases {
        assert_eq!(
            ["422", "409", "404"].map(|status| has(message, status)),
            expected,
            "{message}"
        );
    }
}

/// Orders a card.
#[derive(serde::Deserialize, Validate, JsonSchema)]
#[validate(crate = "liveness_bus::validator")]
#[schemars(crate = "liveness_bus::schemars")]
struct OrderCardCommand {
    #[validate(length(min = 1, max = 200))]
    street: String,
    limit: Option<i64>,
}

/// Read and written, so that it looks different in either direction.
#[derive(serde::Deserialize, serde::Serialize, Validate, JsonSchema)]
#[validate(crate = "liveness_bus::validator")]
#[schemars(crate = "liveness_bus::schemars")]
struct EchoQuery {
    text: Option<String>,
}

#[derive(serde::Deserialize, Validate)]
#[validate(crate = "liveness_bus::validator")]
struct SilentQuery {}

macro_rules! message {
    ($name:ident, $kind:expr, $access:expr, $reply:ty, $description:expr, $handle:expr) => {
        impl Message for $name {
            const NAME: &'static str = stringify!($name);
            const KIND: Kind = $kind;
            const ACCESS: Access = $access;
            const AUDIT: Audit = Audit::LogOnly;
            type Reply = $reply;

            fn description() -> Option<Description> {
                $description
            }
        }

        impl Handler<$name> for Bank {
            async fn handle(&self, message: $name, _: &Call<'_>) -> Result<$reply, BusError> {
                $handle(message)
            }
        }
    };
}

struct Bank;

message!(
    OrderCardCommand,
    Kind::Command,
    Access::Authenticated,
    Option<i64>,
    Some(Description::of::<OrderCardCommand>("").refusals([BusError::Conflict("there is a card already")])),
    |order: OrderCardCommand| Ok(order.limit)
);
message!(
    EchoQuery,
    Kind::Query,
    Access::Public,
    EchoQuery,
    Some(Description::of::<EchoQuery>("")),
    Ok
);
message!(SilentQuery, Kind::Query, Access::Role("clerk"), (), None, |_| Ok(()));

fn bank() -> Value {
    let module = Module::new("bank")
        .handle::<OrderCardCommand>(Bank)
        .handle::<EchoQuery>(Bank)
        .handle::<SilentQuery>(Bank);
    document(&Bus::builder().module(module).build().unwrap(), Endpoints::Messages)
}

#[test]
fn a_backends_own_messages_are_in_its_document_described_or_not() {
    let document = bank();
    let paths = document["paths"].as_object().unwrap();
    let operation = |name: &str| &paths[&format!("/api/BPMSelfService/commands/{name}")]["post"];

    assert_eq!(paths.len(), 3);
    let order = operation("OrderCardCommand");
    assert_eq!(
        (&order["summary"], &order["requestBody"]["required"]),
        (&json!("Orders a card"), &json!(true))
    );
    assert_eq!(order["responses"]["409"]["description"], "There is a card already.");
    assert_eq!(
        document["components"]["schemas"]["OrderCardCommand"]["properties"]["street"]["maxLength"],
        200
    );
    let silent = operation("SilentQuery");
    assert_eq!(
        (&silent["operationId"], &silent["tags"]),
        (&json!("SilentQuery"), &json!(["clerk"]))
    );
    assert!(silent["responses"]["403"].is_object());
    assert!(operation("EchoQuery")["responses"]["403"].is_null());
}

#[test]
fn a_type_that_is_read_and_written_is_described_in_each_direction() {
    let document = bank();
    let echo = &document["paths"]["/api/BPMSelfService/commands/EchoQuery"]["post"];
    let schema = |reference: &Value| {
        let path = reference["$ref"].as_str().unwrap().trim_start_matches('#');
        document.pointer(path).unwrap().clone()
    };
    let read = schema(&echo["requestBody"]["content"]["application/json"]["schema"]);
    let written = schema(&echo["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]);

    assert_eq!(
        (&read["required"], &written["required"]),
        (&json!(null), &json!(["text"]))
    );
}

#[test]
fn the_page_is_whole_and_runs_nothing_that_is_not_its_own() {
    let server = Server::start(Engine::Sqlite);
    let get = |path: &str| ureq::get(format!("http://{}{path}", server.address())).call().unwrap();
    let page = get("/docs").body_mut().read_to_string().unwrap();
    let files: Vec<&str> = page.split(['"']).filter(|part| part.starts_with("docs/")).collect();
    assert_eq!(files.len(), 3, "{page}");
    assert!(
        !page.contains("http:") && !page.contains("https:") && !page.contains("<script>"),
        "{page}"
    );
    for path in ["docs"].iter().chain(&files) {
        let answer = get(&format!("/{path}"));
        let header = |name: &str| answer.headers()[name].to_str().unwrap();
        assert_eq!(
            (answer.status().as_u16(), header("x-content-type-options")),
            (200, "nosniff"),
            "{path}"
        );
        let policy = header("content-security-policy");
        assert!(
            policy.contains("script-src 'self';") && !policy.contains("unsafe"),
            "{policy}"
        );
        let head = ureq::head(format!("http://{}/{path}", server.address()))
            .call()
            .unwrap();
        assert_eq!(
            head.headers()["content-length"],
            answer.headers()["content-length"],
            "{path}"
        );
    }
}
