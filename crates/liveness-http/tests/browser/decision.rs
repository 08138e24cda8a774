//! Decisions: by mouse and by keyboard, with a reason, and what is told where none can be made.

use serde_json::json;

use crate::driver::{CONTROL, ENTER, ESCAPE, TAB};
use crate::reviewer::{Reviewer, sign_in};
use crate::server::{report, token};

/// Before a record that waits, which is open.
fn before_one() -> Reviewer {
    let reviewer = Reviewer::new();
    reviewer.record(7, &report("s-1", true));
    reviewer.enter("#/checks/1");
    reviewer.browser.until("document.querySelector('form.decide')");
    reviewer
}

fn written(reviewer: &Reviewer) -> serde_json::Value {
    reviewer
        .browser
        .script("return document.querySelector('#decision-reason').value")
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_decision_made_by_mouse_stands_with_who_when_and_why() {
    let reviewer = before_one();
    let browser = &reviewer.browser;
    browser.sees("No decision counts yet.");
    browser.sees("You are reviewer-1, signed in by a token.");

    browser.click(".decide [aria-keyshortcuts=R]");
    browser.click(".texts button:nth-child(2)");
    browser.click(".decide [type=submit]");

    browser.sees("Check 1: rejected. The decision is recorded, and counts.");
    let told = browser.text(".decisions").replace(['\n', '\u{a0}'], " ");
    assert!(told.contains("Rejected by reviewer-1 (you)"), "{told}");
    assert!(told.contains("It is not the face of earlier attempts."), "{told}");
    assert!(told.ends_with("In force."), "{told}");
    assert_eq!(
        browser.script("return document.activeElement.id"),
        json!("decision-heading")
    );
    let kept = &reviewer.shown(1)["Decisions"][0];
    assert_eq!(
        (&kept["Decision"], &kept["Reason"], &kept["Counts"]),
        (
            &json!("reject"),
            &json!("It is not the face of earlier attempts."),
            &json!(true)
        )
    );
    // It was not looked at again for that.
    let looks = "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('GetLivenessCheckQuery')).length";
    assert_eq!(browser.script(looks), json!(1));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_decision_needs_a_choice_and_a_reason() {
    let reviewer = before_one();
    let browser = &reviewer.browser;

    browser.click(".decide [type=submit]");
    browser.sees("Choose what you decide.");
    assert_eq!(
        browser.script("return document.activeElement.getAttribute('aria-keyshortcuts')"),
        json!("A")
    );
    browser.press(ENTER);
    browser.press_with(CONTROL, ENTER);
    browser.sees("Say why.");
    assert_eq!(
        browser.script("return document.activeElement.id"),
        json!("decision-reason")
    );
    browser.paste(&"x".repeat(1001));
    browser.press_with(CONTROL, ENTER);
    browser.sees("The reason has 1001 characters.");

    assert_eq!(reviewer.shown(1)["Decisions"], json!([]));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn no_key_acts_while_one_types() {
    let reviewer = before_one();
    let browser = &reviewer.browser;
    let chosen =
        "return [...document.querySelectorAll('[aria-pressed=true]')].map((one) => one.innerText.split(/\\s/)[0])";

    browser.press("se");
    assert_eq!(
        browser.script("return document.activeElement.id"),
        json!("decision-reason")
    );
    browser.press(&format!("arsnfc123{ESCAPE}"));
    assert_eq!(written(&reviewer), json!("arsnfc123"));
    assert_eq!(
        (browser.script(chosen), browser.hash().as_str()),
        (json!(["Ask"]), "#/checks/1")
    );
    browser.click("#purpose");
    browser.press("arn");
    assert_eq!(browser.script(chosen), json!(["Ask"]));

    browser.click("#keys summary");
    browser.click("#keys-on");
    browser.press("a");
    assert_eq!(browser.script(chosen), json!(["Ask"]));
    browser.click("#keys-on");
    browser.press("a");
    assert_eq!(browser.script(chosen), json!(["Approve"]));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_decision_is_made_without_a_mouse() {
    let reviewer = before_one();
    let browser = &reviewer.browser;

    browser.press(&format!("a{TAB}{TAB}{TAB}"));
    assert_eq!(
        browser.script("return document.activeElement.id"),
        json!("decision-reason")
    );
    browser.paste("The light explains it.\nTicket 12");
    browser.press_with(CONTROL, ENTER);

    browser.sees("Check 1: approved.");
    assert_eq!(
        reviewer.shown(1)["Decisions"][0]["Reason"],
        json!("The light explains it. Ticket 12")
    );
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_reason_that_was_begun_is_there_again() {
    let reviewer = before_one();
    let browser = &reviewer.browser;

    browser.press("re");
    browser.paste("The hair hides");
    browser.click(".back a");
    browser.sees("1–1 of 1");
    browser.click("tbody a.open");
    browser.until("document.querySelector('form.decide')");
    assert_eq!(written(&reviewer), json!("The hair hides"));
    assert_eq!(browser.text("[aria-pressed=true]").lines().next(), Some("Reject"));

    browser.click("#sign-out");
    reviewer.enter_as(browser, "tom", "#/checks/1");
    assert_eq!(written(&reviewer), json!(""));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn nobody_decides_on_a_check_of_their_own() {
    let reviewer = Reviewer::new();
    reviewer.record(7, &report("s-1", true));
    let browser = &reviewer.browser;
    reviewer.open("#/checks/1");
    sign_in(browser, &token(&json!({ "sub": "7", "role": ["admin", "customer"] })));
    browser.until("document.querySelector('form.decide')");

    browser.press("a1");
    browser.press_with(CONTROL, ENTER);

    browser.sees("The server does not let you decide on this check.");
    assert!(written(&reviewer).as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(reviewer.shown(1)["Decisions"], json!([]));
    reviewer.leave(&["status of 403"]);
}
