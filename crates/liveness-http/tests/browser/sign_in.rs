//! Who comes in, who does not, and what is left of the token.

use serde_json::json;

use crate::reviewer::{Reviewer, sign_in};
use crate::server::{admin, customer, report, token};

const UNAUTHORIZED: &str = "status of 401";
const FORBIDDEN: &str = "status of 403";

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_administrator_comes_in_and_the_token_stays_in_memory() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    let (browser, token) = (&reviewer.browser, admin());
    reviewer.open("");
    browser.sees("Sign in");
    assert_eq!(browser.script("return document.activeElement.id"), json!("token"));
    assert_eq!(browser.script("return document.activeElement.type"), json!("password"));

    sign_in(browser, &format!("  Bearer {token}\t"));

    browser.sees("1–1 of 1");
    browser.sees("Signed in as reviewer-1");
    assert_eq!(
        browser.script("return document.title"),
        json!("Checks · Liveness review")
    );
    let everywhere = "return [location.href, document.cookie, JSON.stringify(localStorage), \
        JSON.stringify(sessionStorage), JSON.stringify(history.state), document.documentElement.outerHTML, \
        ...[...document.querySelectorAll('input')].map((input) => input.value)].join()";
    let found = browser.script(everywhere).to_string();
    assert!(found.contains("reviewer-1") && !found.contains(&token), "{found}");

    browser.reload();
    browser.sees("Sign in");
    assert_eq!(
        browser.script("return document.querySelector('#sign-out')"),
        json!(null)
    );
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn who_signs_out_leaves_nothing() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    reviewer.enter("#/checks?selfServiceUserId=1");
    let browser = &reviewer.browser;

    browser.click("#sign-out");

    browser.sees("You are signed out.");
    assert_eq!(browser.hash(), "#/checks");
    let page = browser.text("body");
    assert!(!page.contains("reviewer-1") && !page.contains("s-1"), "{page}");
    browser.open("about:blank");
    browser.back();
    browser.sees("Sign in");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_customers_token_is_told_to_be_one() {
    let reviewer = Reviewer::new();
    reviewer.open("");

    sign_in(&reviewer.browser, &customer(7));

    reviewer.browser.sees("This token does not belong to an administrator");
    assert_eq!(
        reviewer.browser.script("return document.activeElement.id"),
        json!("token")
    );
    reviewer.leave(&[FORBIDDEN]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_is_no_token_is_told_before_anything_is_asked() {
    let reviewer = Reviewer::new();
    let browser = &reviewer.browser;
    reviewer.open("");

    for text in ["", "reviewer", "a.b", "a.b.c d", "a.b.ü"] {
        browser.reload();
        sign_in(browser, text);
        browser.sees("This is not a token");
        assert_eq!(
            browser.script("return document.activeElement.id"),
            json!("token"),
            "{text}"
        );
    }
    sign_in(browser, "a.b.c");

    browser.sees("The server does not accept this token.");
    assert_eq!(browser.complaints().len(), 1);
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_expired_token_leads_back_to_the_same_place() {
    let reviewer = Reviewer::with(&[("LIVENESS_JWT_LEEWAY", "0s")]);
    for number in 1..=25 {
        reviewer.record(1, &report(&format!("s-{number}"), true));
    }
    let browser = &reviewer.browser;
    reviewer.open("#/checks?selfServiceUserId=1&pageSize=10");
    let expires = jsonwebtoken::get_current_timestamp() + 6;
    let short = token(&json!({ "sub": "reviewer-1", "role": "admin", "exp": expires }));
    sign_in(browser, &short);
    browser.sees("1–10 of 25");

    browser.until(&format!("Date.now() > ({expires} + 1) * 1000"));
    browser.click("a[rel=next]");

    browser.sees("Your token has expired.");
    assert!(!browser.text("body").contains("s-25"));
    sign_in(browser, &admin());
    browser.sees("11–20 of 25");
    assert_eq!(browser.hash(), "#/checks?selfServiceUserId=1&pageSize=10&pageNumber=2");
    reviewer.leave(&[UNAUTHORIZED]);
}
