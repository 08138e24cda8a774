//! The page on small screens, in light and dark, and for programs that read it aloud.

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::officer::{choose, confirm, enter_as};
use crate::reviewer::{Reviewer, full_run};
use crate::server::report;

/// Every text whose contrast with what is behind it is below 4.5, as WCAG 2.2 reckons it.
const FAINT: &str = r"
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = channels(colour).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
        for (; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if (channels(colour)[3] !== 0) return colour;
        }
    };
    const faint = [];
    let seen = 0;
    for (const one of document.querySelectorAll('body *')) {
        const hasText = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!hasText && one.tagName !== 'INPUT' || !one.checkVisibility()) continue;
        seen += 1;
        const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) faint.push(`${one.innerText}: ${contrast}`);
    }
    return [seen > 5, faint, getComputedStyle(document.documentElement).backgroundColor];
";

/// By how much the page is wider than the screen.
pub const TOO_WIDE: &str =
    "const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth - clientWidth";

const OPEN_DETAILS: &str = "document.querySelectorAll('details').forEach((one) => { one.open = true; })";

/// Shows the views one after the other, the last of them one that failed.
fn through_all_views(reviewer: &Reviewer, look: impl Fn(&Browser, &str)) {
    let browser = &reviewer.browser;
    browser.open("about:blank");
    reviewer.open("");
    browser.sees("Sign in");
    crate::reviewer::sign_in(browser, "no token");
    look(browser, "sign in");
    reviewer.enter("");
    look(browser, "list");
    reviewer.open("#/checks?selfServiceUserId=0");
    browser.until("document.querySelector('[aria-invalid]')");
    look(browser, "problem");
    reviewer.open("#/checks?selfServiceUserId=99");
    browser.sees("No check matches");
    look(browser, "empty");
    reviewer.open("#/checks?pageSize=0");
    browser.sees("failed");
    look(browser, "failed");
    reviewer.open("#/checks/1");
    browser.until("document.querySelectorAll('.attempts li').length === 4");
    look(browser, "record");
    reviewer.open("#/queue");
    browser.sees("2 checks wait");
    browser.script(OPEN_DETAILS);
    look(browser, "queue");
    reviewer.open("#/queue/4");
    browser.until("document.querySelectorAll('.attempts li').length === 4");
    browser.press("a");
    browser.click("[data-compare='1']");
    browser.until("document.querySelectorAll('#face .stage').length === 1");
    browser.script(OPEN_DETAILS);
    look(browser, "decision");
    through_officers_views(reviewer, look);
}

/// Those of an officer, who places a hold or lifts it.
fn through_officers_views(reviewer: &Reviewer, look: impl Fn(&Browser, &str)) {
    let browser = &reviewer.browser;
    enter_as(reviewer, &json!(["admin", "officer"]), "#/checks/1");
    browser.until("document.querySelectorAll('.attempts li').length === 4");
    look(browser, "record of an officer");
    choose(browser, "Erase this user");
    confirm(browser, " ", Some("2"));
    look(browser, "erasure");
    browser.click("dialog .cancel");
    browser.until("!document.querySelector('dialog')");
    browser.script(
        "[...document.querySelectorAll('button')].find((one) => one.innerText.endsWith('legal hold …')).click()",
    );
    confirm(browser, "Case 77/2026", None);
    browser.until("document.querySelector('#receipt')");
    look(browser, "receipt");
    browser.click("dialog .close");
    enter_as(reviewer, &json!("officer"), "");
    choose(browser, "Erase its face");
    browser.sees("is a whole number");
    look(browser, "officer");
}

fn with_records() -> Reviewer {
    let reviewer = Reviewer::new();
    reviewer.record(1, &full_run("s-1"));
    reviewer.record(1, &report("s-2", true));
    reviewer.record(1, &report("s-3", false));
    let bare = json!({ "sessionId": "s-4", "isSuccessful": true, "metadata": { "completedChallenges": ["BLINK"] } });
    reviewer.record(1, &bare);
    reviewer
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn every_text_stands_out_from_its_ground_in_light_and_dark() {
    let reviewer = with_records();
    let mut grounds = Vec::new();

    for scheme in ["light", "dark"] {
        reviewer.browser.prefer("prefers-color-scheme", scheme);
        through_all_views(&reviewer, |browser, view| {
            let found = browser.script(FAINT);
            assert_eq!((&found[0], &found[1]), (&json!(true), &json!([])), "{view} in {scheme}");
        });
        grounds.push(reviewer.browser.script(FAINT)[2].clone());
    }

    assert_ne!(grounds[0], grounds[1]);
    reviewer.leave(&["status of 400"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn a_small_screen_needs_no_scrolling_sideways() {
    let reviewer = with_records();
    reviewer.browser.resize(360, 740);

    through_all_views(&reviewer, |browser, view| {
        assert_eq!(browser.script(TOO_WIDE), json!(0), "{view}");
        let outside = "return [...document.querySelectorAll('main *')].filter((one) => one.checkVisibility() && \
            one.getBoundingClientRect().right > document.documentElement.clientWidth).map((one) => one.outerHTML)";
        assert_eq!(browser.script(outside), json!([]), "{view}");
    });
    reviewer.leave(&["status of 400"]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn nothing_moves_for_who_does_not_want_it() {
    let reviewer = Reviewer::new();
    reviewer.open("");
    let browser = &reviewer.browser;
    let moves = "const part = document.createElement('p'); part.className = 'loading'; document.body.append(part); \
                 return getComputedStyle(part).animationName";

    assert_eq!(browser.script(moves), json!("appear"));
    browser.prefer("prefers-reduced-motion", "reduce");
    assert_eq!(browser.script(moves), json!("none"));
    reviewer.leave(&[]);
}

/// How many of a role there are in what is read aloud.
fn roles(browser: &Browser, role: &str) -> usize {
    let tree = browser.chromium("Accessibility.getFullAXTree", &json!({}));
    let is_role = |node: &&Value| node["role"]["value"] == role && node["ignored"] != json!(true);
    tree["nodes"].as_array().unwrap().iter().filter(is_role).count()
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn every_view_can_be_read_aloud() {
    let reviewer = with_records();
    let unnamed = "return [...document.querySelectorAll('input, select, textarea')].filter((one) => one.labels.length !== 1) \
        .concat([...document.querySelectorAll('img:not([alt])')]) \
        .concat([...document.querySelectorAll('a, button')].filter((one) => !one.innerText.trim())) \
        .map((one) => one.outerHTML)";
    let ids = "const ids = [...document.querySelectorAll('[id]')].map((one) => one.id); \
        const known = new Set(ids); return [ids.length - known.size, \
        [...document.querySelectorAll('[aria-describedby], [aria-labelledby]')] \
        .flatMap((one) => `${one.getAttribute('aria-describedby') ?? ''} ${one.getAttribute('aria-labelledby') ?? ''}` \
        .trim().split(/\\s+/)).filter((id) => !known.has(id))]";

    through_all_views(&reviewer, |browser, view| {
        assert_eq!(browser.script(unnamed), json!([]), "{view}");
        assert_eq!(browser.script(ids), json!([0, []]), "{view}");
        assert_eq!(
            browser.script("return document.querySelectorAll('h1').length"),
            json!(1),
            "{view}"
        );
    });

    let browser = &reviewer.browser;
    assert_eq!(browser.script("return document.documentElement.lang"), json!("en"));
    browser.open("about:blank");
    reviewer.enter("#/checks");
    for width in [1280, 360] {
        browser.resize(width, 800);
        reviewer.open("#/checks");
        browser.sees("1–4 of 4");
        assert_eq!((roles(browser, "table"), roles(browser, "cell")), (1, 36), "{width}");
    }
    reviewer.leave(&["status of 400"]);
}
