-- Events that subscriptions have not taken yet, and the subscriptions: docs/operations.md#events.

-- `types` names the types of the events, with a space between; empty is all. Until `held_until` none is delivered; 0 is not
-- held. The events of one that is disabled wait. `why` says why it is held or disabled.
CREATE TABLE liveness_event_subscriptions (
    name        TEXT    NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 48),
    types       TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    held_until  INTEGER NOT NULL,
    is_disabled INTEGER NOT NULL CHECK (is_disabled IN (0, 1)),
    why         TEXT
) STRICT, WITHOUT ROWID;

-- One row for each subscription and event. A row is deleted when the subscription has taken the event. Of a user and a
-- subscription, the row with the smallest id goes first, whatever the others' `next_at` is. One that is dead was set aside, and
-- waits for an operator. `event_id` is the same for all subscriptions. `data` is JSON. `traceparent` is that of the
-- request that the event comes from.
CREATE TABLE liveness_events (
    id                   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    subscription         TEXT    NOT NULL,
    self_service_user_id INTEGER NOT NULL,
    event_id             TEXT    NOT NULL,
    event_type           TEXT    NOT NULL CHECK (length(event_type) BETWEEN 1 AND 64),
    data                 TEXT    NOT NULL,
    at                   INTEGER NOT NULL,
    attempts             INTEGER NOT NULL CHECK (attempts >= 0),
    next_at              INTEGER NOT NULL,
    is_dead              INTEGER NOT NULL CHECK (is_dead IN (0, 1)),
    last_error           TEXT,
    traceparent          TEXT
) STRICT;

CREATE INDEX liveness_events_due ON liveness_events (subscription, next_at, id) WHERE NOT is_dead;
CREATE INDEX liveness_events_of_user ON liveness_events (subscription, self_service_user_id, id) WHERE NOT is_dead;
CREATE INDEX liveness_events_of_subscription ON liveness_events (subscription, is_dead, id);
