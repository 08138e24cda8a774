//! A session that waits to be issued: its id, and its challenges in a random order.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::AuditEntry;
use crate::policy;
use crate::store::engine::error::StoreError;
use crate::verdict::IssuedSession;

/// What the id of an issued session begins with.
pub(crate) const PREFIX: &str = "lvs_";
/// The random bytes of an id.
const ID: usize = 16;

/// A session to issue, with the audit entry of it.
#[derive(Debug)]
pub(crate) struct NewSession {
    pub(crate) self_service_user_id: i64,
    pub(crate) session: IssuedSession,
    /// It says which session was issued.
    pub(crate) entry: AuditEntry,
}

impl NewSession {
    /// Draws a session for a user. It is issued at the time of the entry. Whatever the policy says later, it stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the system gives no random bytes.
    pub(crate) fn draw(
        self_service_user_id: i64,
        policy: &policy::Session,
        mut entry: AuditEntry,
    ) -> Result<Self, StoreError> {
        let mut id = [0; ID];
        fill(&mut id)?;
        let ttl = i64::try_from(policy.ttl.as_millis()).unwrap_or(i64::MAX);
        let session = IssuedSession {
            session_id: format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(id)),
            challenges: in_random_order(&policy.challenges, policy.count as usize, random)?,
            issued_at: entry.at,
            expires_at: entry.at.plus_millis(ttl),
        };
        entry.subject.shown.detail = Some(format!(
            "issued {} until {}: {}",
            session.session_id,
            session.expires_at,
            session.challenges.join(", ")
        ));
        Ok(Self {
            self_service_user_id,
            session,
            entry,
        })
    }
}

fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    rand::fill(bytes).map_err(|_| StoreError::unavailable("the system gives no random bytes"))
}

fn random() -> Result<u16, StoreError> {
    let mut bytes = [0; 2];
    fill(&mut bytes)?;
    Ok(u16::from_be_bytes(bytes))
}

/// Chooses that many names, none twice. Every choice in every order is equally likely, if the bytes of `random` are.
fn in_random_order<E>(
    names: &[String],
    count: usize,
    mut random: impl FnMut() -> Result<u16, E>,
) -> Result<Vec<String>, E> {
    let mut names = names.to_vec();
    let count = count.min(names.len());
    for place in 0..count {
        let left = u16::try_from(names.len() - place).unwrap_or(u16::MAX);
        names.swap(place, place + usize::from(below(left, &mut random)?));
    }
    names.truncate(count);
    Ok(names)
}

/// A number below a limit, of at least 1. A draw behind the last whole multiple of the limit is repeated, so that each number is
/// equally likely.
fn below<E>(limit: u16, mut random: impl FnMut() -> Result<u16, E>) -> Result<u16, E> {
    let beyond = (u32::from(u16::MAX) + 1) / u32::from(limit) * u32::from(limit);
    loop {
        let drawn = random()?;
        if u32::from(drawn) < beyond {
            return Ok(drawn % limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use super::*;
    use crate::policy::Policy;
    use crate::{AuditSubject, Timestamp};

    fn entry() -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_unix_millis(1_774_188_005_000).unwrap(),
            request_id: String::new(),
            principal: "1".into(),
            issuer: None,
            actor: None,
            roles: "customer".into(),
            self_service_user_id: Some(1),
            message: "m".into(),
            outcome: "00".into(),
            client_address: None,
            subject: AuditSubject::default(),
        }
    }

    #[test]
    fn of_all_draws_each_number_below_a_limit_has_equally_many() {
        for limit in 1..=100 {
            let mut numbers = HashMap::new();
            for first in 0..=u16::MAX {
                // 0 is never drawn again.
                let mut drawn = [first, 0].into_iter();
                let number = below(limit, || Ok::<_, Infallible>(drawn.next().unwrap())).unwrap();
                if drawn.len() == 1 {
                    *numbers.entry(number).or_insert(0) += 1;
                }
            }
            assert_eq!(numbers.len(), usize::from(limit));
            assert!(
                numbers.values().all(|times| *times == 65_536 / u32::from(limit)),
                "{limit}"
            );
        }
    }

    #[test]
    fn each_order_of_each_choice_is_drawn_equally_often() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        let mut orders = HashMap::new();
        for first in 0..5 {
            for second in 0..4 {
                for third in 0..3 {
                    let mut drawn = [first, second, third].into_iter();
                    let order = in_random_order(&names, 3, || Ok::<_, Infallible>(drawn.next().unwrap())).unwrap();
                    *orders.entry(order).or_insert(0) += 1;
                }
            }
        }
        assert_eq!((orders.len(), orders.values().max()), (60, Some(&1)));
        for order in orders.keys() {
            let [a, b, c] = order.as_slice() else {
                panic!("{order:?}")
            };
            assert!(a != b && b != c && a != c, "{order:?}");
        }
    }

    #[test]
    fn an_id_has_128_random_bits_and_the_entry_tells_of_it() {
        let policy = Policy::record();
        let [one, other] = [(); 2].map(|()| NewSession::draw(1, policy.session(), entry()).unwrap());

        let id = one.session.session_id.strip_prefix(PREFIX).unwrap();
        assert_eq!((id.len(), URL_SAFE_NO_PAD.decode(id).unwrap().len()), (22, 16));
        assert_ne!(one.session.session_id, other.session.session_id);
        assert_eq!(one.session.expires_at, one.session.issued_at.plus_millis(300_000));
        assert_eq!(
            one.entry.subject.shown.detail.unwrap(),
            format!(
                "issued lvs_{id} until 2026-03-22T14:05:05Z: {}",
                one.session.challenges.join(", ")
            )
        );
    }

    #[test]
    fn all_challenges_may_be_asked_for() {
        let policy = Policy::parse("base = \"record\"\n[session]\nchallenges = [\"A\", \"B\"]\ncount = 2\n").unwrap();
        let mut drawn = NewSession::draw(1, policy.session(), entry())
            .unwrap()
            .session
            .challenges;
        drawn.sort();
        assert_eq!(drawn, ["A", "B"]);
    }
}
