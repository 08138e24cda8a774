//! The page by keyboard alone: what can be used can be reached, and it shows where one is.

use serde_json::json;

use crate::driver::{Browser, ENTER, ESCAPE, TAB};
use crate::reviewer::{Reviewer, full_run};
use crate::server::{admin, report};

/// Gives every thing that can be used a number, and tells how many there are.
const NUMBER: &str = "const all = [...document.querySelectorAll('a, button, input, select, textarea, summary, [tabindex=\"0\"]')] \
    .filter((one) => one.checkVisibility()); all.forEach((one, number) => { one.dataset.number = number; }); \
    return all.length";
/// The number of what has the focus, and whether one can see that it has.
const FOCUS: &str = "const one = document.activeElement; \
    return [Number(one.dataset.number ?? -1), getComputedStyle(one).outlineStyle !== 'none']";

/// Goes through a view from its top to its end by TAB. A field for a date has several stops: its parts, and its calendar.
fn walk(browser: &Browser) {
    let all = browser.script(NUMBER).as_i64().unwrap();
    browser.script("document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')");
    let mut reached = Vec::new();
    while reached.last() != Some(&(all - 1)) {
        browser.press(TAB);
        let focus = browser.script(FOCUS);
        assert_eq!(focus[1], json!(true), "nothing shows the focus: {focus}");
        reached.push(focus[0].as_i64().unwrap());
        reached.dedup();
        assert!(reached.is_sorted(), "{reached:?}");
    }
    assert_eq!(reached, (0..all).collect::<Vec<_>>());
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn everything_is_reached_in_the_order_in_which_it_stands() {
    let reviewer = Reviewer::new();
    for number in 1..=12 {
        reviewer.record(1, &full_run(&format!("s-{number}")));
    }
    let browser = &reviewer.browser;
    reviewer.open("");
    browser.sees("Sign in");
    walk(browser);
    reviewer.enter("#/checks?pageSize=10");
    walk(browser);
    reviewer.open("#/checks/1");
    browser.until("document.querySelectorAll('.attempts li').length === 12");
    walk(browser);
    browser.press("a");
    browser.click("[data-compare='2']");
    browser.until("document.querySelectorAll('#face .stage').length === 2");
    walk(browser);
    reviewer.open("#/queue?verdict=rejected");
    browser.sees("12 checks wait");
    walk(browser);
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_face_is_looked_at_without_a_mouse() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &full_run("s-1"));
    reviewer.record(2, &report("s-2", true));
    let browser = &reviewer.browser;
    reviewer.open("");
    browser.until("document.activeElement.id === 'token'");

    browser.paste(&admin());
    browser.press(ENTER);
    browser.sees("1–2 of 2");
    browser.until("document.activeElement.tagName === 'H1'");
    browser.press(&format!("{TAB}1{ENTER}"));
    browser.sees("1–1 of 1");
    browser.until("document.activeElement.tagName === 'H1'");
    while browser.script("return document.activeElement.className") != json!("open") {
        browser.press(TAB);
    }
    browser.press(ENTER);
    browser.sees("96 × 96 pixels");
    browser.until("document.activeElement.innerText === 'Check 1'");
    browser.press(ESCAPE);
    browser.until("document.activeElement.className === 'open'");

    // From the top, the first stop leads past the heading of the page.
    browser.script("document.body.tabIndex = -1; document.body.focus()");
    browser.press(&format!("{TAB}{ENTER}"));
    assert_eq!(browser.script("return document.activeElement.id"), json!("main"));
    assert_eq!(browser.hash(), "#/checks?selfServiceUserId=1");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_happens_is_told_to_who_does_not_see_it() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    reviewer.enter("");
    let browser = &reviewer.browser;
    let status = "document.querySelector('[role=status]').textContent";
    browser.until(&format!("{status} === 'Checks 1–1 of 1'"));

    browser.click("tbody a.open");

    browser.until(&format!("{status} === 'Check 1: No result'"));
    reviewer.leave(&[]);
}
