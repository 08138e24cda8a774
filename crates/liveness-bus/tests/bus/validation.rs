//! The rules for fields are the same for `send` and `dispatch`.

use liveness_bus::BusError;

use crate::messages::{Handling, TellerQuery, bus, code, dispatch, problems, teller};

const NAME: &str = "TellerQuery";

fn wrong(field: &str, code: &str) -> (String, String) {
    (field.into(), code.into())
}

#[tokio::test]
async fn all_fields_that_are_wrong_are_told_at_once_through_both_doors() {
    let (bus, _) = bus(Handling::Echo);
    let query = TellerQuery {
        text: String::new(),
        item_count: Some(10),
    };

    let sent = problems(bus.send(query, &teller()).await);
    let dispatched = problems(dispatch(&bus, NAME, r#"{"text":"","itemCount":10}"#, &teller()).await);

    assert_eq!(sent, [wrong("itemCount", "range"), wrong("text", "length")]);
    assert_eq!(dispatched, sent);
}

#[tokio::test]
async fn a_wrong_type_and_a_broken_rule_are_told_together() {
    let (bus, _) = bus(Handling::Echo);

    let missing = problems(dispatch(&bus, NAME, r#"{"itemCount":10}"#, &teller()).await);
    let wrong_type = problems(dispatch(&bus, NAME, r#"{"text":"","itemCount":"1"}"#, &teller()).await);

    assert_eq!(missing, [wrong("text", "required"), wrong("itemCount", "range")]);
    assert_eq!(wrong_type, [wrong("itemCount", "type"), wrong("text", "length")]);
}

#[tokio::test]
async fn a_field_that_cannot_be_read_is_told_once() {
    let (bus, _) = bus(Handling::Echo);

    let found = problems(dispatch(&bus, NAME, r#"{"text":5}"#, &teller()).await);

    assert_eq!(found, [wrong("text", "type")]);
}

#[tokio::test]
async fn declining_outranks_whatever_else_is_wrong() {
    let (bus, _) = bus(Handling::Echo);
    let query = TellerQuery {
        text: "declined".into(),
        item_count: Some(10),
    };

    let sent = bus.send(query, &teller()).await;
    assert!(matches!(sent, Err(BusError::Declined("declined"))), "{sent:?}");

    for body in [
        r#"{"text":"declined","itemCount":10}"#,
        r#"{"text":"declined","itemCount":"x"}"#,
        r#"{"text":"declined","itemCount":1,"itemCount":2}"#,
    ] {
        let dispatched = dispatch(&bus, NAME, body, &teller()).await;
        assert!(
            matches!(dispatched, Err(BusError::Declined("declined"))),
            "{body}: {dispatched:?}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_malformed() {
    let (bus, _) = bus(Handling::Echo);

    for body in ["[]", "nul", "\"declined\"", "{", "{}{}", r#"["hello",1]"#] {
        let outcome = dispatch(&bus, NAME, body, &teller()).await;
        assert!(matches!(outcome, Err(BusError::Malformed(_))), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn what_is_just_within_the_rules_is_handled() {
    let (bus, _) = bus(Handling::Echo);

    for body in [
        r#"{"text":"a","itemCount":0}"#,
        r#"{"text":"123456789","itemCount":9}"#,
        r#"{"text":"a","x":[]}"#,
    ] {
        assert_eq!(code(&dispatch(&bus, NAME, body, &teller()).await), "00", "{body}");
    }
}
