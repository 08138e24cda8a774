//! Sign-ins at an identity provider that come to nothing: what is told, and that nothing is left of them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::in_process::serve;
use crate::oidc_reviewer::OidcReviewer;
use crate::reviewer::Reviewer;

/// As if the page had left for the provider with these secrets.
const LEFT: &str = "sessionStorage.setItem('liveness-redirect', JSON.stringify({ verifier: 'v'.repeat(43), state: 'the-state', \
    nonce: 'n', place: '#/checks/7' }))";

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn consent_that_is_refused_is_told() {
    let person = OidcReviewer::new();
    let browser = &person.reviewer.browser;
    person.reviewer.open("#/checks?sessionId=s-1");
    browser.click("#sign-in");
    person.give_name("rose");
    browser.until("document.querySelector('input[value=consent]')");

    browser.click("a[href$=abort]");

    person.is_refused(
        "Nobody is signed in. Signing in was refused at 127.0.0.1:",
        "#/checks?sessionId=s-1",
    );
    // One may think again.
    person.record(1, "s-1");
    browser.click("#sign-in");
    person.agree();
    browser.sees("1–1 of 1");
    person.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn a_forged_or_missing_state_signs_nobody_in_and_asks_nobody() {
    let person = OidcReviewer::new();
    let browser = &person.reviewer.browser;
    let page = format!("http://{}/admin", person.reviewer.server.address());
    for forged in [
        "?code=abc&state=forged",
        "?code=abc",
        "?state=",
        "?error=access_denied&state=forged",
    ] {
        person.reviewer.open("#/checks/7");
        browser.click("#sign-in");
        browser.until("document.querySelector('input[name=login]')");

        browser.open(&format!("{page}{forged}"));

        person.is_refused(
            "what came back does not belong to a sign-in that was begun in this tab",
            "#/checks/7",
        );
        assert_eq!(person.token_requests(), json!(0), "{forged}");
    }
    // Nobody had begun at all.
    browser.open(&format!("{page}?code=abc&state=undefined#/checks/8"));
    person.is_refused(
        "what came back does not belong to a sign-in that was begun in this tab",
        "#/checks/8",
    );
    person.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn an_answer_that_is_not_good_is_told() {
    let person = OidcReviewer::new();
    let browser = &person.reviewer.browser;
    let page = format!("http://{}/admin", person.reviewer.server.address());
    let issuer = person.provider.issuer().to_owned();
    let cases = [
        (format!("code=wrong&iss={issuer}"), "refused: invalid_grant."),
        ("code=wrong".to_owned(), "The answer is not from 127.0.0.1:"),
        (
            "code=wrong&iss=https://elsewhere.example".to_owned(),
            "The answer is not from 127.0.0.1:",
        ),
        (format!("iss={issuer}"), "gave no code."),
        ("error=server_error".to_owned(), "refused: server_error."),
        ("error=%3Cb%3EPay%20here".to_owned(), "refused: it does not say why."),
    ];
    person.reviewer.open("");
    for (brought, why) in cases {
        browser.sees("Sign in");
        browser.script(LEFT);
        browser.open(&format!("{page}?{brought}&state=the-state"));
        person.is_refused(why, "#/checks/7");
    }
    person.leave(&["status of 400"]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn an_id_token_for_another_sign_in_is_refused() {
    let person = OidcReviewer::new();
    let browser = &person.reviewer.browser;
    person.reviewer.open("");
    browser.click("#sign-in");
    browser.until("document.querySelector('input[name=login]')");
    browser.open(&format!("http://{}/admin/style.css", person.reviewer.server.address()));
    browser.script(
        "const [key, text] = Object.entries(sessionStorage)[0]; \
         sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(text), nonce: 'another' }))",
    );
    browser.back();

    person.give_name("rose");
    person.agree();

    person.is_refused("answered another sign-in than this one", "");
    assert_eq!(person.token_requests(), json!(1));
    person.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn who_lacks_the_role_is_told_what_to_ask_for_and_may_be_somebody_else() {
    let person = OidcReviewer::new();
    person.record(1, "s-1");
    let browser = &person.reviewer.browser;
    person.reviewer.open("#/checks/1");

    person.sign_in("carl");

    person.is_refused("Carl Customer is signed in at 127.0.0.1:", "#/checks/1");
    browser.sees("Ask whoever manages the accounts there for the role admin");
    browser.click("#sign-in-other");
    person.give_name("rose");
    person.agree();
    browser.sees("96 × 96 pixels");
    browser.sees("Rose Reviewer");
    person.leave(&["status of 403"]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn an_access_token_that_only_the_provider_can_read_is_told_to_be_one() {
    let person = OidcReviewer::with(&[("LIVENESS_JWT_AUDIENCE", "liveness")]);
    person.reviewer.open("");

    person.sign_in("rose");

    person.is_refused("gave an access token that is no JWT", "");
    person.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver and oidc-provider: .ci/test"]
fn a_provider_that_is_away_or_has_another_name_is_told_before_one_leaves() {
    let person = OidcReviewer::new();
    let issuer = person.provider.issuer().to_owned();
    let client = ("LIVENESS_OIDC_CLIENT_ID", "review-page");
    let renamed = Reviewer::with(&[("LIVENESS_OIDC_ISSUER", &format!("{issuer}/")), client]);
    renamed.open("");
    renamed.browser.click("#sign-in");
    renamed
        .browser
        .sees("LIVENESS_OIDC_ISSUER must be its own name, letter by letter.");
    renamed.leave(&[]);

    let OidcReviewer { reviewer, provider } = person;
    reviewer.open("");
    reviewer.browser.sees("Sign in");
    drop(provider);
    reviewer.browser.click("#sign-in");
    reviewer
        .browser
        .sees("could not be reached, or does not answer to this page.");
    assert_eq!(reviewer.browser.script("return sessionStorage.length"), json!(0));
    reviewer.leave(&["ERR_CONNECTION_REFUSED"]);
}

/// A provider of which there is no more than its document, with these endpoints.
fn document_with(authorization: &'static str, token: &'static str) -> String {
    let answer = move |request: HttpRequest| async move {
        let document = json!({
            "issuer": format!("http://{}", request.connection_info().host()),
            "authorization_endpoint": authorization,
            "token_endpoint": token,
        });
        HttpResponse::Ok()
            .insert_header(("Access-Control-Allow-Origin", "*"))
            .json(document)
    };
    let address = serve(move |app| {
        app.route("/.well-known/openid-configuration", web::get().to(answer));
    });
    format!("http://{address}")
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn endpoints_to_which_the_page_must_not_go_are_told_before_one_leaves() {
    let elsewhere = "https://elsewhere.example/token";
    for (authorization, token, why) in [
        (
            "https://elsewhere.example/",
            elsewhere,
            "gives its tokens at another origin",
        ),
        (
            "javascript:alert(1)",
            elsewhere,
            "does not say where one signs in there",
        ),
        (
            "http://elsewhere.example/",
            elsewhere,
            "does not say where one signs in there",
        ),
    ] {
        let issuer = document_with(authorization, token);
        let client = ("LIVENESS_OIDC_CLIENT_ID", "review-page");
        let reviewer = Reviewer::with(&[("LIVENESS_OIDC_ISSUER", &issuer), client]);
        reviewer.open("");
        reviewer.browser.click("#sign-in");

        reviewer.browser.sees(why);

        assert_eq!(reviewer.browser.script("return sessionStorage.length"), json!(0));
        reviewer.leave(&[]);
    }
}
