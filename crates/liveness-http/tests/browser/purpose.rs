//! Why a face is looked at: said once, and sent with each look.

use liveness_core::store::Store;
use serde_json::json;

use crate::driver::ENTER;
use crate::reviewer::{Reviewer, full_run, policy, sign_in};
use crate::server::admin;

/// The purposes that the trail has of looks, oldest first.
pub fn purposes(store: &Store) -> Vec<Option<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let entries = runtime.block_on(store.trail().newest(100)).unwrap().into_iter().rev();
    let looks = entries.filter(|entry| entry.message == "GetLivenessCheckQuery" && entry.outcome == "00");
    looks.map(|entry| entry.subject.shown.purpose).collect()
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_purpose_is_said_once_and_goes_with_each_look() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &full_run("s-1"));
    reviewer.record(1, &full_run("s-2"));
    reviewer.enter("#/checks/1");
    let browser = &reviewer.browser;
    browser.sees("96 × 96 pixels");

    // Digits alone are a text too.
    browser.fill("#purpose", "4711");
    browser.click(".attempts a[href='#/checks/2']");
    browser.until("document.querySelector('h1').innerText === 'Check 2'");
    browser.sees("96 × 96 pixels");
    assert_eq!(
        browser.script("return document.querySelector('#purpose').value"),
        json!("4711")
    );
    browser.click("#sign-out");
    reviewer.enter("#/checks/1");
    browser.sees("96 × 96 pixels");

    assert_eq!(
        browser.script("return document.querySelector('#purpose').value"),
        json!("")
    );
    let kept = browser.script("return JSON.stringify([localStorage, sessionStorage, location.href, history.state])");
    assert!(!kept.to_string().contains("4711"), "{kept}");
    let said = [None, Some("4711".to_owned()), None];
    assert_eq!(purposes(&reviewer.server.store()), said);
    reviewer.leave(&[]);
}

/// Before a host under a policy, with two records; and the folder of the policy's file.
pub fn under(looks: &str) -> (Reviewer, tempfile::TempDir) {
    let (file, folder) = policy(&format!("[looks]\n{looks}"));
    let reviewer = Reviewer::with(&[("LIVENESS_POLICY", &file)]);
    reviewer.record(1, &full_run("s-1"));
    reviewer.record(1, &full_run("s-2"));
    (reviewer, folder)
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn where_a_purpose_is_required_it_is_asked_for_before_the_face_is_shown() {
    let (reviewer, _folder) = under("purpose = true");
    let browser = &reviewer.browser;
    reviewer.open("#/checks/1");
    sign_in(browser, &admin());

    browser.sees("Why do you look at this check?");
    browser.until("document.activeElement.id === 'purpose-asked'");
    assert_eq!(
        browser.script("return document.querySelectorAll('main img').length"),
        json!(0)
    );
    browser.press(ENTER);
    browser.sees("Say why you look.");
    browser.paste("Ticket 4711");
    browser.press(ENTER);

    browser.sees("96 × 96 pixels");
    browser.until("document.activeElement.innerText === 'Check 1'");
    browser.click(".attempts a[href='#/checks/2']");
    browser.until("document.querySelector('h1').innerText === 'Check 2'");
    browser.sees("96 × 96 pixels");
    let said = Some("Ticket 4711".to_owned());
    assert_eq!(purposes(&reviewer.server.store()), [said.clone(), said]);
    reviewer.leave(&["status of 400"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn who_has_looked_at_as_many_faces_as_the_policy_allows_is_told_when_to_try_again() {
    let (reviewer, _folder) = under("faces_a_day = 1");
    reviewer.enter("#/checks/1");
    let browser = &reviewer.browser;
    browser.sees("96 × 96 pixels");

    reviewer.open("#/checks/2");

    browser.sees("The server lets one person look at only so many faces in a day");
    browser.until("/Try again in 24 hours, after \\d/.test(document.body.innerText)");
    reviewer.leave(&["status of 429"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn the_way_to_what_is_kept_of_people_stands_at_the_foot() {
    let reviewer = Reviewer::new();
    reviewer.open("");
    reviewer.browser.sees("What is kept of people, why and for how long");

    let way = reviewer
        .browser
        .script("return document.querySelector('footer a').href");

    assert_eq!(way, json!(format!("http://{}/privacy", reviewer.server.address())));
    reviewer.leave(&[]);
}
