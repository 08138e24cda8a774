//! The outcome of a delivery, as it is written to the database.

use std::time::Duration;

use super::receiver::{Delivered, EventReceiver};
use crate::events::Event;
use crate::jobs::{jitter, millis};
use crate::store::engine::clock;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::events::{ending, registering};

/// The outcome of one delivery, as it is written to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome<'a> {
    Taken,
    Retry(Duration, &'a str),
    SetAside(&'a str),
    Hold(Duration, &'a str),
    Disable(&'a str),
}

/// What is to be written.
pub(super) fn outcome<'a>(receiver: &dyn EventReceiver, event: &Event, delivered: &'a Delivered) -> Outcome<'a> {
    match delivered {
        Delivered::Taken => Outcome::Taken,
        Delivered::Failed(why) => match receiver.backoff().after(event.attempts + 1, jitter()) {
            Some(after) => Outcome::Retry(after, why),
            None => Outcome::SetAside(why),
        },
        Delivered::Retry { after, why } => Outcome::Retry(*after, why),
        Delivered::SetAside(why) => Outcome::SetAside(why),
        Delivered::Hold { after, why } => Outcome::Hold(*after, why),
        Delivered::Disable(why) => Outcome::Disable(why),
    }
}

/// Writes what came of events.
pub(super) fn write(
    conn: &mut Connection<'_>,
    subscription: &str,
    outcomes: &[(&Event, Outcome<'_>)],
) -> Result<(), StoreError> {
    let taken = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Taken);
    let taken: Vec<_> = taken
        .map(|(event, _)| (event.row, event.self_service_user_id))
        .collect();
    ending::delete(conn, &taken)?;
    for (event, outcome) in outcomes {
        match *outcome {
            Outcome::Taken => {}
            Outcome::Retry(after, why) => {
                let next_at = later(conn, after)?;
                ending::fail(conn, subscription, event, next_at, why)?;
            }
            Outcome::SetAside(why) => ending::set_aside(conn, event, why)?,
            Outcome::Hold(after, why) => {
                let until = later(conn, after)?;
                registering::hold(conn, subscription, until, why)?;
            }
            Outcome::Disable(why) => registering::disable(conn, subscription, why)?,
        }
    }
    Ok(())
}

/// The time after so long, by the clock of the database.
fn later(conn: &mut Connection<'_>, after: Duration) -> Result<i64, StoreError> {
    Ok(clock::now(conn)?.saturating_add(millis(after)))
}
