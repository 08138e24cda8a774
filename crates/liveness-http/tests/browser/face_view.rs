//! The face, seen well: nearer, turned, lighter, and another one beside it.

use serde_json::{Value, json};

use crate::driver::RIGHT;
use crate::purpose::{purposes, under};
use crate::reviewer::{Reviewer, full_run, sign_in};
use crate::server::admin;

/// How the image lies on its stage, and how it is drawn.
const STYLE: &str =
    "const { transform, filter } = document.querySelector('#face img').style; return [transform, filter]";

fn before_a_face() -> Reviewer {
    let reviewer = Reviewer::new();
    reviewer.record(1, &full_run("s-1"));
    reviewer.enter("#/checks/1");
    reviewer.browser.sees("96 × 96 pixels");
    reviewer
}

fn style(reviewer: &Reviewer) -> (String, String) {
    let style = reviewer.browser.script(STYLE);
    let text = |place: usize| style[place].as_str().unwrap().to_owned();
    (text(0), text(1))
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_face_is_seen_nearer_turned_and_lighter_by_keyboard() {
    let reviewer = before_a_face();
    let browser = &reviewer.browser;

    browser.press("f");
    assert_eq!(browser.script("return document.activeElement.id"), json!("face-1"));
    browser.press("++.bbk");

    let plain = "translate(0px, 0px) rotate(90deg) scale(1.5625)";
    assert_eq!(
        style(&reviewer),
        (plain.to_owned(), "brightness(120%) contrast(110%)".to_owned())
    );
    browser.press(RIGHT);
    assert!(style(&reviewer).0.starts_with("translate(-40px, 0px)"));
    assert_eq!(
        browser.text("#face .look"),
        "156 %, turned by 90°, brightness 120 %, contrast 110 %"
    );
    browser.until("document.querySelector('#status').textContent.endsWith('contrast 110 %')");
    browser.press("0");
    let reset = (
        "translate(0px, 0px) rotate(0deg) scale(1)",
        "brightness(100%) contrast(100%)",
    );
    assert_eq!(style(&reviewer), (reset.0.to_owned(), reset.1.to_owned()));
    // However far one goes, the image stays on the stage.
    browser.press(&format!("-{RIGHT}"));
    assert_eq!(style(&reviewer).0, reset.0);
    reviewer.leave(&[]);
}

/// Moves, presses and releases the mouse, from the middle of the stage.
fn mouse(reviewer: &Reviewer, kind: &str, (x, y): (i64, i64), more: Value) {
    let middle = reviewer.browser.script(
        "const box = document.querySelector('#face .stage').getBoundingClientRect(); \
         return [box.left + box.width / 2, box.top + box.height / 2]",
    );
    let mut event = json!({
        "type": kind, "x": middle[0].as_f64().unwrap() + x as f64, "y": middle[1].as_f64().unwrap() + y as f64, "button": "left",
        "buttons": 1, "clickCount": 1,
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    reviewer.browser.chromium("Input.dispatchMouseEvent", &event);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_face_is_seen_nearer_turned_and_lighter_by_mouse() {
    let reviewer = before_a_face();
    let browser = &reviewer.browser;
    let tool = |number: usize| browser.click(&format!("#face .tools button:nth-of-type({number})"));

    tool(1);
    tool(4);
    assert_eq!(style(&reviewer).0, "translate(0px, 0px) rotate(90deg) scale(1.25)");
    browser.script(
        "const one = document.querySelector('#face-1-brightness'); one.value = 150; one.dispatchEvent(new Event('input'))",
    );
    assert_eq!(style(&reviewer).1, "brightness(150%) contrast(100%)");
    tool(5);
    assert_eq!(style(&reviewer).0, "translate(0px, 0px) rotate(0deg) scale(1)");

    mouse(&reviewer, "mousePressed", (0, 0), json!({}));
    mouse(&reviewer, "mouseReleased", (0, 0), json!({ "buttons": 0 }));
    browser.until("document.activeElement.id === 'face-1'");
    for _ in 0..3 {
        mouse(
            &reviewer,
            "mouseWheel",
            (0, 0),
            json!({ "deltaX": 0, "deltaY": -100, "button": "none", "buttons": 0 }),
        );
    }
    browser.until("document.querySelector('#face .look').textContent === '195 %'");
    mouse(&reviewer, "mousePressed", (0, 0), json!({}));
    mouse(&reviewer, "mouseMoved", (20, 10), json!({}));
    mouse(&reviewer, "mouseReleased", (20, 10), json!({ "buttons": 0 }));
    let moved = "const { e, f } = new DOMMatrix(getComputedStyle(document.querySelector('#face img')).transform); \
                 return Math.abs(e - 20) < 2 && Math.abs(f - 10) < 2";
    browser.until(&format!("(() => {{ {moved} }})()"));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn an_earlier_face_stands_beside_it_and_each_look_is_in_the_trail() {
    let (reviewer, _folder) = under("purpose = true");
    let browser = &reviewer.browser;
    reviewer.open("#/checks/2");
    sign_in(browser, &admin());
    browser.fill("#purpose-asked", "Ticket 4711");
    browser.click(".asked button");
    browser.until("document.querySelectorAll('.attempts li').length === 2");
    let faces = "return [...document.querySelectorAll('#face h3')].map((one) => one.innerText.split(',')[0])";

    browser.press("c");

    browser.until("document.querySelectorAll('#face .stage').length === 2");
    assert_eq!(browser.script(faces), json!(["Check 2", "Check 1"]));
    assert_eq!(
        purposes(&reviewer.server.store()),
        [
            Some("Ticket 4711".to_owned()),
            Some("Ticket 4711 (To compare with check 2)".to_owned())
        ]
    );
    let places = browser.script(
        "return [...document.querySelectorAll('#face .stage')].map((one) => one.getBoundingClientRect()).map(({ left, top }) => [left, top])",
    );
    assert!(places[0][0].as_f64() < places[1][0].as_f64(), "{places}");
    assert_eq!(places[0][1], places[1][1]);
    // Each has the keys while it has the focus.
    browser.press("ff");
    assert_eq!(browser.script("return document.activeElement.id"), json!("face-1"));
    browser.press("+");
    let looks = "return [...document.querySelectorAll('#face .look')].map((one) => one.innerText)";
    assert_eq!(browser.script(looks), json!(["100 %", "125 %"]));
    browser.press("c");
    browser.until(
        "document.querySelector('#status').textContent === 'There is no other face of this user to compare with'",
    );
    browser.click(".put-away");
    assert_eq!(
        browser.script("return document.querySelectorAll('#face .stage').length"),
        json!(1)
    );
    assert_eq!(
        browser.script("return document.activeElement.dataset.compare"),
        json!("1")
    );
    reviewer.leave(&["status of 400"]);
}
