//! Follows the committee updates, and learns the next committee before it is needed.

use std::time::Duration;

use futures_util::future::{Either, select};
use saldo_beacon::unit::Period;
use saldo_beacon::{AdvanceError, LightClient, decode};
use saldo_reading::Failure;
use saldo_source::beacon::Route;
use saldo_source::{Answer, BoxedFuture, Deadline, Endpoint, IntoBoxed, MaybeSend};

use super::Head;
use super::step::Need;

/// The name under which the dispatcher ranks sources of committee updates.
pub(super) const UPDATES: &str = "light_client/updates";

impl Head {
    /// The pause after the start, or after a request that failed, before the next committee is requested while
    /// it is not needed yet.
    const NEXT_COMMITTEE_PAUSE: Duration = Duration::from_secs(600);
    /// The extra time that a read spends on a next committee that is not needed yet.
    const NEXT_COMMITTEE_WAIT: Duration = Duration::from_millis(1_500);
    /// The extra time for the first request after the app was opened, because the user looks at the screen.
    const NEXT_COMMITTEE_GRACE: Duration = Duration::from_millis(100);

    pub(super) fn updates<'a>(
        &'a self,
        source: &'a Endpoint,
        start: Period,
        count: u64,
        deadline: Deadline,
    ) -> BoxedFuture<'a, Answer<()>> {
        async move {
            let updated = async {
                let data = self.fetch(source, Route::Updates { start, count }, deadline).await?;
                let updates = decode::updates(&data.bytes, data.encoding, &self.network())?;
                let before = self.committees_known();
                let refusal = updates.into_iter().enumerate().find_map(|(place, update)| {
                    let failure = self.advance(update).err()?;
                    let is_unsigned = matches!(failure, Failure::Update(AdvanceError::Signature(_)));
                    let may_be_of_unknown_fork = is_unsigned
                        && decode::names_unknown_fork_at(place, &data.bytes, data.encoding, &self.network());
                    Some((failure, may_be_of_unknown_fork))
                });
                match refusal {
                    _ if self.committees_known() > before => Ok(()),
                    // The list is empty, or the first update brings no next committee, so that the others
                    // cannot be checked.
                    None | Some((Failure::Update(AdvanceError::CommitteeUnknown { .. }), _)) => {
                        Err(Failure::NotServed { method: "light_client/updates" })
                    }
                    // The signature may be genuine under the version of that fork. But the fork digests of another chain are
                    // unknown too.
                    Some((_, true)) if self.is_of_this_chain(source, deadline).await => {
                        Err(Failure::UnknownFork)
                    }
                    Some((refusal, _)) => Err(refusal),
                }
            };
            updated.await.map_or_else(Answer::Failed, Answer::Accepted)
        }
        .into_boxed()
    }

    /// Whether the source says that its genesis is that of this chain.
    async fn is_of_this_chain(&self, source: &Endpoint, deadline: Deadline) -> bool {
        let Ok(data) = self.fetch(source, Route::Genesis, deadline).await else { return false };
        let genesis: serde_json::Value = serde_json::from_slice(&data.bytes).unwrap_or_default();
        let root = genesis.pointer("/data/genesis_validators_root").and_then(serde_json::Value::as_str);
        root.and_then(|root| root.parse().ok()) == Some(self.network().genesis_validators_root())
    }

    /// Requests the next committee while `read` runs, and for a little longer. At the end of the period it is
    /// too late to find a source.
    pub(crate) async fn learn_next_committee_beside<T: MaybeSend>(
        &self,
        read: impl Future<Output = T> + MaybeSend,
        deadline: Deadline,
    ) -> T {
        let is_first = self.state().next_committee_after.is_none();
        match select(read.into_boxed(), self.learn_next_committee(deadline).into_boxed()).await {
            Either::Left((read, learning)) if is_first => {
                select(learning, self.env.clock().sleep(Self::NEXT_COMMITTEE_GRACE)).await;
                read
            }
            // Await it: cancelling would repeat the request on every read.
            Either::Left((read, learning)) => {
                learning.await;
                read
            }
            Either::Right(((), read)) => read.await,
        }
    }

    async fn learn_next_committee(&self, deadline: Deadline) {
        let clock = self.env.clock();
        if matches!(self.need(), Need::Restart { .. }) {
            return;
        }
        let period = {
            let mut state = self.state();
            let lacking = state.light_client.as_ref().filter(|client| !client.next_committee_known());
            let Some(period) = lacking.map(LightClient::period) else { return };
            if state.next_committee_after.is_some_and(|after| clock.monotonic() < after) {
                return;
            }
            state.next_committee_after = Some(self.next_committee_pause());
            period
        };
        let deadline = deadline.min(Deadline::after(clock, Self::NEXT_COMMITTEE_WAIT));
        // A failure has no consequence: the committee is not needed yet, and the request is repeated before it
        // is.
        let _ = self.ask_sources(UPDATES, deadline, |source| self.updates(source, period, 1, deadline)).await;
    }

    pub(super) fn next_committee_pause(&self) -> Duration {
        self.env.clock().monotonic().saturating_add(Self::NEXT_COMMITTEE_PAUSE)
    }

    /// Requests the first unknown committee update and the one after it, whatever the clock says.
    pub(super) async fn look_ahead(&self, deadline: Deadline) {
        let first_unknown =
            |client: &LightClient| client.period().saturating_add(u64::from(client.next_committee_known()));
        let first = self.state().light_client.as_ref().map(first_unknown);
        if let Some(start) = first {
            let _ =
                self.ask_sources(UPDATES, deadline, |source| self.updates(source, start, 2, deadline)).await;
        }
    }
}
