//! Decodes images on threads that may block, as many at a time as the machine has cores.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::Semaphore;
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
}

impl Default for Decoding {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            usual: Arc::new(Semaphore::new(cores.min(MOST_AT_ONCE))),
            large: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Decoding {
    /// Decodes an image as [`decode`](super::decode) does, without blocking the caller's thread. Waits for a turn first.
    ///
    /// If the caller goes away, what has begun is finished, and counts until then. It needs a runtime of tokio.
    ///
    /// # Errors
    ///
    /// [`DecodersBusy`] when there is no turn within 5 s. Who sends images that take long holds up others no longer than that.
    pub async fn decode(&self, image: &FaceImage) -> Result<Picture, DecodersBusy> {
        let pixels = image
            .size()
            .map_or(0, |(width, height)| u64::from(width) * u64::from(height));
        let turns = if pixels > LARGE { &self.large } else { &self.usual };
        let turn = timeout(PATIENCE, Arc::clone(turns).acquire_owned()).await;
        // Nobody closes it.
        let turn = turn.map_err(|_| DecodersBusy)?;
        let shared = image.clone();
        let decoding = spawn_blocking(move || {
            let _turn = turn;
            super::decode(&shared)
        });
        // It does not panic, but it does not run either when the runtime shuts down.
        Ok(decoding.await.unwrap_or_else(|_| super::decode(image)))
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
        let mut decoded = pin!(decoding.decode(&image));
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
        let mut waiting = pin!(decoding.decode(&large));
        assert!(waits(&mut waiting).await);
        let other = decoding.decode(&header(4000, 3000)).await;
        assert!(matches!(other, Ok(Picture::Broken(_))));
        drop(one);
        assert!(matches!(waiting.await, Ok(Picture::Broken(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gets_no_turn_in_time_is_told_so() {
        let decoding = Decoding::default();
        let _others = decoding.large.acquire().await.unwrap();
        assert_eq!(decoding.decode(&header(5000, 4000)).await, Err(DecodersBusy));
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_gives_its_turn_back() {
        let decoding = Decoding::default();
        let turns = u32::try_from(decoding.usual.available_permits()).unwrap();
        let image = header(300, 200);
        {
            let mut begun = pin!(decoding.decode(&image));
            // Once it was polled, it has its turn.
            waits(&mut begun).await;
        }
        assert!(decoding.usual.acquire_many(turns).await.is_ok());
    }
}
