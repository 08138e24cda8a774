//! Which audit entries a message leaves, and when they are written.

use liveness_bus::{AuditEntry, AuditSink, AuditSubject, Bus, BusError, Cause, Principal, ReplyWriter, async_trait};

use crate::messages::{
    BrokenSink, Handling, Shared, bus, code, context_of, customer_principal, dispatch, module, nobody, teller,
};

const GOOD: &str = r#"{"text":"hello"}"#;

/// The outcomes of the entries that one message leaves.
async fn left_by(handling: Handling, name: &str, body: &str, principal: Principal) -> Vec<String> {
    let (bus, entries) = bus(handling);
    // Other tests check the reply. These check only the entries.
    let _outcome = dispatch(&bus, name, body, &context_of(principal).build()).await;
    entries.outcomes().into_iter().map(|(_, outcome)| outcome).collect()
}

fn a_teller() -> Principal {
    Principal::new("t-1").with_role("teller")
}

#[tokio::test]
async fn with_record_leaves_none_when_the_handler_wrote_the_entry() {
    assert_eq!(
        left_by(Handling::WriteEntry, "TellerCommand", GOOD, a_teller()).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn with_record_leaves_one_when_the_handler_wrote_none() {
    assert_eq!(left_by(Handling::Echo, "TellerCommand", GOOD, a_teller()).await, ["00"]);
}

#[tokio::test]
async fn to_ask_for_the_entry_is_not_to_write_it() {
    assert_eq!(
        left_by(Handling::OnlyAsk, "TellerCommand", GOOD, a_teller()).await,
        ["00"]
    );
}

#[tokio::test]
async fn with_record_leaves_one_when_the_handler_wrote_the_entry_and_failed() {
    assert_eq!(
        left_by(Handling::WriteEntryAndFail, "TellerCommand", GOOD, a_teller()).await,
        ["94"]
    );
}

#[tokio::test]
async fn what_is_refused_leaves_one_with_its_code() {
    for name in ["TellerCommand", "TellerQuery"] {
        for (body, expected) in [
            (r#"{"text":""}"#, "30"),
            ("no JSON", "30"),
            (r#"{"text":"declined"}"#, "05"),
        ] {
            assert_eq!(
                left_by(Handling::Echo, name, body, a_teller()).await,
                [expected],
                "{name} {body}"
            );
        }
        assert_eq!(
            left_by(Handling::Echo, name, GOOD, Principal::new("x")).await,
            ["57"],
            "{name}"
        );
    }
}

#[tokio::test]
async fn log_only_leaves_none() {
    for body in [GOOD, "no JSON"] {
        assert_eq!(
            left_by(Handling::Echo, "LoggedCommand", body, a_teller()).await,
            Vec::<String>::new()
        );
    }
    assert_eq!(
        left_by(Handling::Panic, "LoggedCommand", GOOD, a_teller()).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_nobody_sends_leaves_none() {
    for name in ["TellerCommand", "TellerQuery"] {
        assert_eq!(
            left_by(Handling::Echo, name, GOOD, Principal::anonymous()).await,
            Vec::<String>::new()
        );
    }
}

#[tokio::test]
async fn an_entry_tells_who_what_and_concerning_whom() {
    let (bus, entries) = bus(Handling::Echo);
    let sender = a_teller().with_role("Auditor");
    let sender = sender.with_issuer("https://issuer.example").with_actor("clerk-2");
    let context = context_of(sender)
        .client_address(Some("41.58.12.100".parse().unwrap()))
        .build();

    dispatch(&bus, "TellerQuery", r#"{"text":"hello","itemCount":5}"#, &context)
        .await
        .unwrap();

    let [entry] = <[AuditEntry; 1]>::try_from(entries.all()).unwrap();
    let expected = AuditEntry {
        at: entry.at,
        request_id: "r-1".into(),
        principal: "t-1".into(),
        issuer: Some("https://issuer.example".into()),
        actor: Some("clerk-2".into()),
        roles: "teller,auditor".into(),
        self_service_user_id: Some(5),
        message: "TellerQuery".into(),
        outcome: "00".into(),
        client_address: Some("41.58.12.100".parse().unwrap()),
        subject: AuditSubject::default(),
    };
    assert_eq!(entry, expected);
}

#[tokio::test]
async fn a_user_who_sends_what_is_not_about_them_is_not_the_one_concerned() {
    let (bus, entries) = bus(Handling::Echo);
    let context = context_of(customer_principal().with_role("teller")).build();

    dispatch(&bus, "TellerQuery", GOOD, &context).await.unwrap();

    assert_eq!(entries.all()[0].self_service_user_id, None);
}

/// Notes the entry and the reply in the order in which they are written.
#[derive(Clone, Default)]
struct Order(Shared<&'static str>, Vec<u8>);

#[async_trait]
impl AuditSink for Order {
    async fn append(&self, _: AuditEntry) -> Result<(), Cause> {
        self.0.push("entry");
        Ok(())
    }
}

impl ReplyWriter for Order {
    fn begin(&mut self, _: Option<&'static str>) {
        self.0.push("begin");
    }

    fn buffer(&mut self) -> &mut Vec<u8> {
        self.0.push("reply");
        &mut self.1
    }

    fn end(&mut self) {
        self.0.push("end");
    }
}

#[tokio::test]
async fn the_entry_is_written_before_the_reply_is_released() {
    let mut order = Order::default();
    let bus = Bus::builder()
        .module(module(Handling::Echo))
        .audit_sink(order.clone())
        .build()
        .unwrap();

    bus.dispatch("TellerQuery", GOOD.as_bytes(), &teller(), &mut order)
        .await
        .unwrap();

    assert_eq!(order.0.all(), ["entry", "begin", "reply", "end"]);
}

#[tokio::test]
async fn who_cannot_be_audited_sees_nothing() {
    let bus = Bus::builder()
        .module(module(Handling::Echo))
        .audit_sink(BrokenSink)
        .build()
        .unwrap();
    let mut out = b"as it was".to_vec();

    let outcome = bus.dispatch("TellerQuery", GOOD.as_bytes(), &teller(), &mut out).await;
    let refused = dispatch(&bus, "TellerQuery", "no JSON", &teller()).await;

    assert!(matches!(outcome, Err(BusError::Unavailable(_))), "{outcome:?}");
    assert_eq!(out, b"as it was");
    assert!(matches!(refused, Err(BusError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn of_a_command_that_was_done_nobody_is_told_that_it_was_not() {
    let bus = Bus::builder()
        .module(module(Handling::Echo))
        .audit_sink(BrokenSink)
        .build()
        .unwrap();

    let done = dispatch(&bus, "TellerCommand", GOOD, &teller()).await;
    let refused = dispatch(&bus, "TellerCommand", "no JSON", &teller()).await;

    assert!(matches!(done, Err(BusError::OutcomeUnknown(_))), "{done:?}");
    assert!(matches!(refused, Err(BusError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_broken_sink_is_not_in_the_way_of_what_needs_no_entry() {
    let bus = Bus::builder()
        .module(module(Handling::WriteEntry))
        .audit_sink(BrokenSink)
        .build()
        .unwrap();

    let taken = dispatch(&bus, "TellerCommand", GOOD, &teller()).await;
    let logged = dispatch(&bus, "LoggedCommand", GOOD, &teller()).await;
    let of_nobody = dispatch(&bus, "TellerQuery", GOOD, &nobody()).await;

    assert_eq!([code(&taken), code(&logged), code(&of_nobody)], ["00", "00", "63"]);
}
