//! New heads for all subscriptions of one network. While there are none, it asks for nothing.

use std::sync::Arc;
use std::time::Duration;

use saldo::{B256, BlockId, Client};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use crate::block;

/// The newest head, as subscriptions give it.
pub(crate) type Head = Option<Arc<str>>;

/// Follows the signed heads of one network while there are subscriptions.
#[derive(Debug)]
pub(crate) struct Feed {
    newest: watch::Sender<Head>,
    wanted: Notify,
}

impl Default for Feed {
    fn default() -> Self {
        Self { newest: watch::Sender::new(None), wanted: Notify::new() }
    }
}

impl Feed {
    /// Takes part in the feed until the receiver is dropped. What was fed before does not count.
    pub(crate) fn join(&self) -> watch::Receiver<Head> {
        let receiver = self.newest.subscribe();
        self.wanted.notify_one();
        receiver
    }

    /// Looks for new heads for as long as it is polled.
    pub(crate) async fn run(&self, client: &Client) {
        let mut last = B256::ZERO;
        loop {
            while self.newest.receiver_count() == 0 {
                self.wanted.notified().await;
                last = B256::ZERO;
            }
            if let Some((hash, head)) = newest(client, last).await {
                // The head at the time of the first subscription is not new.
                if last != B256::ZERO {
                    self.newest.send_replace(Some(head));
                }
                last = hash;
            }
            tokio::time::sleep(pause(client)).await;
        }
    }
}

/// The newest signed head, if it is not `last`.
async fn newest(client: &Client, last: B256) -> Option<(B256, Arc<str>)> {
    let anchor = client.block(BlockId::Latest).await.ok()?;
    if anchor.hash() == last {
        return None;
    }
    let header = client.header(BlockId::Hash(anchor.hash())).await.ok()?;
    let header = Value::Object(block::header(&header).ok()?);
    Some((anchor.hash(), header.to_string().into()))
}

/// How often is looked. The client asks its sources only if a newer head can have been signed.
fn pause(client: &Client) -> Duration {
    let slot = client.network().slot_duration();
    slot.checked_div(6).unwrap_or_default().clamp(Duration::from_millis(100), Duration::from_secs(2))
}
