//! The watch: what a screen shows while it is open.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::{mpsc, oneshot};
use futures_util::future::{Either, select};
use futures_util::{FutureExt, StreamExt};

use crate::change::Change;
use crate::client::{Core, State, note_change};
use crate::clock::Timer;
use crate::holding::Holding;
use crate::reading::Reading;
use crate::why::Why;

/// Watches the readings of some holdings, for as long as the app waits in `next`. Between the calls it begins no request.
///
/// A call can be cancelled when its changes are already on the way. So every batch has a number, and the app names the number of
/// the last batch that it received: if that is not the last one that was made, the changes are reported again, from the state of
/// that moment.
#[derive(uniffi::Object)]
pub struct Watch {
    /// Keeps the client's thread.
    core: Arc<Core>,
    asked: mpsc::UnboundedSender<Asked>,
}

/// Some changes, in their order. A screen that applies them together shows no sum of old and new amounts.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Changes {
    /// The number of this batch, for the next call. 0 if the client was shut down.
    pub number: u64,
    /// The changes. Empty only if the client was shut down: the watch has ended.
    pub changes: Vec<Change>,
}

/// One call of the app.
struct Asked {
    /// The last batch that the app received.
    received: u64,
    /// Whether it wants all changes that are known at that moment.
    all: bool,
    reply: oneshot::Sender<Changes>,
}

impl Watch {
    pub(crate) fn new(core: Arc<Core>, state: &Arc<State>, holdings: Vec<Holding>) -> Self {
        let (sender, receiver) = mpsc::unbounded();
        let (state, timer) = (Arc::clone(state), core.timer.clone());
        // The thread owns the watch: the end of the client drops it, and with it its requests.
        core.worker
            .post(async move { Watched::new(&state, holdings).answer(&state, &timer, receiver).await });
        Self { core, asked: sender }
    }

    async fn wait(&self, received: u64, all: bool) -> Changes {
        let (reply, answer) = oneshot::channel();
        // Without a receiver the client was shut down, and the reply is dropped.
        let _ = self.asked.unbounded_send(Asked { received, all, reply });
        self.core.worker.wait(answer).await.unwrap_or(Changes { number: 0, changes: Vec::new() })
    }
}

#[uniffi::export]
impl Watch {
    /// Waits for the next change. `received` is the number of the batch that the app received last, at first 0.
    pub async fn next(&self, received: u64) -> Changes {
        self.wait(received, false).await
    }

    /// Waits for the next change, and returns it with all others that are known at that moment.
    pub async fn next_all(&self, received: u64) -> Changes {
        self.wait(received, true).await
    }
}

/// A watch on the client's thread.
struct Watched {
    watch: saldo::Watch,
    known: Vec<saldo::Holding>,
    /// Holdings with a malformed address. They are the first batch, until the app has received it.
    malformed: Vec<Holding>,
    /// The number of the last batch.
    number: u64,
}

impl Watched {
    /// How long a watch rests after a panic.
    const REST: Duration = Duration::from_secs(1);

    fn new(state: &State, holdings: Vec<Holding>) -> Self {
        let known: Vec<saldo::Holding> = holdings.iter().filter_map(Holding::read).collect();
        let malformed = holdings.into_iter().filter(|holding| holding.read().is_none()).collect();
        Self { watch: state.client.watch(known.iter().copied()), known, malformed, number: 0 }
    }

    /// Answers one call after another, as long as the app has the watch.
    async fn answer(mut self, state: &State, timer: &Timer, mut asked: mpsc::UnboundedReceiver<Asked>) {
        while let Some(Asked { received, all, mut reply }) = asked.next().await {
            let answered = {
                let next = AssertUnwindSafe(self.next(state, received, all)).catch_unwind();
                match select(Box::pin(next), reply.cancellation()).await {
                    Either::Left((changes, _)) => changes.ok(),
                    // The app no longer waits. What was not taken is still there.
                    Either::Right(_) => continue,
                }
            };
            let changes = match answered {
                Some(changes) => changes,
                None => {
                    timer.sleep(Self::REST).await;
                    self.begin_again(state)
                }
            };
            // If the app is gone by now, its next call names an earlier batch.
            let _ = reply.send(changes);
        }
    }

    async fn next(&mut self, state: &State, received: u64, all: bool) -> Changes {
        if received == 0 && !self.malformed.is_empty() {
            self.number = 1;
            return Changes { number: 1, changes: self.malformed.iter().map(malformed).collect() };
        }
        self.malformed.clear();
        if received != self.number {
            self.watch.report_again();
        }
        let changes = match all {
            true => self.watch.next_all().await,
            false => vec![self.watch.next().await],
        };
        // Nothing is awaited from here on: what was taken is numbered.
        self.count();
        let changes = changes.iter().map(|change| note_change(state, change)).collect();
        Changes { number: self.number, changes }
    }

    /// Replaces a watch that panicked. The new one reports every holding anew.
    fn begin_again(&mut self, state: &State) -> Changes {
        self.watch = state.client.watch(self.known.iter().copied());
        self.count();
        let text = "a fault in saldo itself; the watch has begun again".to_owned();
        Changes { number: self.number, changes: vec![Change::Other { text }] }
    }

    fn count(&mut self) {
        self.number = self.number.wrapping_add(1).max(1);
    }
}

fn malformed(holding: &Holding) -> Change {
    let reading = Reading::unknown(Why::malformed_address());
    Change::Reading { holding: holding.clone(), reading, freshness: None }
}
