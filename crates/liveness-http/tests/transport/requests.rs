//! What is sent otherwise than `docs/api.md#transport` says, and what is answered to it.

use crate::server::{Answer, Server, customer, report};
use crate::wire::{Header, UPDATE, assert_no_trace, bearer, post, total_count};

mod bodies;
mod broken;
mod content_types;
mod expect;
mod heads;
mod json;
mod paths;
mod sizes;
mod upgrade;
mod values;

const JSON: Header<'_> = ("Content-Type", "application/json");

/// Sends an update of a customer with these headers and this body.
fn update(server: &Server, headers: &[Header<'_>], body: impl AsRef<[u8]>) -> Answer {
    let authorization = bearer(&customer(1));
    post(
        server,
        UPDATE,
        &[&[("Authorization", authorization.as_str())], headers].concat(),
        body,
    )
}

/// The least that is recorded, as text.
fn good() -> String {
    report("s", true).to_string()
}

/// A report that is good but for one field more, or for another value of one.
fn report_with(field: &str) -> String {
    format!(r#"{{"sessionId":"s","isSuccessful":true,{field}}}"#)
}

/// Nothing was recorded or kept of what was sent, and a good message is still recorded.
fn assert_unharmed(server: &Server) {
    assert_eq!(total_count(server), 0);
    assert_no_trace(server);
    assert_eq!(update(server, &[JSON], good()).codes(), (200, "00"));
    assert_eq!(total_count(server), 1);
}
