//! Signing in at an identity provider, being signed in, and signing out there.

use serde_json::json;

use crate::oidc_reviewer::OidcReviewer;

/// Everything of a document that outlives it, or that others see.
const EVERYWHERE: &str = "return [location.href, document.cookie, JSON.stringify(localStorage), \
    JSON.stringify(sessionStorage), JSON.stringify(history.state), document.referrer, \
    document.documentElement.outerHTML].join()";

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn a_reviewer_signs_in_at_the_provider_and_looks_at_a_face() {
    let person = OidcReviewer::new();
    person.record(1, "s-1");
    let browser = &person.reviewer.browser;
    person.reviewer.open("");
    browser.sees("You sign in at 127.0.0.1:");
    assert_eq!(browser.script("return document.activeElement.id"), json!("sign-in"));

    person.sign_in("rose");

    browser.sees("Signed in as Rose Reviewer");
    browser.sees("1–1 of 1");
    browser.click("tbody a.open");
    browser.sees("96 × 96 pixels");
    // The audit trail has the provider's subject.
    browser.sees("under rose.");
    browser.sees("You are Rose Reviewer, signed in at 127.0.0.1:");
    assert_eq!(person.token_requests(), json!(1));
    assert_eq!(person.kept(), json!([0, 0, ""]));
    let found = browser.script(EVERYWHERE).to_string();
    assert!(!found.contains("eyJ") && !found.contains("code="), "{found}");
    person.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn the_place_and_its_filters_survive_the_way_to_the_provider_and_back() {
    let person = OidcReviewer::new();
    for number in 1..=12 {
        person.record(1, &format!("s-{number}"));
    }
    person.record(2, "s-13");
    let place = "#/checks?selfServiceUserId=1&pageSize=10&pageNumber=2";
    person.reviewer.open(place);

    person.sign_in("rose");

    person.reviewer.browser.sees("11–12 of 12");
    assert_eq!(person.reviewer.browser.hash(), place);
    assert_eq!(person.reviewer.browser.script("return location.search"), json!(""));
    // Who is signed in at the provider and has agreed is not asked again.
    person.reviewer.browser.reload();
    person.reviewer.browser.click("#sign-in");
    person.reviewer.browser.sees("11–12 of 12");
    person.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn what_waits_for_the_return_holds_no_token_and_is_gone_after_it() {
    let person = OidcReviewer::new();
    let browser = &person.reviewer.browser;
    person.reviewer.open("#/checks/1");
    browser.click("#sign-in");
    browser.until("document.querySelector('input[name=login]')");

    let asked = browser
        .script("return document.body.innerText + location.href")
        .to_string();
    // A document of the host's that runs no script.
    browser.open(&format!("http://{}/admin/style.css", person.reviewer.server.address()));
    let kept =
        browser.script("return Object.values(sessionStorage).map((text) => Object.keys(JSON.parse(text)).sort())");
    assert_eq!(kept, json!([["nonce", "place", "state", "verifier"]]));
    browser.back();
    person.give_name("rose");
    person.agree();

    browser.sees("There is no check 1.");
    assert_eq!(person.kept(), json!([0, 0, ""]));
    assert!(!asked.contains("verifier="), "{asked}");
    person.leave(&["status of 404"]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn a_token_is_renewed_before_it_ends() {
    let mut person = OidcReviewer::with(&[("LIVENESS_OIDC_SCOPES", "openid profile offline_access")]);
    person.provider.tell("lifetime 6");
    person.record(1, "s-1");
    let browser = &person.reviewer.browser;
    person.reviewer.open("");
    person.sign_in("rose");
    browser.sees("1–1 of 1");
    let signed_in = browser.script("return Date.now()").as_i64().unwrap();

    // Nobody asks for anything; the page renews it twice by itself, so that the first one has ended.
    let renewed = "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/token')).length >= 3";
    browser.until(renewed);
    browser.until(&format!("Date.now() > {signed_in} + 6000"));
    browser.click("tbody a.open");

    browser.sees("96 × 96 pixels");
    assert_eq!(person.kept(), json!([0, 0, ""]));
    person.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn without_a_refresh_token_one_signs_in_again_where_one_was() {
    let mut person = OidcReviewer::new();
    person.provider.tell("lifetime 8");
    person.record(1, "s-1");
    let browser = &person.reviewer.browser;
    person.reviewer.open("#/checks?selfServiceUserId=1");
    person.sign_in("rose");
    browser.sees("1–1 of 1");
    let signed_in = browser.script("return Date.now()").as_i64().unwrap();

    browser.until(&format!("Date.now() > {signed_in} + 9000"));
    browser.click("tbody a.open");

    browser.sees("Your sign-in has ended.");
    person.provider.tell("lifetime 600");
    person.reviewer.browser.click("#sign-in");
    person.reviewer.browser.sees("96 × 96 pixels");
    person.leave(&["status of 401"]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn who_signs_out_is_signed_out_at_the_provider_too() {
    let person = OidcReviewer::with(&[("LIVENESS_OIDC_SCOPES", "openid profile offline_access")]);
    person.record(1, "s-1");
    let browser = &person.reviewer.browser;
    person.reviewer.open("#/checks/1");
    person.sign_in("rose");
    browser.sees("96 × 96 pixels");

    browser.click("#sign-out");
    browser.click("button[value=yes]");

    browser.sees("You are signed out, here and at 127.0.0.1:");
    assert_eq!(person.kept(), json!([0, 0, ""]));
    assert_eq!(browser.script("return location.search + location.hash"), json!(""));
    let page = browser.text("body");
    assert!(!page.contains("Rose") && !page.contains("s-1"), "{page}");
    browser.click("#sign-in");
    browser.until("document.querySelector('input[name=login]')");
    person.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn whoever_opens_the_page_with_doubled_slashes_comes_back_to_its_own_address() {
    let person = OidcReviewer::new();
    person.record(1, "s-1");
    let browser = &person.reviewer.browser;
    let host = person.reviewer.server.address();
    browser.open(&format!("http://{host}//admin#/checks/1"));

    person.sign_in("rose");

    browser.sees("96 × 96 pixels");
    let address = format!("http://{host}/admin#/checks/1");
    assert_eq!(browser.script("return location.href"), json!(address));
    person.leave(&[]);
}
