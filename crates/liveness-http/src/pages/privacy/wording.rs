//! The words of the privacy page. All of them are ours, so none has to be escaped.

use std::time::Duration;

use liveness_core::policy::{Policy, Retention};

/// The page as HTML.
pub(super) fn page(policy: &Policy, seals_faces: bool) -> String {
    let parts = [
        kept(policy.retention()),
        looks(policy),
        erasure(),
        copies(policy.retention(), seals_faces),
        LIVING.to_owned(),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>What is kept of a liveness check, and for how long</title>\n\
         <link rel=\"stylesheet\" href=\"privacy/style.css\">\n</head>\n<body>\n<main>\n\
         <h1>What is kept of a liveness check, and for how long</h1>\n\
         <p>This page is made from the rules that this service runs under.</p>\n\
         {}<footer>Version of the rules: <code>{}</code></footer>\n</main>\n</body>\n</html>\n",
        parts.concat(),
        policy.version()
    )
}

/// The table of what is kept.
fn kept(retention: &Retention) -> String {
    let records = retention
        .records
        .map_or_else(|| NO_LIMIT.to_owned(), |limit| format!("{}. {LEFT}", days(limit)));
    let rows = [
        (
            "The record of a check",
            "When it was, how it ended, and what the app reported of it: the challenges, the time, the light; the device and its \
             network address.",
            "To show whether a person has passed the check, and how.",
            records,
        ),
        (
            "The face",
            "The image of the face, if the app sends one.",
            "So that a person can see whether the outcome is right.",
            faces(retention),
        ),
        (
            "The name",
            "Name, electronic mail address and number of the person, as the service that sends them here knows them.",
            "So that the right record is found.",
            "Until the person's data is erased.".to_owned(),
        ),
        (
            "The audit trail",
            "Who recorded, looked at, changed or erased what, when and why.",
            "So that misuse is found. No entry can be changed or taken away unseen.",
            "No limit is set. What names a person in it is erased with the person's data.".to_owned(),
        ),
    ];
    let rows = rows.map(|(what, details, why, how_long)| {
        format!(
            "<tr><th scope=\"row\">{what}</th><td data-column=\"What is in it\">{details}</td>\
             <td data-column=\"Why\">{why}</td><td data-column=\"How long\">{how_long}</td></tr>\n"
        )
    });
    format!(
        "<h2>What is kept</h2>\n<table>\n<thead><tr><th scope=\"col\">What</th><th scope=\"col\">What is in it</th>\
         <th scope=\"col\">Why</th><th scope=\"col\">How long</th></tr></thead>\n<tbody>\n{}</tbody>\n</table>\n",
        rows.concat()
    )
}

const NO_LIMIT: &str = "No limit is set.";
const LEFT: &str = "After that, it says when the check was and how it ended, and names nobody.";

/// How long faces are kept: not longer than their records.
fn faces(retention: &Retention) -> String {
    let shorter = |face: Option<Duration>| face.into_iter().chain(retention.records).min();
    let (passed, not_passed) = (shorter(retention.passed), shorter(retention.not_passed));
    if passed == not_passed {
        return passed.map_or_else(|| NO_LIMIT.to_owned(), |limit| days(limit) + ".");
    }
    let limit = |limit: Option<Duration>| limit.map_or_else(|| "without a limit".to_owned(), days);
    format!(
        "If the check was passed: {}. If it was not: {}.",
        limit(passed),
        limit(not_passed)
    )
}

fn looks(policy: &Policy) -> String {
    let purpose = if policy.looks().purpose {
        "Whoever looks has to say why."
    } else {
        "Whoever looks can say why."
    };
    let limit = policy.looks().faces_a_day.map_or_else(String::new, |limit| {
        format!("<li>One person can look at faces {limit} times in 24 hours at most.</li>\n")
    });
    format!(
        "<h2>Who looks at a face</h2>\n\
         <p>People whom the operator of this service has made administrators can look at records and faces. The app itself never gets \
         a face back.</p>\n<ul>\n\
         <li>Each look at a face leaves an entry in the audit trail: who looked, at which face, when and why. No face is shown without \
         it.</li>\n<li>{purpose}</li>\n{limit}\
         <li>The app can ask for its user when each of their faces was looked at, in which role, and for what purpose.</li>\n\
         </ul>\n"
    )
}

fn erasure() -> String {
    "<h2>How a face, or a person's data, is erased</h2>\n<ul>\n\
     <li>When the time of a face or record above is over, this service erases it by itself.</li>\n\
     <li>A person can ask the operator of this service for it. The operator's officer for data protection erases one face, or all faces \
     and everything that names the person. The records and the audit trail stay, and then name nobody.</li>\n\
     <li>Each erasure leaves a receipt in the audit trail: which face, why, by whom and when. The receipt does not show the face.</li>\n\
     <li>The officer can place a hold on a person's data, where the law or a dispute needs it. As long as there is a hold, nothing of \
     that person is erased, even if its time is over. Placing and lifting a hold leave entries in the audit trail too.</li>\n\
     </ul>\n"
        .to_owned()
}

fn copies(retention: &Retention, seals_faces: bool) -> String {
    let copies = match (seals_faces, retention.rotate) {
        (false, _) => "Faces are not sealed here. An erased face is gone from the service at once. A copy of it in a backup can be read \
                       until the operator destroys that backup."
            .to_owned(),
        (true, Some(rotate)) => format!(
            "Each face is sealed with a key of its own. When a face is erased, its key is destroyed at once, and the service cannot show \
             it any more. The keys of backups are replaced every {}. From the first time after the erasure on, the face is unreadable \
             everywhere, in every backup too.",
            days(rotate)
        ),
        (true, None) => "Each face is sealed with a key of its own. When a face is erased, its key is destroyed at once, and the service \
                         cannot show it any more. The keys of backups are replaced when the operator does so. From then on, the face is \
                         unreadable everywhere, in every backup too."
            .to_owned(),
    };
    format!("<h2>When an erased face is unreadable everywhere</h2>\n<p>{copies}</p>\n")
}

const LIVING: &str = "<h2>What this service does not see</h2>\n\
    <p>This service records what the app reports. It does not itself check whether a living person was in front of the camera: it has no \
    presentation attack detection (<code>pad: none</code>).</p>\n";

/// A duration in words, with the largest unit that leaves no remainder.
fn days(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [
        ("day", 86_400_000),
        ("hour", 3_600_000),
        ("minute", 60_000),
        ("second", 1000),
        ("millisecond", 1),
    ];
    let unit = units.into_iter().find(|(_, factor)| millis.is_multiple_of(*factor));
    let (name, factor) = unit.unwrap_or(("millisecond", 1));
    let number = millis / factor;
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(file: &str) -> String {
        page(&Policy::parse(file).unwrap(), true)
    }

    #[test]
    fn durations_are_in_the_largest_unit_that_fits() {
        let cases = [
            (86_400, "1 day"),
            (90_000, "25 hours"),
            (60, "1 minute"),
            (90, "90 seconds"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(days(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(days(Duration::from_millis(1500)), "1500 milliseconds");
    }

    #[test]
    fn a_face_is_never_kept_longer_than_its_record() {
        let page = page_of("base = \"enforce\"\n[retention]\nrecords = \"90d\"\n");

        assert!(
            page.contains("If the check was passed: 90 days. If it was not: 30 days."),
            "{page}"
        );
    }

    #[test]
    fn the_page_says_what_is_left_of_a_record_whose_time_is_over() {
        let page = page_of("base = \"record\"\n[retention]\nrecords = \"2w\"\n");

        assert!(page.contains(&format!("14 days. {LEFT}")), "{page}");
    }

    #[test]
    fn without_limits_the_page_says_so() {
        let page = page_of("base = \"record\"\n");

        assert_eq!(page.matches(">No limit is set.<").count(), 2, "{page}");
        assert!(page.contains("Whoever looks can say why."), "{page}");
    }

    #[test]
    fn the_page_says_who_replaces_the_keys_and_when() {
        let by_hand = page_of("base = \"record\"\n[retention]\nrotate = \"off\"\n");
        let weekly = page_of("base = \"record\"\n[retention]\nrotate = \"1w\"\n");
        let in_clear = page(&Policy::record(), false);

        assert!(by_hand.contains("replaced when the operator does so"), "{by_hand}");
        assert!(weekly.contains("replaced every 7 days"), "{weekly}");
        assert!(in_clear.contains("Faces are not sealed here"), "{in_clear}");
    }
}
