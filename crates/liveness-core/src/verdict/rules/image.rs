//! Rules about the image of the face.

use serde_json::json;

use super::Seen;
use crate::policy::{Effect, ReusedImage};
use crate::verdict::facts::{Facts, Picture};

/// `image.missing`: success is claimed without an image. A path is no image: nobody here opens it. Seen is whether there is a
/// path.
pub(in crate::verdict) fn missing(facts: &Facts<'_>) -> Option<Seen> {
    let has_image = facts.check.image.is_some() || facts.picture.is_some();
    let is_missing = facts.check.is_successful && !has_image;
    is_missing.then(|| {
        let has_path = facts
            .check
            .image_path
            .as_ref()
            .is_some_and(|path| !path.as_str().is_empty());
        Seen::of(if has_path { "path_only" } else { "none" })
    })
}

/// `image.broken`: the image does not decode, or has fewer than `at_least` pixels on a side. Seen is what is broken, or the
/// shorter side.
pub(in crate::verdict) fn broken(picture: Option<Picture>, at_least: u32) -> Option<Seen> {
    match picture? {
        Picture::Broken(why) => Some(Seen::of(why)),
        Picture::Decoded { width, height } => {
            let side = width.min(height);
            (side < at_least).then(|| Seen::beyond(side, at_least))
        }
    }
}

/// What `image.reused` does: another user's image is another matter than the user's own.
pub(in crate::verdict) fn effect_of_reuse(facts: &Facts<'_>, rule: &ReusedImage) -> Effect {
    match facts.reuse {
        Some(reuse) if reuse.of_another_user => rule.effect,
        Some(_) => rule.same_user,
        None => Effect::Off,
    }
}

/// `image.reused`: the very bytes were recorded before. Seen is whose they were, without a name, and the id of that record.
pub(in crate::verdict) fn reused(facts: &Facts<'_>) -> Option<Seen> {
    let reuse = facts.reuse?;
    let whose = if reuse.of_another_user {
        "another_user"
    } else {
        "same_user"
    };
    Some(Seen::of(json!([whose, reuse.check_id])))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Case, Sample, says, silent, try_cases};
    use super::*;
    use crate::ImagePath;
    use crate::verdict::Reuse;

    fn has(sample: &mut Sample, path: Option<&str>) {
        (sample.check.image, sample.picture) = (None, None);
        sample.check.image_path = path.map(|path| ImagePath::parse(path).unwrap());
    }

    #[test]
    fn success_without_an_image_lacks_one() {
        let cases: [Case; 7] = [
            ("an image", |_| {}, silent()),
            (
                "an image that was not decoded",
                |sample| sample.picture = None,
                silent(),
            ),
            (
                "an image of which only the size is known",
                |sample| sample.check.image = None,
                silent(),
            ),
            ("none", |sample| has(sample, None), says(json!("none"), json!(null))),
            (
                "a path",
                |sample| has(sample, Some("/uploads/a.jpg")),
                says(json!("path_only"), json!(null)),
            ),
            (
                "an empty path",
                |sample| has(sample, Some("")),
                says(json!("none"), json!(null)),
            ),
            (
                "a failure without an image",
                |sample| {
                    has(sample, None);
                    sample.check.is_successful = false;
                },
                silent(),
            ),
        ];
        try_cases(cases, missing);
    }

    fn decoded(sample: &mut Sample, width: u32, height: u32) {
        sample.picture = Some(Picture::Decoded { width, height });
    }

    #[test]
    fn an_image_that_does_not_decode_or_is_small_is_broken() {
        let cases: [Case; 8] = [
            ("a good one", |_| {}, silent()),
            ("none", |sample| sample.picture = None, silent()),
            ("just large enough", |sample| decoded(sample, 200, 200), silent()),
            (
                "narrow",
                |sample| decoded(sample, 199, 4000),
                says(json!(199), json!(200)),
            ),
            (
                "flat",
                |sample| decoded(sample, 4000, 199),
                says(json!(199), json!(200)),
            ),
            ("one pixel", |sample| decoded(sample, 1, 1), says(json!(1), json!(200))),
            (
                "small on both sides",
                |sample| decoded(sample, 120, 90),
                says(json!(90), json!(200)),
            ),
            (
                "cut off",
                |sample| sample.picture = Some(Picture::Broken("it is cut off")),
                says(json!("it is cut off"), json!(null)),
            ),
        ];
        try_cases(cases, |facts| broken(facts.picture, 200));
    }

    fn reuse(sample: &mut Sample, check_id: i64, of_another_user: bool) {
        sample.reuse = Some(Reuse {
            check_id,
            of_another_user,
        });
    }

    #[test]
    fn an_image_that_was_recorded_before_is_reused() {
        let cases: [Case; 3] = [
            ("a new one", |_| {}, silent()),
            (
                "of another user",
                |sample| reuse(sample, 41, true),
                says(json!(["another_user", 41]), json!(null)),
            ),
            (
                "of the same user",
                |sample| reuse(sample, 40, false),
                says(json!(["same_user", 40]), json!(null)),
            ),
        ];
        try_cases(cases, reused);
    }

    #[test]
    fn reuse_of_another_user_has_an_effect_of_its_own() {
        let rule = crate::policy::Policy::enforce().rules().image_reused.clone();
        let effect = |change: fn(&mut Sample)| {
            let mut sample = Sample::honest();
            change(&mut sample);
            effect_of_reuse(&sample.facts(), &rule)
        };
        assert_eq!(effect(|_| {}), Effect::Off);
        assert_eq!(effect(|sample| reuse(sample, 1, true)), Effect::Reject);
        assert_eq!(effect(|sample| reuse(sample, 1, false)), Effect::Review);
    }
}
