//! The list's filters by day, outcome and face: by keyboard, in the address, and in the reviewer's own days.

use serde_json::json;

use crate::driver::{Browser, ENTER, TAB};
use crate::reviewer::{Reviewer, full_run};
use crate::server::report;

const MODULE: &str = "import('/admin/days.js').then((days) => ";

/// From now on the reviewer is there.
fn live_in(browser: &Browser, zone: &str) {
    browser.chromium("Emulation.setTimezoneOverride", &json!({ "timezoneId": zone }));
}

/// A day (`2026-11-24`) so many days after the one that it is where the reviewer is.
fn day(browser: &Browser, later: i64) -> String {
    let day = browser.script(&format!(
        "const day = new Date(); day.setDate(day.getDate() + {later}); return new Intl.DateTimeFormat('sv').format(day)"
    ));
    day.as_str().unwrap().to_owned()
}

/// A day as it is typed, digit for digit, into a field for dates of an American browser.
fn typed(day: &str) -> String {
    let (year, rest) = day.split_once('-').unwrap();
    format!("{}{year}", rest.replace('-', ""))
}

fn go_to(browser: &Browser, id: &str) {
    let focus = "return document.activeElement.id";
    for _ in 0..40 {
        if browser.script(focus) == json!(id) {
            return;
        }
        browser.press(TAB);
    }
    panic!("{id} is not reached");
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_day_is_the_reviewers_own() {
    let reviewer = Reviewer::new();
    let browser = &reviewer.browser;
    reviewer.open("");
    browser.sees("Sign in");
    for (zone, day, start, end) in [
        ("UTC", "2026-11-24", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"),
        (
            "Africa/Lagos",
            "2026-11-24",
            "2026-11-23T23:00:00Z",
            "2026-11-24T23:00:00Z",
        ),
        (
            "Asia/Kathmandu",
            "2026-12-31",
            "2026-12-30T18:15:00Z",
            "2026-12-31T18:15:00Z",
        ),
        // A day of 23 hours, one of 25, and one that does not begin at midnight.
        (
            "Europe/Berlin",
            "2026-03-29",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-10-25",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        ),
        (
            "America/Sao_Paulo",
            "2018-11-04",
            "2018-11-04T03:00:00Z",
            "2018-11-05T02:00:00Z",
        ),
    ] {
        live_in(browser, zone);
        let found = browser.script_async(&format!(
            "{MODULE}[days.startOf('{day}'), days.endOf('{day}'), days.dayOf('{start}'), days.dayBefore('{end}')])"
        ));
        assert_eq!(found, json!([start, end, day, day]), "{zone}");
    }
    let none = browser.script_async(&format!(
        "{MODULE}[days.dayOf(undefined), days.dayOf('soon'), days.dayBefore('')])"
    ));
    assert_eq!(none, json!(["", "", ""]));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn days_outcome_and_face_are_chosen_by_keyboard() {
    let reviewer = Reviewer::new();
    let browser = &reviewer.browser;
    live_in(browser, "Pacific/Kiritimati");
    reviewer.record(1, &full_run("s-1"));
    reviewer.record(1, &report("s-2", true));
    reviewer.record(1, &report("s-3", false));
    reviewer.enter("");
    browser.sees("1–3 of 3");
    browser.sees("from midnight to midnight in Pacific/Kiritimati");
    let today = day(browser, 0);

    go_to(browser, "from");
    browser.press(&typed(&today));
    go_to(browser, "to");
    browser.press(&typed(&today));
    go_to(browser, "isSuccessful");
    browser.press("The run s");
    go_to(browser, "hasImage");
    browser.press("Without");
    go_to(browser, "decision");
    browser.press(&format!("Not d{TAB}{ENTER}"));

    browser.sees("1–1 of 1");
    assert_eq!(browser.text("td[data-name=Session]"), "s-2");
    let times = browser.script_async(&format!("{MODULE}[days.startOf('{today}'), days.endOf('{today}')])"));
    let (from, to) = (times[0].as_str().unwrap(), times[1].as_str().unwrap());
    let encoded = |time: &str| time.replace(':', "%3A");
    let expected = format!(
        "#/checks?from={}&to={}&isSuccessful=true&hasImage=false&decision=none",
        encoded(from),
        encoded(to)
    );
    assert_eq!(browser.hash(), expected);
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn records_of_other_days_are_left_out() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    let browser = &reviewer.browser;
    live_in(browser, "America/Anchorage");
    reviewer.enter("");
    let (yesterday, today, tomorrow) = (day(browser, -1), day(browser, 0), day(browser, 1));
    for (first, last, seen) in [
        (&*today, "", "1–1 of 1"),
        (&*tomorrow, "", "No check matches"),
        ("", &*today, "1–1 of 1"),
        ("", &*yesterday, "No check matches"),
        (&*yesterday, &*tomorrow, "1–1 of 1"),
    ] {
        browser.script(&format!(
            "document.querySelector('#from').value = '{first}'; document.querySelector('#to').value = '{last}'"
        ));
        browser.click(".filters button");
        browser.until(&format!(
            "document.querySelector('#from').value === '{first}' && document.querySelector('#to').value === '{last}' \
             && document.querySelector('#results').innerText.includes('{seen}')"
        ));
    }
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_page_deep_in_a_filtered_list_can_be_linked_to() {
    let reviewer = Reviewer::new();
    for number in 1..=25 {
        reviewer.record(1, &report(&format!("s-{number}"), true));
        reviewer.record(2, &report(&format!("f-{number}"), false));
    }
    let place = "#/checks?from=2026-01-01T12%3A00%3A00Z&isSuccessful=true&hasImage=false&pageSize=10&pageNumber=3";
    let browser = &reviewer.browser;
    live_in(browser, "Asia/Kathmandu");

    reviewer.enter(place);

    browser.sees("21–25 of 25");
    assert_eq!(
        browser.script("return document.querySelector('#from').value"),
        json!("2026-01-01")
    );
    assert_eq!(
        browser.script("return document.querySelector('#isSuccessful').value"),
        json!("true")
    );
    browser.click("a[rel=prev]");
    browser.sees("11–20 of 25");
    browser.back();
    browser.sees("21–25 of 25");
    assert_eq!(browser.hash(), place);
    browser.click("tbody a.open");
    browser.sees("Back to the list");
    browser.click(".back a");
    browser.sees("21–25 of 25");
    browser.reload();
    crate::reviewer::sign_in(browser, &crate::server::admin());
    browser.sees("21–25 of 25");
    // An instant in the middle of a day stays what it was, until another day is chosen.
    browser.fill("#selfServiceUserId", "1");
    browser.click(".filters button");
    browser.sees("1–10 of 25");
    let kept =
        "#/checks?selfServiceUserId=1&from=2026-01-01T12%3A00%3A00Z&isSuccessful=true&hasImage=false&pageSize=10";
    assert_eq!(browser.hash(), kept);
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_is_wrong_with_a_day_or_a_choice_stands_beside_it() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    let browser = &reviewer.browser;
    reviewer.enter("#/checks?to=soon&isSuccessful=maybe&hasImage=1");
    for (id, said) in [
        ("to", "The last day must be"),
        ("isSuccessful", "The outcome must be"),
        ("hasImage", "The face must be"),
    ] {
        browser.until(&format!(
            "document.querySelector('#{id}-problem').innerText.startsWith('{said}')"
        ));
    }
    assert_eq!(browser.script("return document.activeElement.id"), json!("to"));

    // A date that is begun and not finished.
    go_to(browser, "from");
    browser.press("11");
    browser.press(ENTER);
    browser
        .until("document.querySelector('#from-problem').innerText === 'The first day must be a whole date, or none.'");
    reviewer.leave(&["status of 400"]);
}
