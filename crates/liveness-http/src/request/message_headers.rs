//! Headers that go with a message to the bus: the idempotency key and the device.

use actix_web::http::header::{HeaderMap, HeaderName, USER_AGENT};
use liveness_bus::{BusError, IdempotencyKey};
use liveness_core::{DeviceInfo, Violation};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const DEVICE_PLATFORM: HeaderName = HeaderName::from_static("x-device-platform");
const APP_VERSION: HeaderName = HeaderName::from_static("x-app-version");

/// Longer values are cut.
const MAX_DEVICE_CHARS: usize = 512;

/// The key under which a command with this body may be repeated.
pub(super) fn idempotency_key(headers: &HeaderMap, body: &[u8]) -> Result<Option<IdempotencyKey>, BusError> {
    let invalid = |violation| BusError::invalid("Idempotency-Key", violation);
    let mut sent = headers.get_all(IDEMPOTENCY_KEY);
    let Some(key) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(invalid(Violation::new("duplicate", "must be given once")));
    }
    let key = String::from_utf8_lossy(key.as_bytes());
    IdempotencyKey::parse(&key, body).map(Some).map_err(invalid)
}

/// What the headers say of the device. Control characters are left out.
pub(super) fn device(headers: &HeaderMap) -> DeviceInfo {
    let text = |name| {
        let value = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
        Some(
            value
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_DEVICE_CHARS)
                .collect(),
        )
    };
    DeviceInfo {
        user_agent: text(USER_AGENT),
        device_platform: text(DEVICE_PLATFORM),
        app_version: text(APP_VERSION),
    }
}
