DROP TABLE liveness_events;
DROP TABLE liveness_event_subscriptions;
