//! Finds the claim that a setting names: by its whole name, or by a path into nested claims.

use serde_json::{Map, Value};

/// The claim of that name, such as `role`, `https://example.com/roles` or `realm_access.roles`.
///
/// A claim of the whole name goes first. Otherwise a name is a path: a part that ends at a dot is the claim to look into. The
/// names of claims may hold dots themselves (`resource_access.my.app.roles`), so the longest part that fits goes first here
/// too.
pub(super) fn find_claim<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    let nested = || {
        let dots = name.rmatch_indices('.');
        dots.filter_map(|(dot, _)| Some((claims.get(name.get(..dot)?)?.as_object()?, name.get(dot + 1..)?)))
            .find_map(|(inner, rest)| find_claim(inner, rest))
    };
    claims.get(name).or_else(nested)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(claims: &Value, name: &str) -> Option<Value> {
        find_claim(claims.as_object().unwrap(), name).cloned()
    }

    #[test]
    fn a_path_leads_into_nested_claims() {
        let claims = json!({ "realm_access": { "roles": ["admin"] }, "a": { "b": { "c": 1 } }, "list": [{ "a": 1 }] });

        assert_eq!(found(&claims, "realm_access.roles"), Some(json!(["admin"])));
        assert_eq!(found(&claims, "a.b"), Some(json!({ "c": 1 })));
        assert_eq!(found(&claims, "a.b.c"), Some(json!(1)));
        for nothing in [
            "realm_access.role",
            "roles",
            "a.b.c.d",
            "a.",
            ".a",
            "a..b",
            "",
            ".",
            "list.0.a",
            "a.b.d",
        ] {
            assert_eq!(found(&claims, nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_claim_of_the_whole_name_goes_first_at_every_level() {
        let claims = json!({
            "a.b": "whole", "a": { "b": "nested", "b.c": "whole of the rest", "x": { "y": "deep" } },
            "a.x": { "z": "longest" }, "null.null": null, "null": { "null": 1 },
        });

        assert_eq!(found(&claims, "a.b"), Some(json!("whole")));
        assert_eq!(found(&claims, "a.b.c"), Some(json!("whole of the rest")));
        assert_eq!(found(&claims, "a.x.z"), Some(json!("longest")));
        assert_eq!(found(&claims, "a.x.y"), Some(json!("deep")));
        assert_eq!(found(&claims, "null.null"), Some(Value::Null));
    }

    #[test]
    fn the_names_in_a_path_may_hold_dots() {
        let claims = json!({
            "resource_access": { "my.app": { "roles": ["admin"] }, "my-app": { "roles": ["customer"] } },
            "https://example.com/claims": { "roles": "auditor" },
        });

        assert_eq!(found(&claims, "resource_access.my.app.roles"), Some(json!(["admin"])));
        assert_eq!(
            found(&claims, "resource_access.my-app.roles"),
            Some(json!(["customer"]))
        );
        assert_eq!(
            found(&claims, "https://example.com/claims.roles"),
            Some(json!("auditor"))
        );
    }
}
