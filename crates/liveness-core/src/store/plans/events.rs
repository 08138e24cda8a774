//! What is asked of events and of the subscriptions to them.

use crate::store::plans::Case;
use crate::store::plans::indexes::SUBSCRIPTION;
use crate::store::tables::events::operating as events;
use crate::store::tables::events::{audience, due, ending, registering};

pub(super) const CASES: &[Case] = &[
    (
        "who listens to events",
        |conn| audience::all(conn).map(drop),
        &[LISTENERS],
    ),
    (
        "a subscription to events",
        |conn| registering::find(conn, "7").map(drop),
        &[SUBSCRIPTION],
    ),
    (
        "events that are due",
        |conn| due::longest_due(conn, "7", &[3], 16, 19_000).map(drop),
        &[(
            "liveness_events_due (subscription=? AND next_at<?)",
            "liveness_events_due",
        )],
    ),
    (
        "the first events of users",
        |conn| due::firsts(conn, "7", &[1, 2]).map(drop),
        &[
            (
                "liveness_events_of_user (subscription=? AND self_service_user_id=?)",
                "liveness_events_of_user",
            ),
            ("liveness_events USING INTEGER PRIMARY KEY", "liveness_events_of_user"),
        ],
    ),
    (
        "events that were taken",
        |conn| ending::delete(conn, &[(1, 1), (2, 2)]),
        &[EVENT],
    ),
    (
        "events that wait for another of their user",
        |conn| ending::put_off(conn, "7", 1, 1),
        &[(
            "liveness_events_of_user (subscription=? AND self_service_user_id=?)",
            "liveness_events_of_user",
        )],
    ),
    (
        "a page of events",
        |conn| events::list(conn, 10_000, 100).map(drop),
        &[EVENT],
    ),
    (
        "events that were set aside",
        |conn| events::list_set_aside(conn, "7", 1, 100).map(drop),
        &[(
            "liveness_events_of_subscription (subscription=? AND is_dead=? AND id>?)",
            "liveness_events_of_subscription",
        )],
    ),
    (
        "an event that is resent",
        |conn| events::resend(conn, 1, 1).map(drop),
        &[EVENT],
    ),
    (
        "how many events there are",
        |conn| {
            conn.execute(A_SUBSCRIPTION)?;
            events::count(conn, 1).map(drop)
        },
        &[
            LISTENERS,
            (
                "liveness_events_of_subscription (subscription=? AND is_dead=?)",
                "liveness_events_of_subscription",
            ),
        ],
    ),
    (
        "events of a subscription that ends",
        |conn| registering::next_events(conn, "7", 100).map(drop),
        &[(
            "liveness_events_of_subscription (subscription=?)",
            "liveness_events_of_subscription",
        )],
    ),
];

/// All subscriptions are read, which are few.
const LISTENERS: (&str, &str) = ("SCAN liveness_event_subscriptions", "liveness_event_subscriptions");
const EVENT: (&str, &str) = ("liveness_events USING INTEGER PRIMARY KEY", "liveness_events_pkey");
/// Adds a subscription, unless it is there.
const A_SUBSCRIPTION: &str =
    "INSERT INTO liveness_event_subscriptions VALUES ('7', '', 1, 0, FALSE, NULL) ON CONFLICT DO NOTHING";
