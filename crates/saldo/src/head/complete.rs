//! Fetches a committee with all its keys, from a checkpoint on, for a file that another person checks.

use saldo_beacon::unit::Period;
use saldo_beacon::{Checkpoint, LightClient, LightClientBootstrap, LightClientUpdate, decode};
use saldo_reading::{Attempt, Failure, Role};
use saldo_source::beacon::{MAX_UPDATES, Route};
use saldo_source::{Answer, Deadline, Endpoint, IntoBoxed};

use super::Head;

/// The bootstrap of a checkpoint, and an update for each later period.
pub(crate) type Complete = (LightClientBootstrap, Vec<LightClientUpdate>);

impl Head {
    /// Fetches the bootstrap of `checkpoint` and the updates that lead to the committee of the period `to`, in hedged requests. What
    /// a source sends is verified from the checkpoint on. The state of the light client does not change.
    pub(crate) async fn fetch_complete(
        &self,
        checkpoint: Checkpoint,
        to: Period,
        deadline: Deadline,
    ) -> (Option<Complete>, Vec<Attempt>) {
        let ask = |source| {
            async move {
                let complete = self.complete_from(source, checkpoint, to, deadline).await;
                complete.map_or_else(Answer::Failed, Answer::Accepted)
            }
            .into_boxed()
        };
        let hedged = self.env.hedge(Role::Beacon, "light_client/bootstrap", deadline, ask).await;
        (hedged.winner.map(|(_, complete)| complete), hedged.attempts)
    }

    async fn complete_from(
        &self,
        source: &Endpoint,
        checkpoint: Checkpoint,
        to: Period,
        deadline: Deadline,
    ) -> Result<Complete, Failure> {
        let network = self.network();
        let data = self.fetch(source, Route::Bootstrap(checkpoint.root), deadline).await?;
        let bootstrap = decode::bootstrap(&data.bytes, data.encoding, data.fork.as_deref(), &network)?;
        let now = self.time();
        let mut client =
            LightClient::bootstrap(std::sync::Arc::clone(&network), checkpoint, bootstrap.clone(), now)?;
        let mut next = client.period();
        let mut updates = Vec::new();
        while let Some(missing) = to.since(next).filter(|missing| *missing > 0) {
            let route = Route::Updates { start: next, count: missing.min(MAX_UPDATES) };
            let data = self.fetch(source, route, deadline).await?;
            let before = next;
            for update in decode::updates(&data.bytes, data.encoding, &network)? {
                if next < to && client.advance(update.clone(), now)?.next_committee {
                    updates.push(update);
                    next = next.saturating_add(1);
                }
            }
            if next == before {
                return Err(Failure::NotServed { method: route.name() });
            }
        }
        Ok((bootstrap, updates))
    }
}
