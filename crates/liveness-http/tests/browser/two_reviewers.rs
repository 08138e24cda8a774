//! Two reviewers in two browsers: what one does meanwhile is told to the other, and nothing is overwritten.

use serde_json::json;

use crate::driver::{Browser, CONTROL, ENTER};
use crate::reviewer::{Reviewer, policy};
use crate::server::report;

/// Decides on the check that is open, with a reason of one's own.
fn decide(browser: &Browser, key: &str, reason: &str) {
    browser.until("document.querySelector('form.decide')");
    browser.press(&format!("{key}e"));
    browser.paste(reason);
    browser.press_with(CONTROL, ENTER);
}

fn queue_of(lines: &str) -> (Reviewer, Browser, tempfile::TempDir) {
    let (file, folder) = policy(lines);
    let reviewer = Reviewer::with(&[("LIVENESS_POLICY", &file)]);
    reviewer.record(1, &report("s-1", true));
    reviewer.record(2, &report("s-2", true));
    (reviewer, Browser::start(), folder)
}

fn decisions(reviewer: &Reviewer, id: i64) -> Vec<(String, String)> {
    let shown = reviewer.shown(id);
    let made = shown["Decisions"].as_array().unwrap().iter();
    made.map(|one| {
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        (text("By"), text("Decision"))
    })
    .collect()
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn who_comes_second_is_told_and_overwrites_nothing() {
    let (reviewer, other, _folder) = queue_of("");
    let rosa = &reviewer.browser;
    reviewer.enter_as(rosa, "rosa", "#/queue/1");
    reviewer.enter_as(&other, "tom", "#/queue/1");
    rosa.until("document.querySelector('form.decide')");
    rosa.press("re");
    rosa.paste("It is a print");

    decide(&other, "a", "Looks well");
    other.sees("Check 1: approved.");
    other.until("location.hash === '#/queue/2'");
    rosa.press_with(CONTROL, ENTER);

    rosa.sees("This check was decided on meanwhile. tom decided: approved. Nothing was overwritten");
    rosa.until("document.querySelector('.decisions')");
    assert!(rosa.text(".decisions").contains("Looks well"));
    assert_eq!(rosa.hash(), "#/queue/1");
    assert_eq!(
        rosa.script("return [document.querySelector('#decision-reason').value, document.activeElement.innerText]"),
        json!(["It is a print", "Check 1"])
    );
    assert_eq!(rosa.text("[aria-pressed=true]").lines().next(), Some("Reject"));
    let approved = ("tom".to_owned(), "approve".to_owned());
    assert_eq!(decisions(&reviewer, 1), std::slice::from_ref(&approved));

    // Having seen that, rosa may still decide otherwise: it is added.
    rosa.click(".decide [type=submit]");
    rosa.sees("Check 1: rejected.");
    rosa.until("location.hash === '#/queue/2'");
    assert_eq!(
        decisions(&reviewer, 1),
        [approved, ("rosa".to_owned(), "reject".to_owned())]
    );
    assert!(other.complaints().is_empty());
    reviewer.leave(&["status of 409"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn where_a_second_person_is_needed_the_first_is_told_to_wait_and_the_second_does_not_see() {
    let (reviewer, other, _folder) = queue_of("[review]\nsecond = true");
    let rosa = &reviewer.browser;
    reviewer.enter_as(rosa, "rosa", "#/queue");
    rosa.sees("2 checks wait");
    rosa.press("n");

    decide(rosa, "a", "Looks well");
    rosa.sees("Check 1: approved. Your decision is recorded. It counts once another person has decided the same.");
    rosa.until("location.hash === '#/queue/2'");
    reviewer.open("#/queue/1");
    rosa.sees("You have decided. It counts once another person has decided the same");
    assert_eq!(rosa.script("return document.querySelector('form.decide')"), json!(null));
    assert!(rosa.text(".decisions").contains("Does not count"));

    reviewer.enter_as(&other, "tom", "#/queue");
    other.sees("2 checks wait");
    other.press("n");
    other.sees("No decision counts yet.");
    assert!(!other.text("main").contains("rosa"));
    decide(&other, "a", "The same face");
    other.sees("Check 1: approved. The decision is recorded, and counts.");
    other.until("location.hash === '#/queue/2'");

    reviewer.open("#/queue");
    rosa.sees("1 check waits");
    assert_eq!(decisions(&reviewer, 1).len(), 2);
    assert!(other.complaints().is_empty());
    reviewer.leave(&[]);
}
