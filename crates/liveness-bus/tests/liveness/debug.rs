//! `Debug` output may end up in a log. So it shows no face, and nothing that an SDK measured.

use liveness_bus::Received;
use liveness_bus::liveness::{LivenessReport, SubmitLivenessCheckCommand, UpdateLivenessCheckCommand};
use serde_json::json;

fn report() -> LivenessReport {
    let body = json!({
        "sessionId": "sdk-1", "isSuccessful": true, "imageBase64": "/9j/wAALCAABAAEBAREA",
        "metadata": {"lightingValue": 0.73, "secret": "measured", "finalCapture": {"sessionDuration": 98_765}},
        "imageMetadata": {"sessionDuration": 98_765, "secret": "measured"},
    });
    serde_json::from_value(body).unwrap_or_default()
}

#[test]
fn a_command_shows_neither_face_nor_metadata() {
    let shown = [
        format!("{:?}", SubmitLivenessCheckCommand(report())),
        format!("{:#?}", UpdateLivenessCheckCommand(report())),
    ];

    for text in shown {
        assert!(text.contains("sdk-1"), "{text}");
        for hidden in ["9j/4", "255", "0.73", "measured", "98765"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}

#[test]
fn metadata_that_breaks_rules_is_not_shown_either() {
    let metadata = Received::<liveness_bus::liveness::SessionMetricsReport>::from_json(
        r#"{"lightingValue":"measured","x":"measured"}"#,
    );

    let shown = format!("{:?}", metadata.unwrap());

    assert!(shown.contains("bytes"), "{shown}");
    assert!(!shown.contains("measured"), "{shown}");
}
