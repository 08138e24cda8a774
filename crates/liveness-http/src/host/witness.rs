//! The thread that shows a witness each new checkpoint of the log.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use liveness_core::store::TrailKeeper;

use super::start_error::StartError;
use crate::witness::{Unwitnessed, Witness, Witnessed};

/// The time between two looks for a new checkpoint, of whichever node.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// The wait after a failure, which doubles with each further one.
const RETRY_AFTER: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Witnessing {
    _ends: Sender<()>,
}

/// Starts the thread.
///
/// # Errors
///
/// When the operating system gives the process no other thread.
pub(super) fn start(witness: Witness, keeper: Arc<TrailKeeper>) -> Result<Witnessing, StartError> {
    let (ends, ended) = mpsc::channel();
    let work = Work {
        witness,
        keeper,
        failures: 0,
    };
    thread::Builder::new()
        .name("liveness-witness".to_owned())
        .spawn(move || work.run(&ended))?;
    Ok(Witnessing { _ends: ends })
}

struct Work {
    witness: Witness,
    keeper: Arc<TrailKeeper>,
    /// How many times in a row it has not cosigned.
    failures: u32,
}

impl Work {
    fn run(mut self, ended: &Receiver<()>) {
        while ended.recv_timeout(self.wait()) == Err(RecvTimeoutError::Timeout) {
            let asked = match self.witness.is_due() {
                Ok(false) => continue,
                Ok(true) => self.witness.ask(),
                Err(error) => Err(error),
            };
            self.tell(asked);
        }
    }

    fn wait(&self) -> Duration {
        match self.failures {
            0 => LOOK_INTERVAL,
            failures => RETRY_AFTER
                .saturating_mul(1 << (failures - 1).min(16))
                .min(LONGEST_WAIT),
        }
    }

    fn tell(&mut self, asked: Result<Witnessed, Unwitnessed>) {
        let name = self.witness.name();
        match asked {
            Ok(Witnessed::Cosigned(entries)) => {
                if self.failures > 0 {
                    log::info!("the witness {name} cosigns the audit trail again: {entries} entries");
                }
                self.failures = 0;
                self.keeper.cosigned(entries);
            }
            Ok(Witnessed::NoCheckpoint) => {}
            Ok(Witnessed::Finding(finding)) => {
                self.failures += 1;
                self.keeper.find([finding]);
            }
            Err(error) => {
                if self.failures == 0 {
                    log::warn!("the witness {name} does not cosign the audit trail, and is asked again: {error}");
                }
                self.failures += 1;
            }
        }
    }
}
