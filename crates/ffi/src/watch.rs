//! The watch: what a screen shows while it is open.

use std::sync::Arc;

use futures_util::lock::Mutex;

use crate::change::Change;
use crate::client::{Core, State, note_change};
use crate::holding::Holding;
use crate::reading::Reading;
use crate::why::Why;

/// Watches the readings of some holdings, for as long as the app waits in `next`. Between the calls it makes no request.
///
/// A call can be cancelled when its changes are already on the way. So every batch has a number, and the app names the number of
/// the last batch that it received: if that is not the last one that was made, the changes are reported again, from the state of
/// that moment.
#[derive(uniffi::Object)]
pub struct Watch {
    core: Arc<Core>,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    watch: saldo::Watch,
    /// The number of the last batch.
    number: u64,
    /// Holdings with a malformed address. They are the first batch, until the app has received it.
    malformed: Vec<Holding>,
}

/// Some changes, in their order. A screen that applies them together shows no sum of old and new amounts.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Changes {
    /// The number of this batch, for the next call. 0 if the client was shut down.
    pub number: u64,
    /// The changes. Empty only if the client was shut down: the watch has ended.
    pub changes: Vec<Change>,
}

impl Watch {
    pub(crate) fn new(core: Arc<Core>, holdings: Vec<Holding>) -> Self {
        let known = holdings.iter().filter_map(Holding::read);
        let watch = core.state.client.watch(known);
        let malformed = holdings.into_iter().filter(|holding| holding.read().is_none()).collect();
        let inner = Arc::new(Mutex::new(Inner { watch, number: 0, malformed }));
        Self { core, inner }
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

impl Watch {
    async fn wait(&self, received: u64, all: bool) -> Changes {
        let inner = Arc::clone(&self.inner);
        let job =
            move |state: Arc<State>| async move { inner.lock().await.wait(&state, received, all).await };
        let ended = |_| Changes { number: 0, changes: Vec::new() };
        self.core.ask(job).await.unwrap_or_else(ended)
    }
}

impl Inner {
    async fn wait(&mut self, state: &State, received: u64, all: bool) -> Changes {
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
        self.number = self.number.wrapping_add(1).max(1);
        let changes = changes.iter().map(|change| note_change(state, change)).collect();
        Changes { number: self.number, changes }
    }
}

fn malformed(holding: &Holding) -> Change {
    let reading = Reading::unknown(Why::malformed_address());
    Change::Reading { holding: holding.clone(), reading, freshness: None }
}
