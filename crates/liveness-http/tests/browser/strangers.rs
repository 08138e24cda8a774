//! What a phone sends is text, whatever is written in it.

use serde_json::json;

use crate::looks::TOO_WIDE;
use crate::reviewer::Reviewer;
use crate::server::token;

const MARKUP: &str = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>";

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn markup_is_shown_as_it_was_sent() {
    let reviewer = Reviewer::new();
    let claims = json!({
        "sub": "1", "role": "customer", "name": MARKUP, "email": MARKUP, "given_name": MARKUP, "family_name": MARKUP,
    });
    let phone = [
        ("User-Agent", MARKUP),
        ("X-Device-Platform", MARKUP),
        ("X-App-Version", MARKUP),
    ];
    let challenge = "<b onclick=alert(1)>BLINK</b>";
    let run = json!({
        "sessionId": MARKUP, "isSuccessful": true, "imagePath": MARKUP,
        "metadata": { "challenges": [challenge], "completedChallenges": [challenge], MARKUP: MARKUP, "n": { MARKUP: [MARKUP] } },
        "imageMetadata": { MARKUP: MARKUP, "__proto__": { "tone": "x" }, "constructor": 1 },
    });
    reviewer.record_from(&claims, &phone, &run);
    reviewer.enter("");
    let browser = &reviewer.browser;
    let places = |place: &str, expected: usize| {
        browser.until("!document.querySelector('[aria-busy]')");
        let text = browser.script(
            "document.querySelectorAll('details').forEach((one) => { one.open = true; }); \
                                   return document.querySelector('main').innerText",
        );
        let count = text.as_str().unwrap().matches(MARKUP).count();
        assert!(count >= expected, "{place}: {count} of {expected}: {text}");
        let made = "return [...document.querySelectorAll('main img, main script, main b')].length";
        assert_eq!(browser.script(made), json!(0), "{place}");
    };

    places("the list", 4);
    browser.click("tbody a.open");
    browser.sees("This is the only one.");
    places("the record", 12);
    browser.sees(challenge);
    assert_eq!(
        browser.script("return document.title"),
        json!("Check 1 · Liveness review")
    );
    reviewer.open(&format!(
        "#/checks?sessionId={}",
        "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    ));
    browser.sees("No check matches");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn what_another_reviewer_wrote_is_text_too() {
    let reviewer = Reviewer::new();
    let run = json!({ "sessionId": "s-1", "isSuccessful": true, "metadata": { MARKUP: true, "challengeTimes": { MARKUP: 1 } } });
    reviewer.record_from(&json!({ "sub": "1", "role": "customer" }), &[], &run);
    let other = token(&json!({ "sub": MARKUP, "role": "admin" }));
    let decision = json!({ "id": 1, "decision": "approve", "reason": MARKUP, "decisionsSeen": 0 });
    let answer = reviewer.server.send("ReviewLivenessCheckCommand", &other, &decision);
    assert_eq!(answer.status, 200, "{}", answer.json);

    reviewer.enter("#/queue/1");

    let browser = &reviewer.browser;
    browser.sees("This check is decided, and waits no longer.");
    assert_eq!(browser.text(".decisions").matches(MARKUP).count(), 2);
    let made = "return [...document.querySelectorAll('main img, main script')].length";
    assert_eq!(browser.script(made), json!(0));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn characters_that_turn_the_text_are_shown_by_their_numbers() {
    let reviewer = Reviewer::new();
    let turned = "good\u{202e}dab\u{2066}";
    let claims = json!({ "sub": "1", "role": "customer", "name": turned });
    let run = json!({ "sessionId": turned, "isSuccessful": true, "metadata": { turned: turned } });
    reviewer.record_from(&claims, &[], &run);
    reviewer.enter("");
    let browser = &reviewer.browser;

    let shown = "good[U+202E]dab[U+2066]";
    assert_eq!(browser.text("td[data-name=Session] bdi"), shown);
    assert_eq!(browser.text("td[data-name=User] bdi"), shown);
    browser.click("tbody a.open");
    browser.sees("This is the only one.");
    browser.click("summary");
    let page = browser.text("main");
    assert!(!page.contains(['\u{202e}', '\u{2066}']), "{page}");
    assert!(page.matches(shown).count() >= 5, "{page}");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn words_without_an_end_are_broken() {
    let reviewer = Reviewer::new();
    let long = |length| "W".repeat(length);
    let claims = json!({ "sub": "9223372036854775807", "role": "customer", "name": long(255), "email": long(255) });
    let phone = [("User-Agent", &*long(512)), ("X-Device-Platform", &*long(512))];
    let run = json!({
        "sessionId": long(255), "isSuccessful": true, "imagePath": long(1024),
        "metadata": { "challenges": [long(64)], long(2000): long(2000) },
    });
    reviewer.record_from(&claims, &phone, &run);
    let browser = &reviewer.browser;

    for width in [360, 768, 1280] {
        browser.resize(width, 800);
        for place in ["#/checks", "#/checks/1"] {
            browser.open("about:blank");
            reviewer.enter(place);
            if place != "#/checks" {
                browser.sees("This is the only one.");
            }
            browser.script("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
            assert_eq!(browser.script(TOO_WIDE), json!(0), "{place} at {width}");
        }
    }
    reviewer.leave(&[]);
}
