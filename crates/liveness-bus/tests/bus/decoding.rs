//! How a body is read into a message of an embedding backend: names, numbers, empty texts, and what is told of the rest.

#![expect(
    clippy::unwrap_used,
    reason = "a lock that is poisoned, or a bus with a mistake, ends the test"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use liveness_bus::{Access, Audit, Bus, BusError, Call, Handler, Kind, Message, Module, Received};
use serde::Deserialize;
use serde_json::{Value, json};
use validator::Validate;

use crate::messages::{code, nobody, problems};

/// A message with a field of every kind. What it validates is not of interest here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderQuery {
    customer: String,
    item_count: u8,
    ratio: Option<f64>,
    note: Option<String>,
    is_gift: Option<bool>,
    #[serde(default)]
    lines: Vec<Line>,
    prices: Option<HashMap<i32, Line>>,
    payment: Option<Payment>,
    big: Option<u64>,
    small: Option<i128>,
    #[serde(alias = "colour")]
    color: Option<String>,
    id: Option<Id>,
    extra: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    article_name: String,
    unit_count: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Payment {
    Cash,
    Card {
        #[serde(rename = "cardNumber")]
        card_number: i64,
    },
    Transfer(Line),
}

/// A type that reads itself from a text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct Id(u32);

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.strip_prefix("id-")
            .and_then(|number| number.parse().ok())
            .map(Self)
            .ok_or("not the form of an id")
    }
}

impl Validate for OrderQuery {
    fn validate(&self) -> Result<(), validator::ValidationErrors> {
        Ok(())
    }
}

impl Message for OrderQuery {
    const NAME: &'static str = "OrderQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = Access::Public;
    const AUDIT: Audit = Audit::LogOnly;
    type Reply = ();
}

/// Keeps the messages that it gets.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Vec<OrderQuery>>>);

impl Handler<OrderQuery> for Keeper {
    async fn handle(&self, query: OrderQuery, _: &Call<'_>) -> Result<(), BusError> {
        self.0.lock().unwrap().push(query);
        Ok(())
    }
}

async fn dispatch(body: &[u8]) -> Result<OrderQuery, BusError> {
    let keeper = Keeper::default();
    let module = Module::new("orders").handle::<OrderQuery>(keeper.clone());
    let bus = Bus::builder().module(module).build().unwrap();
    bus.dispatch(OrderQuery::NAME, body, &nobody(), &mut Vec::new()).await?;
    let order = keeper.0.lock().unwrap().pop().unwrap();
    Ok(order)
}

async fn order(fields: &str) -> OrderQuery {
    let body = format!(r#"{{"customer":"a","itemCount":1{fields}}}"#);
    dispatch(body.as_bytes())
        .await
        .unwrap_or_else(|error| panic!("{body}: {error:?}"))
}

async fn wrong(fields: &str) -> Vec<(String, String)> {
    problems(dispatch(format!(r#"{{"customer":"a","itemCount":1{fields}}}"#).as_bytes()).await)
}

fn told<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.map(|(field, code)| (field.to_owned(), code.to_owned())).into()
}

#[tokio::test]
async fn names_match_without_case_at_every_level() {
    let plain = br#"{"customer":"a","itemCount":2,"isGift":true,"lines":[{"articleName":"x","unitCount":3}],
        "prices":{"7":{"articleName":"y"}},"payment":{"card":{"cardNumber":5}}}"#;
    let other = br#"{"Customer":"a","ITEMCOUNT":2,"IsGift":true,"Lines":[{"ArticleName":"x","unitcount":3}],
        "PRICES":{"7":{"ArticleName":"y"}},"Payment":{"card":{"CARDnumber":5}}}"#;
    let escaped =
        br#"{"\u0043ustomer":"a","ItemC\u006funt":2,"isGift":true,"lines":[{"\u0041rticleName":"x","unitCount":3}],
        "prices":{"7":{"articleName":"y"}},"payment":{"card":{"cardNumber":5}}}"#;

    let expected = dispatch(plain).await.unwrap();
    assert_eq!(expected.lines[0].unit_count, Some(3));
    assert_eq!(dispatch(other).await.unwrap(), expected);
    assert_eq!(dispatch(escaped).await.unwrap(), expected);
    assert_eq!(
        order(r#","PAYMENT":{"transfer":{"ARTICLENAME":"z"}}"#).await.payment,
        order(r#","payment":{"transfer":{"articleName":"z"}}"#).await.payment
    );
    assert_eq!(order(r#","Colour":"red""#).await.color.as_deref(), Some("red"));
}

#[tokio::test]
async fn only_ascii_letters_have_a_case() {
    // The Kelvin sign is a K to some.
    assert_eq!(order(",\"\u{212A}\":1,\"\u{131}sGift\":true").await.is_gift, None);
}

#[tokio::test]
async fn a_name_given_twice_is_told_in_whatever_cases_and_wherever() {
    let cases = [
        (r#","CUSTOMER":"b""#, "customer"),
        (r#","note":null,"Note":null"#, "note"),
        (
            r#","lines":[{"articleName":"x","ArticleName":"x"}]"#,
            "lines[0].articleName",
        ),
        (
            r#","prices":{"7":{"articleName":"x","unitCount":1,"UNITCOUNT":2}}"#,
            "prices.7.unitCount",
        ),
        (
            r#","payment":{"card":{"cardNumber":1,"CardNumber":1}}"#,
            "payment.cardNumber",
        ),
        (r#","color":"red","colour":"blue""#, "color"),
    ];
    for (fields, field) in cases {
        assert_eq!(wrong(fields).await, told([(field, "duplicate")]), "{fields}");
    }
    assert_eq!(order(r#","x":1,"X":2,"x":3"#).await, order("").await);
}

#[tokio::test]
async fn whole_numbers_are_exact_however_they_are_written() {
    assert_eq!(
        order(r#","big":18446744073709551615.0,"small":-1.5e1,"lines":[{"articleName":"x","unitCount":9007199254740993.0}]"#)
            .await,
        order(r#","big":18446744073709551615,"small":-15,"lines":[{"articleName":"x","unitCount":9007199254740993}]"#).await
    );
    for (fields, field, code) in [
        (r#","big":18446744073709551616"#, "big", "range"),
        (r#","big":-1"#, "big", "range"),
        (r#","big":1e400"#, "big", "range"),
        (r#","small":-1e400"#, "small", "range"),
        (r#","big":0.5"#, "big", "type"),
        (r#","big":"1""#, "big", "type"),
        (r#","big":true"#, "big", "type"),
        (r#","small":4200.00000000000000000000000001"#, "small", "type"),
        (
            r#","lines":[{"articleName":"x","unitCount":9223372036854775808}]"#,
            "lines[0].unitCount",
            "range",
        ),
    ] {
        assert_eq!(wrong(fields).await, told([(field, code)]), "{fields}");
    }
    let body = br#"{"customer":"a","itemCount":256}"#;
    assert_eq!(problems(dispatch(body).await), told([("itemCount", "range")]));
    assert_eq!(order(r#","ratio":4.5e-1"#).await.ratio, Some(0.45));
}

#[tokio::test]
async fn an_empty_text_is_absent_where_a_text_is_optional_and_a_wrong_type_elsewhere() {
    assert_eq!(order(r#","note":"","colour":"","id":"""#).await, order("").await);
    assert_eq!(
        wrong(r#","big":"","isGift":"","lines":"","ratio":"","payment":"""#).await,
        told([
            ("big", "type"),
            ("isGift", "type"),
            ("lines", "type"),
            ("payment", "type"),
            ("ratio", "type"),
        ])
    );
    let required = dispatch(br#"{"customer":"","itemCount":1}"#).await;
    assert_eq!(required.unwrap().customer, "");
}

#[tokio::test]
async fn what_is_missing_and_what_is_wrong_are_told_in_one_answer() {
    let body = br#"{"note":5,"id":"x","lines":[{"unitCount":true},{"articleName":7},{}],"payment":{"card":{}}}"#;
    assert_eq!(
        problems(dispatch(body).await),
        told([
            ("id", "type"),
            ("lines[0].unitCount", "type"),
            ("lines[1].articleName", "type"),
            ("note", "type"),
            ("customer", "required"),
            ("itemCount", "required"),
            ("lines[0].articleName", "required"),
            ("lines[2].articleName", "required"),
            ("payment.cardNumber", "required"),
        ])
    );
}

#[tokio::test]
async fn a_variant_that_there_is_not_is_told_with_those_that_there_are() {
    let refused = dispatch(br#"{"customer":"a","itemCount":1,"payment":"SECRET"}"#).await;
    let Err(BusError::Invalid(errors)) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(errors[0].field, "payment");
    assert_eq!(errors[0].message, "must be one of `cash`, `card`, `transfer`");
}

#[tokio::test]
async fn a_byte_order_mark_null_and_white_space_are_no_fault() {
    let (bus, _) = crate::messages::bus(crate::messages::Handling::Echo);
    for body in [
        "",
        " ",
        "\r\n\t ",
        "null",
        " null\n",
        "\u{feff}",
        "\u{feff}null",
        "\u{feff} {}",
    ] {
        let answer = crate::messages::dispatch(&bus, "TellerQuery", body, &crate::messages::teller()).await;
        assert_eq!(problems(answer), told([("text", "required")]), "{body:?}");
    }
    let marked = dispatch("\u{feff}{\"customer\":\"a\",\"itemCount\":1}".as_bytes()).await;
    assert_eq!(code(&marked), "00");
    for body in [
        "nul",
        "NULL",
        "null null",
        "\u{a0}{}",
        "\u{c}{}",
        "\u{feff}\u{feff}{}",
        "{}\u{feff}",
    ] {
        let refused = dispatch(body.as_bytes()).await;
        assert!(matches!(refused, Err(BusError::Malformed(_))), "{body:?}: {refused:?}");
    }
}

#[tokio::test]
async fn half_a_surrogate_pair_is_replaced_where_no_field_is_known_and_told_where_one_is() {
    let kept = order(r#","x":"\ud83d","y":["\uDE00\uD83D"],"\udc00":1,"note":"\ud83d\ude00 \\ud83d""#).await;
    assert_eq!(kept.note.as_deref(), Some("\u{1f600} \\ud83d"));

    for (fields, field) in [
        (r#","note":"a\ud83d""#, "note"),
        (r#","Note":"\ude00\ud83d""#, "note"),
        (r#","lines":[{"articleName":"\ud83dx"}]"#, "lines[0].articleName"),
        (
            r#","prices":{"7":{"articleName":"\ud83d\u0041"}}"#,
            "prices.7.articleName",
        ),
        (r#","id":"\udfff""#, "id"),
    ] {
        assert_eq!(wrong(fields).await, told([(field, "surrogate")]), "{fields}");
    }
    assert_eq!(order(r#","note":"\ufffd""#).await.note.as_deref(), Some("\u{fffd}"));
}

#[tokio::test]
async fn what_any_json_is_read_into_is_as_it_was_sent() {
    let extra = order(r#","Extra":{"A":1.0,"a":[true,null,"\u00e9"]}"#).await.extra;
    assert_eq!(extra, Some(json!({"A": 1.0, "a": [true, null, "é"]})));
    assert_eq!(
        wrong(r#","extra":["\u0000"]"#).await,
        told([("extra[0]", "control_character")])
    );
}

thread_local! {
    static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// An integer that counts how often one is read.
#[derive(Debug, Clone, Default)]
struct Counted;

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.set(READ.get() + 1);
        i64::deserialize(deserializer).map(|_| Self)
    }
}

#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[expect(dead_code, reason = "only how often they are read counts")]
struct Inner {
    counted: Option<Vec<Counted>>,
    flag: Option<bool>,
}

#[derive(Debug, Clone, Deserialize, Validate)]
#[expect(dead_code, reason = "only how often they are read counts")]
struct CountedQuery {
    counted: Option<Vec<Counted>>,
    #[validate(nested)]
    inner: Option<Received<Inner>>,
    map: Option<BTreeMap<String, bool>>,
    flag: Option<bool>,
    id: Option<Id>,
    other_id: Option<Id>,
    name: String,
    title: String,
}

impl Message for CountedQuery {
    const NAME: &'static str = "CountedQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = Access::Public;
    const AUDIT: Audit = Audit::LogOnly;
    type Reply = ();
}

struct Nothing;

impl Handler<CountedQuery> for Nothing {
    async fn handle(&self, _: CountedQuery, _: &Call<'_>) -> Result<(), BusError> {
        Ok(())
    }
}

/// How many values are read of a body.
async fn work(body: &str) -> usize {
    let module = Module::new("counted").handle::<CountedQuery>(Nothing);
    let bus = Bus::builder().module(module).build().unwrap();
    READ.set(0);
    let answer = bus
        .dispatch(CountedQuery::NAME, body.as_bytes(), &nobody(), &mut Vec::new())
        .await;
    assert_eq!(code(&answer) == "00", !body.contains('!'), "{answer:?}");
    READ.get()
}

#[tokio::test]
async fn no_refusal_costs_more_than_five_times_the_good_body_of_its_size() {
    let numbers = vec!["1"; 1_000].join(",");
    let texts = vec![r#""!""#; 1_000].join(",");
    let body =
        |list: &str, inner: &str, rest: &str| format!(r#"{{"counted":[{list}],"inner":{{"counted":[{inner}]{rest}}}"#);
    let good = work(&body(&numbers, &numbers, r#"},"name":"a","title":"b""#)).await;
    assert_eq!(good, 2_000);

    for (list, inner, rest) in [
        (&numbers, &numbers, r#"},"name":"!""#),
        (&numbers, &numbers, r#"}"#),
        (&numbers, &numbers, r#"},"name":"!","title":"b","flag":5"#),
        (&texts, &numbers, r#"},"name":"a","title":"b""#),
        (&numbers, &texts, r#"},"name":"a","title":"b""#),
        (&texts, &texts, r#"},"name":"a","title":"b""#),
        (&texts, &texts, r#","flag":"!"},"name":5,"title":5,"flag":"!""#),
        (
            &texts,
            &texts,
            r#","flag":"!","flag":1},"id":"!","other_id":"!","flag":"!","map":{"a":"!"}"#,
        ),
        (
            &texts,
            &texts,
            r#","x":"\u0000"},"name":"a","title":"b","flag":"!","y":"\u0000""#,
        ),
    ] {
        // A body that is refused is known by this mark.
        let marked = body(list, inner, rest).replace("\"inner\"", "\"!\":1,\"inner\"");
        let refused = work(&marked).await;
        assert!(refused <= 5 * good, "{refused} values for {rest}");
    }
}
