//! The list: what stands in it, its filters, its pages, and why it is empty.

use serde_json::json;

use crate::reviewer::{Reviewer, full_run};
use crate::server::report;

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn each_record_is_a_row_with_its_outcome_in_words() {
    let reviewer = Reviewer::new();
    let jane = json!({ "sub": "1234", "role": "customer", "name": "Jane Doe" });
    let phone = [("X-Device-Platform", "Android"), ("X-App-Version", "2.1.0")];
    reviewer.record_from(&jane, &phone, &full_run("sdk-1"));
    reviewer.record(5, &report("sdk-2", true));
    reviewer.record(5, &report("sdk-3", false));
    let doubted = json!({ "sessionId": "sdk-4", "isSuccessful": true, "metadata": { "verificationResult": false } });
    reviewer.record(5, &doubted);

    reviewer.enter("");

    let rows = reviewer.browser.script(
        "return [...document.querySelectorAll('tbody tr')].map((row) => \
         [...row.cells].filter((_, place) => place !== 1).map((cell) => cell.innerText.replace(/\\s+/g, ' ')))",
    );
    let expected = json!([
        ["4", "user 5", "✕ Not verified", "✕ Rejected", "–", "no", "sdk-4", "–"],
        ["3", "user 5", "✕ Failed", "✕ Rejected", "–", "no", "sdk-3", "–"],
        [
            "2",
            "user 5",
            "? No result",
            "? To be looked at",
            "–",
            "no",
            "sdk-2",
            "–"
        ],
        [
            "1",
            "Jane Doe user 1234",
            "✓ Passed",
            "✕ Rejected",
            "2 of 3",
            "yes",
            "sdk-1",
            "Android 2.1.0"
        ],
    ]);
    let mut rows = rows;
    for row in &mut rows.as_array_mut().unwrap()[..3] {
        // The name that the host makes up for those who have none.
        row[1] = json!(row[1].as_str().unwrap().trim_start_matches("USR-00000005 "));
    }
    assert_eq!(rows, expected);
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn filters_stand_in_the_address_and_combine() {
    let reviewer = Reviewer::new();
    for (user, session) in [(1, "a"), (1, "b"), (2, "c")] {
        let claims = json!({ "sub": user.to_string(), "role": "customer", "preRegistrationId": 70 + user });
        reviewer.record_from(&claims, &[], &report(session, true));
    }
    reviewer.enter("");
    let browser = &reviewer.browser;
    browser.sees("1–3 of 3");

    browser.fill("#selfServiceUserId", "1");
    browser.click(".filters button");
    browser.sees("1–2 of 2");
    assert_eq!(browser.hash(), "#/checks?selfServiceUserId=1");
    browser.fill("#sessionId", " b ");
    browser.click(".filters button");
    browser.sees("1–1 of 1");
    assert_eq!(browser.hash(), "#/checks?selfServiceUserId=1&sessionId=b");

    browser.back();
    browser.sees("1–2 of 2");
    assert_eq!(
        browser.script("return document.querySelector('#sessionId').value"),
        json!("")
    );
    browser.click(".filters a");
    browser.sees("1–3 of 3");
    browser.fill("#preRegistrationId", "72");
    browser.click(".filters button");
    browser.sees("1–1 of 1");
    browser.click("td[data-name=User] a");
    browser.until("location.hash === '#/checks?selfServiceUserId=2'");
    browser.sees("1–1 of 1");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_is_wrong_with_a_filter_stands_beside_it() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    reviewer.enter("");
    let browser = &reviewer.browser;

    browser.fill("#selfServiceUserId", "0");
    browser.fill("#preRegistrationId", "a lot");
    browser.click(".filters button");

    browser.until("document.querySelector('#selfServiceUserId-problem').innerText");
    assert!(
        browser
            .text("#selfServiceUserId-problem")
            .starts_with("The user id must be")
    );
    assert!(
        browser
            .text("#preRegistrationId-problem")
            .starts_with("The pre-registration id must be")
    );
    assert_eq!(browser.text("#sessionId-problem"), "");
    assert_eq!(
        browser.script("return document.activeElement.id"),
        json!("selfServiceUserId")
    );
    browser.fill("#selfServiceUserId", "1");
    browser.fill("#preRegistrationId", "");
    browser.click(".filters button");
    browser.sees("1–1 of 1");
    reviewer.leave(&["status of 400"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn pages_follow_each_other() {
    let reviewer = Reviewer::new();
    for number in 1..=45 {
        reviewer.record(1, &report(&format!("s-{number}"), true));
    }
    reviewer.enter("");
    let browser = &reviewer.browser;
    let opened = |text: &str| {
        browser.sees(text);
        browser.script("return document.querySelector('tbody a').innerText")
    };

    assert_eq!(opened("1–20 of 45"), json!("45"));
    browser.click("a[rel=next]");
    assert_eq!(opened("21–40 of 45"), json!("25"));
    browser.click("a[rel=next]");
    assert_eq!(opened("41–45 of 45"), json!("5"));
    browser.sees("Page 3 of 3");
    assert_eq!(
        browser.script("return document.querySelector('a[rel=next]')"),
        json!(null)
    );
    browser.click("a[rel=prev]");
    assert_eq!(opened("21–40 of 45"), json!("25"));
    browser.script(
        "const size = document.querySelector('#pageSize'); size.value = '50'; \
                    size.dispatchEvent(new Event('change'))",
    );
    assert_eq!(opened("1–45 of 45"), json!("45"));
    assert_eq!(browser.hash(), "#/checks?pageSize=50");

    reviewer.open("#/checks?pageNumber=9");
    browser.reload();
    crate::reviewer::sign_in(browser, &crate::server::admin());
    browser.sees("This page is past the end");
    browser.click("#nothing a");
    assert_eq!(opened("1–20 of 45"), json!("45"));
    reviewer.open("#/checks?pageSize=0");
    browser.sees("pageSize must be 1 to 100");
    browser.click(".filters button");
    assert_eq!(opened("1–20 of 45"), json!("45"));
    reviewer.leave(&["status of 400"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_empty_list_says_why_it_is_empty() {
    let reviewer = Reviewer::new();
    reviewer.enter("");
    let browser = &reviewer.browser;
    browser.sees("There are no checks yet");

    browser.fill("#selfServiceUserId", "7");
    browser.click(".filters button");

    browser.sees("No check matches");
    browser.click("#nothing a");
    browser.sees("There are no checks yet");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn numbers_are_said_as_people_say_them() {
    let reviewer = Reviewer::new();
    reviewer.open("");

    let said = reviewer.browser.script_async(
        "import('/admin/wording.js').then((w) => [w.count(1234), w.seconds(4200), w.seconds(0), w.percent(0.915), \
         w.percent(1), w.bytes(3481), w.utc('2026-03-22T14:00:00.250Z'), w.seconds(null)])",
    );
    let answered = reviewer.browser.script_async(
        "import('/admin/wording.js').then((w) => [w.challenges(['A', 'B', 'A'], ['A', 'C']), w.challenges(null, ['A']), \
         w.challenges(null, null)].map((all) => all.map(({ name, state }) => `${name} ${state}`)))",
    );

    let expected = json!([
        "1,234",
        "4.2 s",
        "0 s",
        "91.5 %",
        "100 %",
        "3.4 KiB",
        "2026-03-22 14:00:00.250 UTC",
        null
    ]);
    assert_eq!(said, expected);
    assert_eq!(
        answered,
        json!([["A done", "B missing", "A missing", "C not asked"], ["A done"], []])
    );
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn ids_of_64_bits_are_kept_to_the_digit() {
    let reviewer = Reviewer::new();
    let user = 9_007_199_254_740_993;
    reviewer.record(user, &report("s-1", true));

    reviewer.enter(&format!("#/checks?selfServiceUserId={user}"));

    reviewer.browser.sees("1–1 of 1");
    reviewer.browser.sees(&format!("user {user}"));
    reviewer.leave(&[]);
}
