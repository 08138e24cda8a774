//! The queue: what waits, oldest first, and how one check follows the other.

use serde_json::json;

use crate::driver::{CONTROL, ENTER, ESCAPE};
use crate::reviewer::Reviewer;
use crate::server::report;

/// Before a host on which checks 1 to 3 wait, since no image was sent with them, and check 4 is rejected.
fn with_a_queue() -> Reviewer {
    let reviewer = Reviewer::new();
    for user in 1..=3 {
        reviewer.record(user, &report(&format!("s-{user}"), true));
    }
    reviewer.record(4, &report("s-4", false));
    reviewer
}

/// Chooses by a key, takes the first of the quick texts, and sends it.
fn decide(reviewer: &Reviewer, key: &str) {
    reviewer.browser.until("document.querySelector('form.decide')");
    reviewer.browser.press(&format!("{key}1"));
    reviewer.browser.press_with(CONTROL, ENTER);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_waits_is_counted_and_opened_oldest_first() {
    let reviewer = with_a_queue();
    reviewer.enter("");
    let browser = &reviewer.browser;

    browser.click("#account a[href='#/queue']");

    browser.sees("3 checks wait");
    browser.sees("The oldest has waited 0 minutes.");
    let rows = browser.script("return [...document.querySelectorAll('tbody .open')].map((one) => one.innerText)");
    assert_eq!(rows, json!(["1", "2", "3"]));
    assert_eq!(
        browser.script("return document.title"),
        json!("Queue · Liveness review")
    );
    browser.press("n");
    browser.until("document.querySelector('h1').innerText === 'Check 1' && document.querySelector('form.decide')");
    assert_eq!(browser.hash(), "#/queue/1");
    browser.press(ESCAPE);
    browser.until("document.activeElement.getAttribute('href') === '#/queue/1'");
    assert_eq!(browser.hash(), "#/queue");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn after_a_decision_the_next_one_opens_by_itself() {
    let reviewer = with_a_queue();
    reviewer.enter("#/queue");
    let browser = &reviewer.browser;
    browser.click("#first");

    decide(&reviewer, "a");
    browser.sees("Check 1: approved. The decision is recorded, and counts. 2 checks wait.");
    assert_eq!(browser.hash(), "#/queue/2");
    assert_eq!(
        browser.script("return document.activeElement.innerText"),
        json!("Check 2")
    );
    decide(&reviewer, "r");
    browser.sees("Check 2: rejected. The decision is recorded, and counts. 1 check waits.");
    assert_eq!(browser.hash(), "#/queue/3");
    decide(&reviewer, "s");

    browser.sees("Check 3: asked again. The decision is recorded, and counts.");
    browser.sees("Nothing waits");
    assert_eq!(browser.hash(), "#/queue");
    let decided: Vec<_> = (1..=3)
        .map(|id| reviewer.shown(id)["Decisions"][0]["Decision"].clone())
        .collect();
    assert_eq!(decided, ["approve", "reject", "ask_again"]);
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_the_rules_have_rejected_is_a_queue_of_its_own() {
    let reviewer = with_a_queue();
    reviewer.enter("#/queue");
    let browser = &reviewer.browser;
    browser.sees("3 checks wait");

    browser.click("main nav a[href='#/queue?verdict=rejected']");

    browser.sees("1 check waits");
    browser.press("n");
    browser.until("location.hash === '#/queue/4?verdict=rejected'");
    decide(&reviewer, "a");
    browser.sees("Of what the rules have rejected, all is decided.");
    assert_eq!(browser.hash(), "#/queue?verdict=rejected");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_is_left_for_later_comes_again_from_the_queue() {
    let reviewer = with_a_queue();
    reviewer.enter("#/queue/1");
    let browser = &reviewer.browser;

    for next in ["#/queue/2", "#/queue/3"] {
        browser.press("n");
        browser.until(&format!("location.hash === '{next}'"));
        browser.until("document.querySelector('form.decide')");
    }
    browser.click("#skip-check");

    browser.sees("3 checks wait. You have been through all of them.");
    assert_eq!(browser.hash(), "#/queue");
    browser.press("n");
    browser.until("location.hash === '#/queue/1'");
    assert_eq!(reviewer.shown(1)["Decisions"], json!([]));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn the_list_shows_and_filters_verdicts_and_decisions() {
    let reviewer = with_a_queue();
    reviewer.enter("#/queue/1");
    let browser = &reviewer.browser;
    decide(&reviewer, "a");
    browser.sees("Check 1: approved.");

    reviewer.open("#/checks");
    browser.sees("1–4 of 4");
    let column = "return [...document.querySelectorAll('td[data-name=Verdict]')].map((one) => one.innerText.replace(/\\s+/g, ' '))";
    let waits = "? To be looked at";
    assert_eq!(
        browser.script(column),
        json!(["✕ Rejected", waits, waits, format!("{waits} By a person: approved")])
    );
    browser.script("document.querySelector('#decision').value = 'approve'");
    browser.click(".filters button");
    browser.sees("1–1 of 1");
    assert_eq!(browser.hash(), "#/checks?decision=approve");
    browser
        .script("document.querySelector('#decision').value = ''; document.querySelector('#verdict').value = 'review'");
    browser.click(".filters button");
    browser.sees("1–3 of 3");
    reviewer.leave(&[]);
}
