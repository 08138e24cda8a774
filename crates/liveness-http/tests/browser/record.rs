//! A record: the face, the evidence, and the way there and back.

use serde_json::{Value, json};

use crate::driver::ESCAPE;
use crate::reviewer::{Reviewer, full_run};
use crate::server::report;

/// The requests of the page for data, by their messages.
const ASKED: &str = "return performance.getEntriesByType('resource').map((entry) => entry.name) \
                     .filter((name) => name.includes('/commands/')).map((name) => name.split('/').pop())";

fn facts(reviewer: &Reviewer, panel: &str) -> Value {
    reviewer.browser.script(&format!(
        "return Object.fromEntries([...document.querySelectorAll('#{panel} dl > div')].map((fact) => \
         [fact.children[0].innerText, fact.children[1].innerText]))"
    ))
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_record_shows_the_face_and_all_that_was_recorded() {
    let reviewer = Reviewer::new();
    let jane = json!({
        "sub": "1234", "role": "customer", "email": "customer@example.com", "given_name": "Jane", "family_name": "Doe",
        "preRegistrationId": 77,
    });
    let phone = [
        ("X-Device-Platform", "Android"),
        ("X-App-Version", "2.1.0"),
        ("User-Agent", "bank/2.1 (Pixel 9)"),
    ];
    reviewer.record_from(&jane, &phone, &full_run("sdk-1"));
    reviewer.enter("");
    let browser = &reviewer.browser;
    browser.chromium(
        "Emulation.setTimezoneOverride",
        &json!({ "timezoneId": "Africa/Lagos" }),
    );
    assert_eq!(browser.script(ASKED), json!(["RetrieveLivenessChecksQuery"]));

    browser.click("tbody a.open");

    browser.sees("96 × 96 pixels, image/jpeg");
    browser.sees("This is the only one.");
    assert_eq!(browser.hash(), "#/checks/1");
    assert_eq!(
        browser.script("return document.activeElement.innerText"),
        json!("Check 1")
    );
    assert_eq!(
        browser.script("return document.title"),
        json!("Check 1 · Liveness review")
    );
    browser.sees("the phone took the user for a real person");
    browser.sees("in the audit trail, under reviewer-1");
    let shown =
        browser.script("const face = document.querySelector('#face img'); return [face.naturalWidth, face.alt]");
    assert_eq!(shown, json!([96, "The face sent with check 1"]));

    let user = facts(&reviewer, "user");
    assert_eq!(user["Name"], "Jane Doe");
    assert_eq!(user["User id"], "1234 · USR-00001234");
    assert_eq!(user["Email address"], "customer@example.com");
    assert_eq!(user["Pre-registration"], "77");
    assert_eq!(
        user["Check completed"],
        "Yes: the latest record is successful and verified"
    );
    let asked = browser.text(".challenges").replace('\n', " ");
    assert_eq!(asked, "BLINK ✓ done SMILE ✕ missing TURN_LEFT ✓ done");
    let measures = browser.script(
        "return [...document.querySelectorAll('.measures tbody tr')].map((row) => \
         [...row.cells].map((cell) => cell.innerText))",
    );
    let expected = json!([
        ["Whole run", "✓ real face", "4.2 s", "93 %"],
        ["Final capture", "✓ real face", "1.1 s", "95 %"],
        ["Image", "✓ real face", "0.9 s", "91.5 %"],
    ]);
    assert_eq!(measures, expected);
    let origin = facts(&reviewer, "origin");
    assert_eq!(
        (&origin["Session"], &origin["Address"]),
        (&json!("sdk-1"), &json!("127.0.0.1"))
    );
    assert_eq!(
        (&origin["Platform"], &origin["App version"]),
        (&json!("Android"), &json!("2.1.0"))
    );
    assert_eq!(origin["User agent"], "bank/2.1 (Pixel 9)");
    let completed = origin["Completed, by the phone’s clock"].as_str().unwrap();
    assert!(completed.ends_with("2026-03-22 14:00:00 UTC"), "{completed}");
    let own = json!({ "metadata.spoofAlarm": "screen replay suspected", "metadata.finalCapture.depth": "0.1" });
    assert_eq!(facts(&reviewer, "sdk"), own);

    assert_eq!(
        outcomes(&reviewer),
        [
            "RetrieveLivenessChecksQuery",
            "GetLivenessCheckQuery",
            "RetrieveLivenessChecksQuery"
        ]
    );
    reviewer.leave(&[]);
}

/// What the audit trail holds of the reviewer, oldest first.
fn outcomes(reviewer: &Reviewer) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let entries = runtime.block_on(reviewer.server.store().trail().newest(100)).unwrap();
    let of_reviewer = entries
        .into_iter()
        .rev()
        .filter(|entry| entry.principal == "reviewer-1");
    of_reviewer.map(|entry| entry.message.into_owned()).collect()
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn the_users_earlier_attempts_stand_beside_it_and_open() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("first", false));
    reviewer.record(2, &report("of another", true));
    reviewer.record(1, &report("second", true));
    reviewer.enter("#/checks/3");
    let browser = &reviewer.browser;
    browser.until("document.querySelectorAll('.attempts li').length === 2");
    assert_eq!(browser.text(".attempts [aria-current]").lines().next(), Some("Check 3"));

    browser.click(".attempts li:last-child a");

    browser.until("document.querySelector('h1').innerText === 'Check 1'");
    browser.sees("The phone reported that the run did not succeed.");
    browser.until("document.querySelectorAll('.attempts li').length === 2");
    assert_eq!(browser.text(".attempts [aria-current]").lines().next(), Some("Check 1"));
    browser.back();
    browser.until("document.querySelector('h1').innerText === 'Check 3'");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn many_attempts_are_counted_and_lead_to_the_list() {
    let reviewer = Reviewer::new();
    for number in 1..=21 {
        reviewer.record(1, &report(&format!("s-{number}"), true));
    }
    reviewer.enter("#/checks/1");

    reviewer.browser.sees("All 21 attempts");
    reviewer.browser.click("#attempts p a");

    reviewer.browser.sees("1–20 of 21");
    assert_eq!(reviewer.browser.hash(), "#/checks?selfServiceUserId=1");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn back_from_a_record_the_list_is_as_it_was() {
    let reviewer = Reviewer::new();
    for number in 1..=15 {
        reviewer.record(1, &report(&format!("s-{number}"), true));
    }
    let place = "#/checks?selfServiceUserId=1&pageNumber=2&pageSize=10";
    reviewer.enter(place);
    let browser = &reviewer.browser;
    let is_back = "document.activeElement.getAttribute('href') === '#/checks/4'";

    browser.click("tbody a[href='#/checks/4']");
    browser.until("document.querySelector('#face')");
    browser.press(ESCAPE);
    browser.until(is_back);
    assert_eq!(browser.hash(), place);

    browser.click("tbody a[href='#/checks/4']");
    browser.until("document.querySelector('#face')");
    browser.click(".back a");
    browser.until(is_back);
    assert_eq!(browser.hash(), place);

    browser.click("tbody a[href='#/checks/4']");
    browser.until("document.querySelector('#face')");
    browser.back();
    browser.until(is_back);
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_is_not_known_of_a_record_is_told_to_be_unknown() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("bare", true));
    let elsewhere = json!({
        "sessionId": "counted", "isSuccessful": true, "imagePath": "/uploads/1.jpg", "metadata": { "challengeCount": 3 },
    });
    reviewer.record(1, &elsewhere);
    reviewer.enter("#/checks/1");
    let browser = &reviewer.browser;

    browser.sees("No image was sent with this check.");
    browser.sees("The phone did not report any challenges.");
    assert_eq!(facts(&reviewer, "origin")["Platform"], "not given");
    assert_eq!(browser.script("return document.querySelector('#sdk')"), json!(null));
    reviewer.open("#/checks/2");
    browser.sees("only the path of one that was uploaded elsewhere");
    browser.sees("/uploads/1.jpg");
    browser.sees("3 were asked; the phone did not say which.");
    browser.sees("Nothing beyond what the other parts of this page show.");
    reviewer.open("#/checks/3");
    browser.sees("There is no check 3.");
    reviewer.leave(&["status of 404"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_image_that_is_damaged_is_told_to_be() {
    let reviewer = Reviewer::new();
    reviewer.record(
        1,
        &json!({ "sessionId": "s", "isSuccessful": true, "imageBase64": "/9j/wAALCAABAAEBAREA" }),
    );

    reviewer.enter("#/checks/1");

    reviewer.browser.sees("The image cannot be shown");
    reviewer.browser.sees("image/jpeg, 15 bytes");
    reviewer.leave(&[]);
}
