//! Tests of the messages, by `send` and by `dispatch`, as `docs/api.md` describes them. There is no HTTP.

mod access;
mod any_json;
mod attempts;
mod audit;
mod debug;
mod decisions;
mod described;
mod documented;
mod erasures;
mod events;
mod fields;
mod fields_together;
mod get_liveness_check;
mod get_user_liveness_check;
mod idempotency;
mod images;
mod kept;
mod looks;
mod names;
mod recording;
mod report;
mod retrieve_liveness_checks;
mod sessions;
mod spans;
