//! Following the committee updates, and learning the next committee before it is needed.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use saldo_beacon::unit::Period;
use saldo_beacon::{AdvanceError, LightClient, decode};
use saldo_reading::Failure;
use saldo_source::beacon::Route;
use saldo_source::{Answer, Deadline, Endpoint};

use super::Head;
use super::step::Need;

/// The name under which the dispatcher ranks sources of committee updates.
pub(super) const UPDATES: &str = "light_client/updates";

impl Head {
    /// How long after starting, or after nobody served it, the next committee is asked for while it is not needed yet.
    const NEXT_COMMITTEE_PAUSE: Duration = Duration::from_secs(600);
    /// How long a read may take longer for a next committee that is not needed yet.
    const NEXT_COMMITTEE_PATIENCE: Duration = Duration::from_millis(1_500);
    /// The same where it is asked for the first time since the app was opened: somebody looks at the screen.
    const NEXT_COMMITTEE_GRACE: Duration = Duration::from_millis(100);

    pub(super) fn updates<'a>(
        &'a self,
        source: &'a Endpoint,
        start: Period,
        count: u64,
        deadline: Deadline,
    ) -> BoxFuture<'a, Answer<()>> {
        async move {
            let handed_over = async {
                let data = self.fetch(source, Route::Updates { start, count }, deadline).await?;
                let updates = decode::updates(&data.bytes, data.encoding, &self.network())?;
                let before = self.hand_overs();
                let refusal = updates.into_iter().find_map(|update| self.advance(update).err());
                match refusal {
                    _ if self.hand_overs() > before => Ok(()),
                    // An empty list, or genuine updates of which the first brings no next committee, so that the others cannot be
                    // checked.
                    None | Some(Failure::Update(AdvanceError::CommitteeUnknown { .. })) => {
                        Err(Failure::NotServed { method: "light_client/updates" })
                    }
                    Some(refusal) => Err(refusal),
                }
            };
            handed_over.await.map_or_else(Answer::Failed, Answer::Accepted)
        }
        .boxed()
    }

    /// Asks for the next committee while `read` goes on, and for a little longer: at the end of the period it is too late to
    /// find a source.
    pub(crate) async fn learn_next_committee_beside<T: Send>(
        &self,
        read: impl Future<Output = T> + Send,
        deadline: Deadline,
    ) -> T {
        let is_first = self.state().next_committee_after.is_none();
        match select(read.boxed(), self.learn_next_committee(deadline).boxed()).await {
            Either::Left((read, learning)) if is_first => {
                select(learning, self.env.clock().sleep(Self::NEXT_COMMITTEE_GRACE)).await;
                read
            }
            // Whoever gave it up each time would ask for it again and again.
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
        let deadline = deadline.min(Deadline::after(clock, Self::NEXT_COMMITTEE_PATIENCE));
        // Not needed yet: whoever fails here is asked again before it is.
        let _ = self.ask_sources(UPDATES, deadline, |source| self.updates(source, period, 1, deadline)).await;
    }

    pub(super) fn next_committee_pause(&self) -> Duration {
        self.env.clock().monotonic().saturating_add(Self::NEXT_COMMITTEE_PAUSE)
    }

    /// Asks for the first hand-over that is not known and the one after it, whatever the clock says.
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
