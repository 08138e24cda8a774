//! What the page has for officers: erasing, holding, and the receipts of both.

use serde_json::{Value, json};

use crate::driver::{Browser, ENTER, ESCAPE, TAB};
use crate::reviewer::{Reviewer, full_run, sign_in};
use crate::server::{report, token};

const ADMIN: &str = "GetLivenessCheckQuery";

/// Signs in with these roles, under the name `rosa`.
pub fn enter_as(reviewer: &Reviewer, roles: &Value, place: &str) {
    reviewer.browser.open("about:blank");
    reviewer.open(place);
    sign_in(&reviewer.browser, &token(&json!({ "sub": "rosa", "role": roles })));
    reviewer
        .browser
        .until("document.querySelector('#sign-out') && !document.querySelector('[aria-busy]')");
}

fn both() -> Value {
    json!(["admin", "officer"])
}

fn with_a_face() -> Reviewer {
    let reviewer = Reviewer::new();
    reviewer.record(7, &full_run("s-1"));
    reviewer
}

/// Clicks on what stands on a button.
pub fn choose(browser: &Browser, label: &str) {
    let find = format!("[...document.querySelectorAll('button')].find((one) => one.innerText.startsWith({label:?}))");
    browser.until(&find);
    browser.script(&format!("const one = {find}; one.focus(); one.click()"));
}

/// Fills the dialog, and does what it is about.
pub fn confirm(browser: &Browser, reason: &str, typed: Option<&str>) {
    browser.fill("#reason", reason);
    if let Some(typed) = typed {
        browser.fill("#typed", typed);
    }
    browser.click("dialog button[type=submit]");
}

fn receipt(browser: &Browser) -> Value {
    browser.until("document.querySelector('#receipt')");
    browser.script(
        "return Object.fromEntries([...document.querySelectorAll('#receipt > div')].map((row) => \
         [row.children[0].innerText, row.children[1].innerText]))",
    )
}

/// What an administrator is shown of a record.
fn shown(reviewer: &Reviewer, id: i64) -> Value {
    let admin = token(&json!({ "sub": "other", "role": "admin" }));
    let answer = reviewer.server.send(ADMIN, &admin, &json!({ "id": id }));
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.data()["LivenessCheck"].clone()
}

fn send(reviewer: &Reviewer, message: &str, body: &Value) {
    let officer = token(&json!({ "sub": "other", "role": "officer" }));
    let answer = reviewer.server.send(message, &officer, body);
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_officer_erases_a_face_for_a_reason_and_gets_the_receipt() {
    let reviewer = with_a_face();
    enter_as(&reviewer, &both(), "#/checks/1");
    let browser = &reviewer.browser;
    browser.sees("96 × 96 pixels");

    choose(browser, "Erase this face");
    browser.sees("This cannot be undone.");
    browser.click("dialog button[type=submit]");
    browser.sees("Say why.");
    confirm(browser, "Request 2026-118", Some("2"));
    browser.sees("This is not 1.");
    assert_eq!(shown(&reviewer, 1)["HasImage"], true);
    confirm(browser, "Request 2026-118", Some("1"));

    let told = receipt(browser);
    let kept = shown(&reviewer, 1);
    assert_eq!(kept["HasImage"], false);
    assert_eq!(told["SHA-256 of the face, as it was kept"], kept["Face"]["Sha256"]);
    let at = kept["Face"]["ErasedAt"]
        .as_str()
        .unwrap()
        .replace('T', " ")
        .replace('Z', " UTC");
    assert_eq!(told["Erased at"], at);
    assert_eq!(told["Unreadable everywhere from"], "not yet known");
    assert_eq!(
        (&told["Reason"], &told["By"]),
        (&json!("Request 2026-118"), &json!("rosa"))
    );
    browser.click("dialog .close");
    browser.sees("This face was erased on ");
    browser.sees("Because: Request 2026-118");
    assert_eq!(
        browser.script("return document.querySelectorAll('#face img, dialog').length"),
        json!(0)
    );
    assert_eq!(
        browser.script("return document.activeElement.id"),
        json!("keeping-heading")
    );
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn the_receipt_of_a_sealed_face_says_from_when_on_no_backup_opens_it() {
    let reviewer = Reviewer::with(&[("LIVENESS_FACE_KEYS", "file:keys")]);
    reviewer.record(7, &full_run("s-1"));
    enter_as(&reviewer, &json!("officer"), "");
    let browser = &reviewer.browser;

    browser.fill("#officer-check", "1");
    choose(browser, "Erase its face");
    confirm(browser, "Request 2026-118", Some("1"));

    let told = receipt(browser);
    let from = told["Unreadable everywhere from"].as_str().unwrap();
    assert!(from.ends_with(" UTC"), "{from}");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_erased_face_is_told_to_be_one_to_every_administrator() {
    let reviewer = with_a_face();
    send(
        &reviewer,
        "EraseFaceCommand",
        &json!({ "id": 1, "reason": "Request 2026-118" }),
    );
    reviewer.enter("#/checks/1");
    let browser = &reviewer.browser;

    browser.sees("This face was erased on ");
    browser.sees("Because: Request 2026-118");
    let page = browser.text("body");
    assert!(!page.contains("No image was sent"), "{page}");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_was_erased_before_is_told_in_words() {
    let reviewer = with_a_face();
    enter_as(&reviewer, &both(), "#/checks/1");
    let browser = &reviewer.browser;
    send(
        &reviewer,
        "EraseFaceCommand",
        &json!({ "id": 1, "reason": "Request 2026-118" }),
    );

    choose(browser, "Erase this face");
    confirm(browser, "Request 2026-118", Some("1"));

    browser.sees("This face was erased before.");
    browser.press(ESCAPE);
    browser.until("!document.querySelector('dialog')");
    assert_eq!(browser.hash(), "#/checks/1");
    reviewer.leave(&["status of 410"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_hold_keeps_erasure_away_until_it_is_lifted() {
    let reviewer = with_a_face();
    enter_as(&reviewer, &both(), "#/checks/1");
    let browser = &reviewer.browser;

    choose(browser, "Place a legal hold");
    browser.sees("nothing of this user is erased");
    confirm(browser, "Case 77/2026", None);
    assert!(receipt(browser)["Held since"].as_str().unwrap().ends_with(" UTC"));
    browser.click("dialog .close");
    browser.sees("While the hold is in force");
    for label in ["Erase this face", "Erase this user"] {
        choose(browser, label);
        confirm(
            browser,
            "Request 2026-118",
            Some(if label.ends_with("user") { "7" } else { "1" }),
        );
        browser.sees("A legal hold is in force for this user, so nothing was erased.");
        browser.click("dialog .cancel");
        browser.until("!document.querySelector('dialog')");
    }
    choose(browser, "Lift the legal hold");
    confirm(browser, "The case is closed", None);
    assert_eq!(receipt(browser)["User"], "7");
    browser.click("dialog .close");

    browser.until("document.querySelector('#keeping').innerText.includes('none')");
    assert_eq!(shown(&reviewer, 1)["Face"]["HeldSince"], json!(null));
    choose(browser, "Erase this face");
    confirm(browser, "Request 2026-118", Some("1"));
    receipt(browser);
    reviewer.leave(&["status of 409"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_officer_erases_a_user_from_the_record_and_from_the_list() {
    let reviewer = Reviewer::new();
    for user in [7, 8] {
        let claims = json!({ "sub": user.to_string(), "role": "customer", "name": format!("Person {user}") });
        reviewer.record_from(&claims, &[], &full_run(&format!("s-{user}")));
        reviewer.record_from(&claims, &[], &report(&format!("t-{user}"), true));
    }
    enter_as(&reviewer, &both(), "#/checks/1");
    let browser = &reviewer.browser;

    browser.sees("Person 7");
    choose(browser, "Erase this user");
    confirm(browser, "Request 2026-118", Some("7"));
    let told = receipt(browser);
    assert_eq!(told["Records that do not say any more who it was"], "2");
    assert_eq!(told["Faces that were erased"], "1");
    browser.click("dialog .close");
    browser.sees("This face was erased on ");
    browser.until("!document.body.innerText.includes('Person 7')");
    browser.sees("This user was erased: nothing names the person any more.");

    reviewer.open("#/checks?selfServiceUserId=8");
    browser.sees("Person 8");
    choose(browser, "Erase the user");
    confirm(browser, "Request 2026-119", Some("8"));
    assert_eq!(receipt(browser)["User"], "8");
    browser.click("dialog .close");
    browser.until("!document.body.innerText.includes('Person 8')");
    browser.sees("1–2 of 2");

    choose(browser, "Erase the user");
    confirm(browser, "Request 2026-119", Some("8"));
    browser.sees("This user was erased before, and has recorded nothing since.");
    reviewer.leave(&["status of 410"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn who_is_no_officer_sees_nothing_of_it() {
    let reviewer = with_a_face();
    let browser = &reviewer.browser;

    for place in ["#/checks/1", "#/checks?selfServiceUserId=7", "#/officer"] {
        browser.open("about:blank");
        reviewer.enter(place);
        let page = browser.text("body");
        assert!(!page.contains("Erase") && !page.contains("hold"), "{place}: {page}");
        assert_eq!(browser.script("return document.querySelector('#keeping')"), json!(null));
    }
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_officer_who_may_see_no_records_acts_by_number() {
    let reviewer = with_a_face();
    for place in ["", "#/checks/1"] {
        enter_as(&reviewer, &json!("officer"), place);
        let browser = &reviewer.browser;
        browser.sees("you act by number");
        let asked = "return performance.getEntriesByType('resource').some(({ name }) => name.includes('/commands/'))";
        assert_eq!(browser.script(asked), json!(false));
        assert_eq!(browser.script("return document.querySelector('#purpose')"), json!(null));
    }
    let browser = &reviewer.browser;
    browser.fill("#officer-check", "one");
    choose(browser, "Erase its face");
    browser.sees("The check id is a whole number from 1.");

    browser.fill("#officer-check", "1");
    choose(browser, "Erase its face");
    confirm(browser, "Request 2026-118", Some("1"));
    assert_eq!(receipt(browser)["Check"], "1");
    browser.click("dialog .close");
    browser.fill("#officer-user", "7");
    choose(browser, "Lift the legal hold");
    confirm(browser, "The case is closed", None);
    browser.sees("No legal hold is in force for this user.");
    browser.click("dialog .cancel");
    choose(browser, "Erase the user");
    confirm(browser, "Request 2026-118", Some("7"));

    assert_eq!(receipt(browser)["User"], "7");
    reviewer.leave(&["status of 404"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn the_role_is_found_where_the_hosts_settings_say() {
    let settings = [
        ("LIVENESS_JWT_ROLE_CLAIM", "resource_access.my.app.roles"),
        ("LIVENESS_ROLE_NAMES", "officer=dpo"),
    ];
    let reviewer = Reviewer::with(&settings);
    let browser = &reviewer.browser;
    let enter = |claims: Value| {
        browser.open("about:blank");
        reviewer.open("");
        sign_in(browser, &token(&claims));
    };

    enter(json!({ "sub": "rosa", "resource_access": { "my.app": { "roles": ["x", "DPO"] } } }));
    browser.sees("you act by number");
    enter(json!({ "sub": "rosa", "role": "dpo", "resource_access": { "my.app": { "roles": ["officer"] } } }));
    browser.sees("This token does not belong to an administrator");
    reviewer.leave(&["status of 403"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_face_is_erased_without_a_mouse() {
    let reviewer = with_a_face();
    enter_as(&reviewer, &both(), "#/checks/1");
    let browser = &reviewer.browser;
    browser.sees("96 × 96 pixels");
    let is_at = |label: &str| {
        browser.script(&format!(
            "return document.activeElement.innerText.startsWith({label:?})"
        )) == json!(true)
    };
    while !is_at("Erase this face") {
        browser.press(TAB);
    }

    browser.press(ENTER);
    browser.until("document.activeElement.id === 'reason'");
    // A key that is held down does nothing but write.
    browser.press(&format!("{ENTER}{ENTER}"));
    browser.paste("Request\n2026-118");
    let written = browser.script("return document.querySelector('#reason').value");
    assert_eq!(written.as_str().map(str::trim), Some("Request 2026-118"));
    browser.press(TAB);
    browser.press("1");
    browser.press(ENTER);

    browser.until("document.activeElement.innerText === 'The face is erased'");
    browser.press(TAB);
    browser.press(ENTER);
    browser.until("/^(Copied|It is marked)/.test(document.querySelector('#copied').innerText)");
    browser.press(ESCAPE);
    browser.until("document.activeElement.id === 'keeping-heading'");
    assert_eq!(browser.hash(), "#/checks/1");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn the_receipt_is_copied_whole() {
    let reviewer = with_a_face();
    enter_as(&reviewer, &both(), "#/checks/1");
    let browser = &reviewer.browser;
    choose(browser, "Place a legal hold");
    confirm(browser, "Case 77/2026", None);
    let since = receipt(browser)["Held since"].clone();
    browser.script("navigator.clipboard.writeText = async (text) => { window.copied = text; }");

    browser.click("#copy");

    browser.sees("Copied.");
    let expected = format!(
        "The hold is placed\nUser: 7\nHeld since: {}\nReason: Case 77/2026\nBy: rosa",
        since.as_str().unwrap()
    );
    assert_eq!(browser.script("return window.copied"), json!(expected));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_dialog_that_is_left_does_nothing_and_gives_the_focus_back() {
    let reviewer = with_a_face();
    enter_as(&reviewer, &both(), "#/checks");
    let browser = &reviewer.browser;
    reviewer.open("#/checks/1");
    let label = "return document.activeElement.innerText";

    for leave in [ESCAPE, ENTER] {
        choose(browser, "Erase this user");
        browser.until("document.activeElement.id === 'reason'");
        if leave == ENTER {
            browser.script("document.querySelector('dialog .cancel').focus()");
        }
        browser.press(leave);
        browser.until("!document.querySelector('dialog')");
        assert_eq!(browser.script(label), json!("Erase this user …"));
    }
    choose(browser, "Erase this user");
    browser.back();
    browser.until("document.querySelector('h1').innerText === 'Liveness checks' && !document.querySelector('dialog')");

    assert_eq!(shown(&reviewer, 1)["HasImage"], true);
    reviewer.leave(&[]);
}
