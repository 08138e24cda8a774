//! Tells callers that wait when something about a user was committed: by this store at once, by other nodes soon after.

pub(crate) mod follower;
pub(crate) mod tail;

use std::sync::Arc;

use self::follower::Follower;
use crate::store::queue::wake_ups::Sleeper;

/// Hears of what is committed about a user: [`Checks::watch`](crate::store::Checks::watch).
///
/// It tells that there may be a change, and not what has changed. It also tells of what changes nothing that the caller looks
/// for. So read again each time.
#[derive(Debug)]
pub struct UserWatch {
    sleeper: Sleeper,
    /// Looks what others write, as long as somebody watches.
    _follower: Arc<Follower>,
}

impl UserWatch {
    pub(crate) fn new(follower: &Arc<Follower>, user: i64) -> Self {
        let sleeper = follower.wake_ups().sleep(user);
        follower.begin();
        Self {
            sleeper,
            _follower: Arc::clone(follower),
        }
    }

    /// Returns once something was committed since the last call, or since the watch was made. It may be dropped at any time.
    ///
    /// What others have committed is heard of within half a second, as long as the database answers. Where it has not answered
    /// for a while, this returns once it does.
    pub async fn changed(&mut self) {
        self.sleeper.woken().await;
    }
}
