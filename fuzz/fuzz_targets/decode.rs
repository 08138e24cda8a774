//! The bus's decoder of a body, against serde_json.
//!
//! What serde_json reads strictly is read with the same value. What is read is written and read again. What is refused is
//! refused in few words, and in none of the body's.

#![no_main]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use liveness_bus::validator::{Validate, ValidationErrors};
use liveness_bus::{
    Access, Audit, Bus, BusError, Call, Context, FieldError, Handler, Kind, Message, Module, Principal,
};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message with a field of every kind.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    customer: String,
    item_count: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_gift: Option<bool>,
    #[serde(default)]
    lines: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prices: Option<BTreeMap<i32, Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<Payment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    big: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    small: Option<i128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<(String, bool)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    article: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
enum Payment {
    Cash,
    Card { number: i64 },
    Transfer(Line),
}

/// A text that counts how often one was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Tag(String);

thread_local! { static READ_TAGS: Cell<usize> = const { Cell::new(0) }; }

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ_TAGS.set(READ_TAGS.get() + 1);
        String::deserialize(deserializer).map(Self)
    }
}

const NAMES: [&str; 17] = [
    "customer",
    "itemCount",
    "ratio",
    "note",
    "isGift",
    "lines",
    "prices",
    "payment",
    "big",
    "small",
    "tags",
    "pair",
    "extra",
    "article",
    "units",
    "number",
    "transfer",
];

impl Validate for Order {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

impl Message for Order {
    const NAME: &'static str = "Order";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = Access::Public;
    const AUDIT: Audit = Audit::LogOnly;
    type Reply = ();
}

/// Keeps the last message.
struct Keeper;

static LAST: Mutex<Option<Order>> = Mutex::new(None);
static BUS: LazyLock<Bus> = LazyLock::new(|| {
    let bus = Bus::builder()
        .module(Module::new("orders").handle::<Order>(Keeper))
        .build();
    bus.unwrap()
});
static NOBODY: LazyLock<Context> = LazyLock::new(|| Context::builder(Principal::anonymous()).build());

impl Handler<Order> for Keeper {
    async fn handle(&self, order: Order, _: &Call<'_>) -> Result<(), BusError> {
        *LAST.lock().unwrap() = Some(order);
        Ok(())
    }
}

fn read(body: &[u8]) -> Result<Order, BusError> {
    pollster::block_on(BUS.dispatch(Order::NAME, body, &NOBODY, &mut Vec::new()))?;
    Ok(LAST.lock().unwrap().take().unwrap())
}

/// A body as a tree that keeps every entry of an object.
enum Tree {
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
    Other,
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
                Ok(Tree::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
                Ok(Tree::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
                Ok(Tree::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
                Ok(Tree::Other)
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
                Ok(Tree::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
                let mut array = Vec::new();
                while let Some(element) = elements.next_element()? {
                    array.push(element);
                }
                Ok(Tree::Array(array))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
                let mut object = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    object.push(entry);
                }
                Ok(Tree::Object(object))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl Tree {
    fn depth(&self) -> usize {
        match self {
            Self::Array(array) => 1 + array.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(object) => 1 + object.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            Self::Text(_) | Self::Other => 0,
        }
    }

    /// Whether the decoder and serde_json agree on what it means by `docs/api.md#transport`: names are written exactly and
    /// given once, no text is empty, no object is written as an array, and no string has a character that is refused.
    fn is_plain(&self) -> bool {
        match self {
            Self::Other => true,
            Self::Text(text) => !text.is_empty() && is_plain_text(text),
            Self::Array(array) => array
                .iter()
                .all(|element| !matches!(element, Self::Array(_)) && element.is_plain()),
            Self::Object(object) => object.iter().enumerate().all(|(at, (key, value))| {
                let is_same = |name: &str| name.eq_ignore_ascii_case(key);
                let is_list = matches!(key.as_str(), "lines" | "tags" | "pair" | "extra");
                is_plain_text(key)
                    && NAMES.iter().all(|name| !is_same(name) || name == key)
                    && object[..at].iter().all(|(other, _)| !is_same(other))
                    && (is_list || !matches!(value, Self::Array(_)))
                    && value.is_plain()
            }),
        }
    }
}

fn is_plain_text(text: &str) -> bool {
    let is_refused = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r') || c == char::REPLACEMENT_CHARACTER;
    !text.contains(is_refused)
}

/// The value that every reader of JSON agrees on, if there is one.
fn strictly(body: &[u8]) -> Option<Order> {
    let tree: Tree = serde_json::from_slice(body).ok()?;
    let commas = body.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count();
    let is_agreed = matches!(tree, Tree::Object(_)) && tree.is_plain() && tree.depth() <= 64 && commas <= 10_000;
    serde_json::from_slice(body).ok().filter(|_| is_agreed)
}

/// Numbers with a fraction that serde_json has read may differ from what was written, in the last bit.
fn is_same(one: &Order, other: &Order) -> bool {
    let difference = match (one.ratio, other.ratio) {
        (None, None) => 0.0,
        (Some(one), Some(other)) => (one - other).abs() / one.abs().max(f64::MIN_POSITIVE),
        _ => return false,
    };
    let without = |order: &Order| Order {
        ratio: None,
        extra: order.extra.clone().filter(|_| false),
        ..order.clone()
    };
    difference < 1e-15 && one.extra.is_some() == other.extra.is_some() && without(one) == without(other)
}

fn check_problems(problems: &[FieldError]) {
    const MUST_BE: [&str; 10] = [
        "given",
        "given once",
        "an integer",
        "a number",
        "a number of 64 bits",
        "a string",
        "a boolean",
        "an array",
        "an object",
        "one of `cash`, `card`, `transfer`",
    ];
    const OTHERS: [&str; 6] = [
        "must not hold half of a surrogate pair",
        "must not contain control characters but tab, line feed and carriage return",
        "is not as it should be",
        "must be a tuple of size 2",
        "must be string or map",
        "must be null",
    ];
    assert!(!problems.is_empty() && problems.len() <= 100);
    for FieldError { field, message, .. } in problems {
        let is_known = message
            .strip_prefix("must be ")
            .is_some_and(|words| MUST_BE.contains(&words) || is_bound(words));
        assert!(is_known || OTHERS.contains(&&**message), "{message}");
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '?' | '.' | '[' | ']');
        assert!(field.len() <= 64 * 66 && field.chars().all(is_name), "{field}");
    }
}

/// The bound of an integer: `at most 255`.
fn is_bound(words: &str) -> bool {
    let number = words
        .strip_prefix("at most ")
        .or_else(|| words.strip_prefix("at least "));
    number.is_some_and(|number| number.parse::<i128>().is_ok() || number.parse::<u128>().is_ok())
}

fuzz_target!(|body: &[u8]| {
    READ_TAGS.set(0);
    let found = read(body);
    // A body is read a few times at most, however much is wrong with it.
    assert!(READ_TAGS.get() <= 4 * body.len());
    if let Some(expected) = strictly(body) {
        let found = found.as_ref().expect("serde_json reads it");
        assert!(is_same(found, &expected), "{found:?} is not {expected:?}");
    }
    match found {
        Ok(order) => {
            let written = serde_json::to_vec(&order).unwrap();
            let again = read(&written).expect("what was read can be read again");
            assert!(is_same(&again, &order), "{again:?} is not {order:?}");
        }
        Err(BusError::Invalid(problems)) => check_problems(&problems),
        Err(BusError::Malformed(text)) => assert!(text.len() <= 160 && text.starts_with("the body "), "{text}"),
        Err(other) => panic!("{other:?}"),
    }
});
