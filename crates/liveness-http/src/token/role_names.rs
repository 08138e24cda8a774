//! The names that an identity provider has for our roles: `docs/operations.md#roles`.

use std::str::FromStr;

const CUSTOMER: &str = "customer";
/// Our roles.
const ROLES: [&str; 4] = [CUSTOMER, "admin", "officer", "auditor"];

/// An identity provider's names for our roles. A role that has none here goes by our name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleNames(Vec<(&'static str, String)>);

impl RoleNames {
    /// What a role of a token is for us. A role that is none of ours keeps its name.
    pub(super) fn ours<'r>(&'r self, named: &'r str) -> Vec<&'r str> {
        let is_named = |name: &str| name.eq_ignore_ascii_case(named);
        let given = self.0.iter().filter(|(_, theirs)| is_named(theirs));
        let mut roles: Vec<_> = given.map(|(ours, _)| *ours).collect();
        // One of our names that stands for another counts for itself too, unless the provider has its own name for it.
        let is_renamed = self.0.iter().any(|(ours, _)| is_named(ours));
        if !is_renamed && (roles.is_empty() || ROLES.into_iter().any(is_named)) {
            roles.push(named);
        }
        roles
    }

    /// What the provider calls a role of ours: the first of its names.
    pub(crate) fn theirs<'r>(&'r self, role: &'r str) -> &'r str {
        self.names_of(role).first().copied().unwrap_or(role)
    }

    /// All names that count for a role of ours.
    pub(crate) fn names_of<'r>(&'r self, role: &'r str) -> Vec<&'r str> {
        let given = self.0.iter().filter(|(ours, _)| *ours == role);
        let names: Vec<_> = given.map(|(_, theirs)| theirs.as_str()).collect();
        if names.is_empty() { vec![role] } else { names }
    }

    /// Whether somebody who is a customer would have another role for the same name.
    fn privileges_customers(&self) -> bool {
        let customers = self.names_of(CUSTOMER);
        let others = ROLES.into_iter().filter(|role| *role != CUSTOMER);
        let mut others = others.flat_map(|role| self.names_of(role));
        others.any(|other| customers.iter().any(|customer| customer.eq_ignore_ascii_case(other)))
    }
}

impl FromStr for RoleNames {
    type Err = &'static str;

    /// Reads `admin=liveness-reviewer,officer=dpo`. A role may be there several times, once for each of its names. What is
    /// empty between commas counts for nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
        let names = Self(pairs.map(parse_pair).collect::<Result<_, _>>()?);
        if names.privileges_customers() {
            return Err("a name for customer must not be one for another role too");
        }
        Ok(names)
    }
}

fn parse_pair(pair: &str) -> Result<(&'static str, String), &'static str> {
    const FORM: &str =
        "must be pairs of a role of ours and the provider's name for it: admin=liveness-reviewer,officer=dpo";
    let (ours, theirs) = pair.split_once('=').ok_or(FORM)?;
    let (ours, theirs) = (ours.trim(), theirs.trim());
    if theirs.is_empty() || theirs.contains(char::is_control) {
        return Err(FORM);
    }
    let role = ROLES.into_iter().find(|role| role.eq_ignore_ascii_case(ours));
    let role = role.ok_or("before each `=` must be a role of ours: customer, admin, officer or auditor")?;
    Ok((role, theirs.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> RoleNames {
        text.parse().unwrap()
    }

    #[test]
    fn without_names_every_role_is_what_it_is_called() {
        for text in ["", " ", ",", " , "] {
            for role in ["admin", "customer", "teller"] {
                assert_eq!(names(text).ours(role), [role]);
            }
        }
    }

    #[test]
    fn a_name_of_the_provider_stands_in_for_ours() {
        let names = names("admin=liveness-reviewer, Admin = CN=Reviewers ,officer=dpo");

        for (role, ours) in [
            ("liveness-reviewer", "admin"),
            ("cn=reviewers", "admin"),
            ("DPO", "officer"),
        ] {
            assert_eq!(names.ours(role), [ours]);
        }
        for renamed in ["admin", "ADMIN", "officer"] {
            assert_eq!(names.ours(renamed), [""; 0]);
        }
        for other in ["customer", "auditor", "teller"] {
            assert_eq!(names.ours(other), [other]);
        }
        assert_eq!(names.theirs("admin"), "liveness-reviewer");
        assert_eq!(names.theirs("customer"), "customer");
        assert_eq!("admin=a,".parse::<RoleNames>(), Ok(self::names("admin=a")));
    }

    #[test]
    fn one_name_may_stand_for_several_roles() {
        assert_eq!(names("officer=dpo,auditor=dpo").ours("dpo"), ["officer", "auditor"]);
        assert_eq!(names("officer=admin").ours("admin"), ["officer", "admin"]);
        assert_eq!(names("admin=officer,officer=admin").ours("admin"), ["officer"]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for bad in [
            "admin",
            "admin=",
            "admin= ",
            "admin=a,officer",
            "admin:a",
            "admin=a\u{7}b",
        ] {
            assert!(
                bad.parse::<RoleNames>()
                    .unwrap_err()
                    .contains("admin=liveness-reviewer"),
                "{bad}"
            );
        }
        for unknown in ["reviewer=admin", "=a", "admin=a,offizier=dpo"] {
            let told = unknown.parse::<RoleNames>().unwrap_err();
            assert!(told.contains("customer, admin, officer or auditor"), "{unknown}");
        }
    }

    #[test]
    fn no_customer_has_another_role_by_the_same_name() {
        for bad in ["customer=user,admin=User", "admin=customer", "customer=admin"] {
            assert!(bad.parse::<RoleNames>().unwrap_err().contains("customer"), "{bad}");
        }
        assert!("customer=admin,admin=customer".parse::<RoleNames>().is_ok());
    }
}
