//! Decodes images on threads that may block. At most one image for each core is decoded at a time, and at most one of each user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::FaceImage;
use crate::verdict::Picture;

/// More decode no faster, and each takes memory.
const MOST_AT_ONCE: usize = 8;
/// A photo of 12 megapixels, which is what a phone takes by itself, is not large.
const LARGE: u64 = 12_500_000;

/// The longest wait for a turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// No turn came within 5 s, because others have images that take long to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many images wait to be decoded")]
pub struct DecodersBusy;

/// Bounds how many images are decoded at once, and so the memory that this takes.
#[derive(Clone, Debug)]
pub struct Decoding {
    usual: Arc<Semaphore>,
    /// For one large image at a time: a few bytes can stand for one, and the others must not wait for those.
    large: Arc<Semaphore>,
    /// For one image of each user at a time, so that nobody has all the turns.
    own: Arc<OwnTurns>,
}

/// The turns of the users whose images are decoded or wait.
#[derive(Debug, Default)]
struct OwnTurns(Mutex<HashMap<i64, Arc<Semaphore>>>);

impl OwnTurns {
    fn of(self: &Arc<Self>, user: i64) -> Waiter {
        let turn = Arc::clone(self.all().entry(user).or_insert_with(|| Arc::new(Semaphore::new(1))));
        Waiter {
            turns: Arc::clone(self),
            turn,
            user,
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<i64, Arc<Semaphore>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One image of a user that is decoded or waits. With the last one the user is forgotten.
struct Waiter {
    turns: Arc<OwnTurns>,
    turn: Arc<Semaphore>,
    user: i64,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut all = self.turns.all();
        // Nobody gets another one meanwhile. One is in the map, and one is ours.
        if Arc::strong_count(&self.turn) == 2 {
            all.remove(&self.user);
        }
    }
}

/// A turn to decode. The permits end before the waiter does, which counts who holds one.
struct Turn {
    _of_all: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
    _waiter: Waiter,
}

impl Default for Decoding {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            usual: Arc::new(Semaphore::new(cores.min(MOST_AT_ONCE))),
            large: Arc::new(Semaphore::new(1)),
            own: Arc::default(),
        }
    }
}

impl Decoding {
    /// Decodes an image of a user as [`decode`](super::decode) does, without blocking the caller's thread. Waits for a turn first,
    /// and for the user's other images.
    ///
    /// If the caller goes away, what has begun is finished, and counts until then. It needs a runtime of tokio.
    ///
    /// # Errors
    ///
    /// [`DecodersBusy`] when there is no turn within 5 s. Who sends images that take long holds up others no longer than that.
    pub async fn decode(&self, image: &FaceImage, user: i64) -> Result<Picture, DecodersBusy> {
        let pixels = image
            .size()
            .map_or(0, |(width, height)| u64::from(width) * u64::from(height));
        let turns = if pixels > LARGE { &self.large } else { &self.usual };
        let turn = timeout(PATIENCE, self.turn(turns, user)).await;
        let turn = turn.map_err(|_| DecodersBusy)?;
        let shared = image.clone();
        let decoding = spawn_blocking(move || {
            let _turn = turn;
            super::decode(&shared)
        });
        // It does not panic, but it does not run either when the runtime shuts down.
        Ok(decoding.await.unwrap_or_else(|_| super::decode(image)))
    }

    /// A turn of the user, and then one of all.
    async fn turn(&self, turns: &Arc<Semaphore>, user: i64) -> Option<Turn> {
        let waiter = self.own.of(user);
        // Nobody closes them.
        let own = Arc::clone(&waiter.turn).acquire_owned().await.ok()?;
        let of_all = Arc::clone(turns).acquire_owned().await.ok()?;
        Some(Turn {
            _of_all: of_all,
            _own: own,
            _waiter: waiter,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    /// A JPEG of this size that has a header only.
    fn header(width: u16, height: u16) -> FaceImage {
        let [height, width] = [height, width].map(u16::to_be_bytes);
        let bytes = [&b"\xFF\xD8\xFF\xC0\0\x0B\x08"[..], &height, &width, b"\x01\x01\x11\0"].concat();
        FaceImage::from_bytes(bytes).unwrap()
    }

    /// Whether the future waits after it was polled once.
    async fn waits(future: &mut (impl Future + Unpin)) -> bool {
        poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending())).await
    }

    #[tokio::test]
    async fn no_more_are_decoded_at_once_than_there_are_turns() {
        let decoding = Decoding::default();
        let turns = u32::try_from(decoding.usual.available_permits()).unwrap();
        let all = decoding.usual.acquire_many(turns).await.unwrap();
        let image = header(300, 200);
        let mut decoded = pin!(decoding.decode(&image, 1));
        assert!(waits(&mut decoded).await);
        drop(all);
        assert!(matches!(decoded.await, Ok(Picture::Broken(_))));
        assert_eq!(decoding.usual.available_permits(), turns as usize);
    }

    #[tokio::test]
    async fn large_images_wait_for_each_other_and_keep_nobody_else_waiting() {
        let decoding = Decoding::default();
        let one = decoding.large.acquire().await.unwrap();
        let large = header(5000, 4000);
        let mut waiting = pin!(decoding.decode(&large, 1));
        assert!(waits(&mut waiting).await);
        let other = decoding.decode(&header(4000, 3000), 2).await;
        assert!(matches!(other, Ok(Picture::Broken(_))));
        drop(one);
        assert!(matches!(waiting.await, Ok(Picture::Broken(_))));
    }

    #[tokio::test]
    async fn a_user_waits_for_the_users_own_images_and_others_do_not() {
        let decoding = Decoding::default();
        let image = header(300, 200);
        let first = decoding.turn(&decoding.usual, 1).await.unwrap();
        let mut second = pin!(decoding.decode(&image, 1));
        assert!(waits(&mut second).await);
        // The user's other image takes no turn of all while it waits.
        let turns = decoding.usual.available_permits();
        if turns > 0 {
            assert!(matches!(decoding.decode(&image, 2).await, Ok(Picture::Broken(_))));
        }
        drop(first);
        assert!(matches!(second.await, Ok(Picture::Broken(_))));
        assert_eq!(decoding.own.all().len(), 0);
    }

    #[tokio::test]
    async fn who_goes_away_while_waiting_is_forgotten() {
        let decoding = Decoding::default();
        let first = decoding.turn(&decoding.usual, 1).await.unwrap();
        {
            let image = header(300, 200);
            let mut second = pin!(decoding.decode(&image, 1));
            assert!(waits(&mut second).await);
        }
        assert_eq!(decoding.own.all().len(), 1);
        drop(first);
        assert_eq!(decoding.own.all().len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gets_no_turn_in_time_is_told_so() {
        let decoding = Decoding::default();
        let _others = decoding.large.acquire().await.unwrap();
        assert_eq!(decoding.decode(&header(5000, 4000), 1).await, Err(DecodersBusy));
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_gives_its_turn_back() {
        let decoding = Decoding::default();
        let turns = u32::try_from(decoding.usual.available_permits()).unwrap();
        let image = header(300, 200);
        {
            let mut begun = pin!(decoding.decode(&image, 1));
            // Once it was polled, it has its turn.
            waits(&mut begun).await;
        }
        assert!(decoding.usual.acquire_many(turns).await.is_ok());
    }
}
