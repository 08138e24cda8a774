//! The messages, and what is done with them: the same for all.

use liveness_bus::validator::{Validate, ValidationErrors};
use liveness_bus::{Access, Audit, BusError, Context, Kind, Message, Principal};
use serde::{Deserialize, Serialize};

use crate::Scenario;
use crate::numbers::{for_each_of_10, for_each_of_700};

pub(crate) const ACCESS: Access = Access::Role("teller");

pub(crate) fn teller() -> Context {
    Context::builder(Principal::new("t-1").with_role("teller")).build()
}

pub(crate) fn customer() -> Context {
    Context::builder(Principal::new("c-1").with_role("customer")).build()
}

/// A small message.
#[derive(Debug, Clone, Copy, Deserialize, Validate)]
#[validate(crate = "liveness_bus::validator")]
pub(crate) struct Add {
    #[validate(range(max = 1_000_000))]
    a: u32,
    b: u32,
}

/// As many types of it as one likes.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(crate) struct AddQuery<const N: usize>(Add);

impl<const N: usize> Validate for AddQuery<N> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.0.validate()
    }
}

/// The one that is sent when there are 10, and the one when there are 700: in the middle.
pub(crate) type OneOf10 = AddQuery<5>;
pub(crate) type OneOf700 = AddQuery<450>;

impl<const N: usize> AddQuery<N> {
    pub(crate) const EXAMPLE: Self = Self(Add { a: 40, b: 2 });
    pub(crate) const JSON: &'static str = r#"{"a":40,"b":2}"#;

    pub(crate) fn sum(self) -> u64 {
        u64::from(self.0.a) + u64::from(self.0.b)
    }

    const NAME_BYTES: [u8; 11] = {
        let mut name = *b"AddQuery000";
        let digits = [N / 100, N / 10 % 10, N % 10];
        let mut at = 0;
        while at < 3 {
            name[8 + at] = b'0' + digits[at] as u8;
            at += 1;
        }
        name
    };
}

impl<const N: usize> Message for AddQuery<N> {
    const NAME: &'static str = match str::from_utf8(&Self::NAME_BYTES) {
        Ok(name) => name,
        Err(_) => panic!("digits are ASCII"),
    };
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = ACCESS;
    const AUDIT: Audit = Audit::LogOnly;
    type Reply = u64;
}

pub(crate) async fn add<const N: usize>(message: AddQuery<N>, _: &Context) -> Result<u64, BusError> {
    Ok(message.sum())
}

/// Where the types of that message are registered, one by one.
pub(crate) trait Registry: Sized {
    fn register<const N: usize>(self) -> Self;

    fn with_10(self) -> Self {
        let mut registry = self;
        macro_rules! each {
            ($($number:literal)*) => {{ $(registry = registry.register::<$number>();)* }};
        }
        for_each_of_10!(each);
        registry
    }

    /// With the one that is sent, and the others as a [`Crowd`](crate::Crowd) registers them.
    fn with_700(self, others: fn(Self) -> Self) -> Self {
        others(self).register::<450>()
    }

    fn with_others(self) -> Self {
        let mut registry = self;
        macro_rules! each {
            ($($before:literal)*; $sent:literal; $($behind:literal)*) => {{
                $(registry = registry.register::<$before>();)*
                $(registry = registry.register::<$behind>();)*
            }};
        }
        for_each_of_700!(each);
        registry
    }
}

/// A message as they are usual: some 300 bytes of JSON, and 200 KB with the image.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
#[validate(crate = "liveness_bus::validator")]
pub(crate) struct ReportCommand {
    #[validate(length(min = 1, max = 255))]
    session_id: String,
    is_successful: bool,
    #[validate(range(max = 86_400_000))]
    session_duration: Option<u64>,
    #[validate(range(min = 0.0, max = 1.0))]
    lighting: Option<f64>,
    #[validate(length(max = 255))]
    failure_reason: Option<String>,
    #[validate(length(max = 50))]
    completed_challenges: Vec<String>,
    device: Option<String>,
    image: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reported {
    id: i64,
    session_id: String,
    image_size: usize,
}

/// The body of a scenario.
pub(crate) fn report_json(scenario: Scenario) -> String {
    ReportCommand::json(if scenario == Scenario::Named200Kb { 200_000 } else { 0 })
}

impl ReportCommand {
    fn json(image_size: usize) -> String {
        let image = (image_size > 0).then(|| {
            "iVBORw0KGgoAAAANSUhEUgAA+/A9"
                .chars()
                .cycle()
                .take(image_size)
                .collect()
        });
        let report = Self {
            session_id: "sdk-session-5f3b1c9e-7a42-4f7e-9d0c-1f2e3d4c5b6a".to_owned(),
            is_successful: true,
            session_duration: Some(4200),
            lighting: Some(0.93),
            failure_reason: None,
            completed_challenges: ["BLINK", "SMILE", "TURN_LEFT"].map(str::to_owned).to_vec(),
            device: Some("Pixel 9 Pro; Android 16; 1080x2400; app 4.12.1 (build 8841)".to_owned()),
            image,
        };
        serde_json::to_string(&report).expect("it can be written")
    }
}

impl Message for ReportCommand {
    const NAME: &'static str = "ReportCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = ACCESS;
    const AUDIT: Audit = Audit::LogOnly;
    type Reply = Reported;
}

pub(crate) async fn report(message: ReportCommand, _: &Context) -> Result<Reported, BusError> {
    Ok(Reported {
        id: 4711,
        session_id: message.session_id,
        image_size: message.image.map_or(0, |image| image.len()),
    })
}
