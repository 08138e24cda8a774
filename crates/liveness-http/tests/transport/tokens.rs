//! Who is let in: `docs/api.md#authentication` and `docs/api.md#access`.

use ureq::http::HeaderMap;

use crate::server::{Answer, Server};
use crate::wire::{STATUS, assert_refused, bearer, post};

mod algorithms;
mod audience;
mod broken_texts;
mod byte_order_marks;
mod carriers;
mod claims;
mod forgeries;
mod identity;
mod jwks;
mod key_sets;
mod providers;
mod revoked;
mod roles;
mod users;

/// Asks whether the customer behind a token has passed.
fn ask(server: &Server, token: &str) -> Answer {
    post(server, STATUS, &[("Authorization", &bearer(token))], "")
}

fn assert_good(server: &Server, case: &str, token: &str) {
    let answer = ask(server, token);
    assert_eq!(answer.codes(), (200, "00"), "{case}: {answer:?}");
}

/// Every one of the tokens is refused, and no answer differs from the others in anything but its id.
fn assert_all_refused(server: &Server, cases: &[(&str, String)]) {
    let expected = ask(server, "nonsense");
    assert_invalid_token("nonsense", &expected);
    for (case, token) in cases {
        let answer = ask(server, token);
        assert_invalid_token(case, &answer);
        assert_eq!(answer.json, expected.json, "{case}");
        assert_eq!(beside_id(&answer), beside_id(&expected), "{case}");
    }
}

fn assert_invalid_token(case: &str, answer: &Answer) {
    assert_refused(case, answer, (401, "63"));
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
        "{case}: {challenge}"
    );
}

fn beside_id(answer: &Answer) -> HeaderMap {
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    headers.remove("date");
    headers
}
