//! What is shown when something cannot be loaded, and that it can be tried again.

use serde_json::json;

use crate::reviewer::Reviewer;
use crate::server::report;

/// Nothing can be had of the database, until it is given back.
fn take_away(reviewer: &Reviewer) -> impl FnOnce() + use<> {
    let file = reviewer.server.database().file();
    let elsewhere = file.with_extension("elsewhere");
    std::fs::rename(&file, &elsewhere).unwrap();
    move || std::fs::rename(elsewhere, file).unwrap()
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_list_that_failed_names_the_request_and_can_be_tried_again() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    reviewer.enter("");
    let browser = &reviewer.browser;
    let give_back = take_away(&reviewer);

    browser.fill("#selfServiceUserId", "1");
    browser.click(".filters button");

    browser.sees("Loading the checks failed.");
    let request = browser.text(".notice code");
    browser.click(".retry");
    browser.until(&format!(
        "!document.body.innerText.includes('{request}') && document.querySelector('.notice code')"
    ));
    // The log comes through a pipe: by now it is there.
    assert!(
        reviewer.server.log().contains(&format!("request={request}")),
        "{request}"
    );
    assert_eq!(
        browser.script("return document.activeElement.className"),
        json!("retry")
    );
    give_back();
    browser.click(".retry");
    browser.sees("1–1 of 1");
    reviewer.leave(&["status of 503"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_record_that_failed_can_be_tried_again() {
    let reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    reviewer.enter("");
    let browser = &reviewer.browser;
    let give_back = take_away(&reviewer);

    browser.click("tbody a.open");

    browser.sees("Loading check 1 failed.");
    give_back();
    browser.click(".retry");
    browser.sees("This is the only one.");
    reviewer.leave(&["status of 503"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_server_that_is_gone_is_told_to_be() {
    let mut reviewer = Reviewer::new();
    reviewer.record(1, &report("s-1", true));
    reviewer.enter("");
    reviewer.server.signal("KILL");
    reviewer.server.wait();

    reviewer.browser.click("tbody a.open");

    reviewer.browser.sees("The server could not be reached.");
    reviewer.browser.sees("Try again");
    reviewer.leave(&["ERR_CONNECTION_REFUSED"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_page_that_does_not_learn_how_one_signs_in_can_be_tried_again() {
    let reviewer = Reviewer::new();
    let browser = &reviewer.browser;
    let block = |urls: &[&str]| browser.chromium("Network.setBlockedURLs", &json!({ "urls": urls }));
    browser.chromium("Network.enable", &json!({}));
    block(&["*settings.json"]);
    reviewer.open("");
    browser.sees("Loading the page failed.");

    block(&[]);
    browser.click(".retry");

    browser.sees("Administrator’s token");
    reviewer.leave(&["ERR_BLOCKED_BY_CLIENT"]);
}
