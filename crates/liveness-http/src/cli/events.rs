//! `events`: lists events that were not delivered, and has those sent again that were set aside.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use liveness_core::store::{EventCounts, EventState, Store, StoredEvent};
use serde_json::json;

use super::closing::close;
use super::failure::Failure;
use super::output_format::{OutputFormat, printable};
use crate::config::DatabaseConfig;
use crate::operator::Operator;
use crate::trail_key;
use crate::webhooks::SUBSCRIPTION;

/// How many events are read or changed at a time.
const STEP: u32 = 200;

const LIST_EXAMPLES: &str = "\
First the subscriptions are listed: webhooks is that of LIVENESS_WEBHOOK_URL. Then follow
the events that wait or were set aside, after ten attempts. An event that was delivered
is not listed. With --format json, each event is a line, without the subscriptions.

Examples:
  liveness-http events list
  liveness-http events list --set-aside --format json";

const RESEND_EXAMPLES: &str = "\
Mend first what the last error says. A server then sends the event within a second, and
it has all its attempts again.

Examples:
  liveness-http events resend 17
  liveness-http events resend --all";

const ENABLE_EXAMPLES: &str = "\
A receiver that answers 410 gets no events any more. They are kept, and this sends them.
It also ends a wait that the receiver has asked for.

Examples:
  liveness-http events enable";

const END_EXAMPLES: &str = "\
When LIVENESS_WEBHOOK_URL was taken away on all nodes, events are still kept. This ends
it, and deletes those that wait and those that were set aside. A server that runs with
LIVENESS_WEBHOOK_URL keeps none from then on, and keeps them again when it starts anew.

Examples:
  liveness-http events end";

#[derive(Subcommand)]
pub(super) enum Events {
    /// List the events that wait or were set aside.
    #[command(after_help = LIST_EXAMPLES)]
    List(List),

    /// Have an event sent again that was set aside.
    #[command(after_help = RESEND_EXAMPLES)]
    Resend(Resend),

    /// Send again after the receiver has answered 410.
    #[command(after_help = ENABLE_EXAMPLES)]
    Enable(Whole),

    /// Keep no more events for webhooks, and delete those that are kept.
    #[command(after_help = END_EXAMPLES)]
    End(Whole),
}

/// Which events to list.
#[derive(Args)]
pub(super) struct List {
    /// List only those that were set aside.
    #[arg(long)]
    set_aside: bool,

    /// For people, or one JSON object a line.
    #[arg(long, value_enum, default_value = "text")]
    format: OutputFormat,

    #[command(flatten)]
    database: DatabaseConfig,
}

/// Which events to have sent again.
#[derive(Args)]
pub(super) struct Resend {
    /// The number of the event, as `events list` shows it.
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = clap::value_parser!(i64).range(1..))]
    number: Option<i64>,

    /// All events that were set aside.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    database: DatabaseConfig,
}

/// The subscription of webhooks as a whole.
#[derive(Args)]
pub(super) struct Whole {
    #[command(flatten)]
    database: DatabaseConfig,
}

impl Events {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run().await,
            Self::Resend(resend) => resend.run().await,
            Self::Enable(Whole { database }) => {
                change(&database, "events enable", |store| {
                    let is_there = store.events().enable(SUBSCRIPTION)?;
                    Ok(is_there.then_some("webhooks are sent again"))
                })
                .await
            }
            Self::End(Whole { database }) => {
                change(&database, "events end", |store| {
                    let was_there = store.events().unsubscribe(SUBSCRIPTION)?;
                    Ok(was_there
                        .then_some("no events are kept for webhooks until a server starts with LIVENESS_WEBHOOK_URL"))
                })
                .await
            }
        }
    }
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let store = self.database.open_up_to_date()?;
        let mut out = io::stdout().lock();
        if matches!(self.format, OutputFormat::Text) {
            write_subscriptions(&mut out, &store.events().count()?)?;
        }
        let mut after = 0;
        loop {
            let events = store.events().list(after, STEP).await?;
            let Some(last) = events.last() else { break };
            after = last.number;
            for event in events
                .iter()
                .filter(|event| !self.set_aside || event.state == EventState::SetAside)
            {
                self.write(&mut out, event)?;
            }
        }
        out.flush()?;
        close(&store);
        Ok(())
    }

    fn write(&self, out: &mut impl Write, stored: &StoredEvent) -> io::Result<()> {
        let event = &stored.event;
        let (state, next_at) = (stored.state.name(), stored.next_at.to_string());
        match self.format {
            OutputFormat::Json => {
                let object = json!({
                    "number": stored.number,
                    "state": state,
                    "subscription": stored.subscription,
                    "id": event.id.as_str(),
                    "type": event.event_type,
                    "userId": event.self_service_user_id,
                    "at": event.at.to_string(),
                    "attempts": event.attempts,
                    "nextAt": next_at,
                    "lastError": stored.last_error,
                });
                writeln!(out, "{object}")
            }
            OutputFormat::Text => {
                let (number, id, attempts) = (stored.number, event.id.as_str(), event.attempts);
                let (event_type, name) = (printable(&event.event_type), printable(&stored.subscription));
                let error = printable(stored.last_error.as_deref().unwrap_or("-"));
                writeln!(
                    out,
                    "{number:>8}  {state:9}  {name:12}  {event_type:24}  {id:26}  {attempts:>8}  {next_at:24}  {error}"
                )
            }
        }
    }
}

/// Writes the subscriptions, and the head of the table of events.
fn write_subscriptions(out: &mut impl Write, all: &[EventCounts]) -> io::Result<()> {
    for counts in all {
        let name = printable(&counts.subscription);
        let state = match (counts.is_disabled, counts.held_until) {
            (true, _) => "disabled".to_owned(),
            (false, Some(until)) => format!("held until {until}"),
            (false, None) => "active".to_owned(),
        };
        let why = counts.why.as_deref().filter(|_| state != "active");
        let why = why.map(|why| format!(" ({})", printable(why))).unwrap_or_default();
        let (waiting, set_aside) = (counts.waiting, counts.set_aside);
        writeln!(out, "{name}: {state}{why}; {waiting} wait, {set_aside} were set aside")?;
    }
    let [number, state, name, event_type, id, attempts, next_at] =
        ["NUMBER", "STATE", "SUBSCRIPTION", "TYPE", "ID", "ATTEMPTS", "NEXT AT"];
    writeln!(
        out,
        "{number:>8}  {state:9}  {name:12}  {event_type:24}  {id:26}  {attempts:>8}  {next_at:24}  LAST ERROR"
    )
}

impl Resend {
    async fn run(self) -> Result<(), Failure> {
        const COMMAND: &str = "events resend";
        let store = self.database.open_up_to_date()?;
        trail_key::sign_entries(&store, &self.database)?;
        let operator = Operator::current()?;
        let which = match self.number {
            Some(number) => format!("event {number}"),
            None => "all that were set aside".to_owned(),
        };
        operator.audit_step(&store, COMMAND, which.clone(), None).await?;
        let many = match self.number {
            Some(number) => u64::from(store.events().resend(number)?),
            None => resend_all(&store)?,
        };
        operator
            .audit_step(&store, COMMAND, format!("done; {which}"), Some(many))
            .await?;
        close(&store);
        let mut out = io::stdout().lock();
        match (self.number, many) {
            (Some(number), 0) => {
                return Err(Failure::of(format!(
                    "event {number} was not set aside, or is not there; `events list --set-aside` shows those that were"
                )));
            }
            (Some(number), _) => writeln!(out, "event {number} is sent again, with all its attempts")?,
            (None, many) => writeln!(out, "{many} events are sent again, with all their attempts")?,
        }
        Ok(out.flush()?)
    }
}

/// Has all events sent again that were set aside, and returns how many these were.
fn resend_all(store: &Store) -> Result<u64, Failure> {
    let mut many = 0;
    for counts in store.events().count()? {
        loop {
            let some = store.events().resend_some(&counts.subscription, STEP)?;
            many += some;
            if some == 0 {
                break;
            }
        }
    }
    Ok(many)
}

/// Changes the subscription of webhooks, and prints what was done.
async fn change(
    database: &DatabaseConfig,
    command: &'static str,
    change: impl Fn(&Store) -> Result<Option<&'static str>, Failure>,
) -> Result<(), Failure> {
    let store = database.open_up_to_date()?;
    trail_key::sign_entries(&store, database)?;
    let operator = Operator::current()?;
    operator
        .audit_step(&store, command, SUBSCRIPTION.to_owned(), None)
        .await?;
    let done = change(&store)?;
    let count = done.is_some().into();
    operator
        .audit_step(&store, command, format!("done; {SUBSCRIPTION}"), Some(count))
        .await?;
    close(&store);
    let done = done
        .ok_or_else(|| Failure::of("no events are kept for webhooks: no server has begun with LIVENESS_WEBHOOK_URL since `events end`, if that was run"))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{done}")?;
    Ok(out.flush()?)
}
