//! The probe client: follows the committee updates on a copy of the light client, to learn what a chain says
//! without trusting it.

use std::sync::Mutex;

use alloy_primitives::B256;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{AdvanceError, LightClient, LightClientUpdate, Wants, decode};
use saldo_reading::{Attempt, Failure, Outcome, Role};
use saldo_source::beacon::{MAX_UPDATES, Route};
use saldo_source::{Answer, BoxedFuture, Deadline, Endpoint, IntoBoxed};

use super::Head;

impl Head {
    /// The newest final block that follows from the newest known checkpoint, however old that is. The light
    /// client that was running, the given checkpoint and the network's own checkpoint count.
    ///
    /// Nothing is proven by it. Beyond weak subjectivity, the signers of these committee updates may have
    /// signed others too.
    pub(super) async fn newest_final_by_probe(&self, deadline: Deadline) -> Option<(Slot, B256)> {
        let generation = self.state().generation;
        let mut probe = self.probe(deadline).await?;
        let mut has_moved = false;
        // Each round passes a period or is the last. The bound protects against a client that does not advance.
        for _ in 0..1_000 {
            let now = self.now().time();
            let committee_updates = match probe.wants(now) {
                Wants::Updates { start, count } if !probe.knows_committee_at(now) => {
                    Some(Route::Updates { start, count: count.min(MAX_UPDATES) })
                }
                _ => None,
            };
            let route = committee_updates.unwrap_or(Route::FinalityUpdate);
            let ask = |source| self.advance_probe(source, &probe, route, deadline);
            let result = self.env.hedge(Role::Beacon, route.name(), deadline, ask).await;
            let Some((_, further)) = result.winner else {
                let is_refused =
                    |attempt: &Attempt| matches!(attempt.outcome.failure(), Some(Failure::Update(_)));
                // Updates that no further update fits may have been forged: the next call starts again from the
                // checkpoint.
                if !has_moved && result.attempts.iter().any(is_refused) {
                    self.drop_probe();
                }
                break;
            };
            has_moved = true;
            // A year of committee updates takes more than one read: the next read continues from here.
            let mut state = self.state();
            if state.generation != generation {
                return None; // The caller restarted trust elsewhere meanwhile.
            }
            state.probe = Some(further.clone());
            drop(state);
            probe = further;
            if committee_updates.is_none() {
                break;
            }
        }
        let head = probe.finalized_head();
        Some((head.slot(), head.beacon_root()))
    }

    /// Drops the probe client, so that the next call starts again. An attacker with the keys of an old
    /// committee can mislead it, but not for good.
    pub(super) fn drop_probe(&self) {
        self.state().probe = None;
    }

    /// The time of the newest head of the sources, if the known committees verify it and no source gives a head
    /// of a later committee. Then no committee update is missing, whatever the clock says.
    pub(super) async fn newest_by_known_committees(&self, deadline: Deadline) -> Option<UnixTime> {
        let held = self.state().light_client.clone()?;
        let newest = Mutex::new(None);
        let ask = |source| {
            let (newest, mut copy) = (&newest, held.clone());
            async move {
                let advanced = async {
                    let data = self.fetch(source, Route::OptimisticUpdate, deadline).await?;
                    let fork = data.fork.as_deref();
                    let update =
                        decode::optimistic_update(&data.bytes, data.encoding, fork, &self.network())?;
                    let slot = update.attested_slot();
                    copy.advance(update, self.now().time())?;
                    Ok::<Slot, Failure>(slot)
                };
                match advanced.await {
                    Ok(slot) => {
                        let mut newest = newest.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        *newest = (*newest).max(Some(slot));
                        Answer::<()>::Pending { was_right_before: false }
                    }
                    Err(failure) => Answer::Failed(failure),
                }
            }
            .into_boxed()
        };
        let result =
            self.env.hedge(Role::Beacon, Route::FinalityUpdate.name(), self.env.half(deadline), ask).await;
        let is_of_later_committee = |outcome: &Outcome| {
            matches!(outcome.failure(), Some(Failure::Update(AdvanceError::CommitteeUnknown { .. })))
        };
        if result.attempts.iter().any(|attempt| is_of_later_committee(&attempt.outcome)) {
            return None;
        }
        let newest = newest.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        newest.map(|slot| self.network().slot_start(slot))
    }

    async fn probe(&self, deadline: Deadline) -> Option<LightClient> {
        let at_hand = {
            let state = self.state();
            let candidates = [&state.light_client, &state.probe].into_iter().flatten();
            candidates.max_by_key(|client| client.finalized_head().slot()).cloned()
        };
        if at_hand.is_some() {
            return at_hand;
        }
        let own = self.network().checkpoint().copied();
        let again = self.state().restarted_at;
        let checkpoint = again.or(self.trust_start.given().copied()).or(own)?;
        let ask = |source| {
            async move {
                let started = async {
                    let data = self.fetch(source, Route::Bootstrap(checkpoint.root), deadline).await?;
                    let fork = data.fork.as_deref();
                    let bootstrap = decode::bootstrap(&data.bytes, data.encoding, fork, &self.network())?;
                    // Checked at the bootstrap's own time: the probe client is not trusted, however young it
                    // is.
                    let then = self.network().slot_start(bootstrap.header.beacon.slot);
                    Ok(LightClient::bootstrap(self.network(), checkpoint, bootstrap, then)?)
                };
                started.await.map_or_else(Answer::Failed, Answer::Accepted)
            }
            .into_boxed()
        };
        let result = self.env.hedge(Role::Beacon, "light_client/bootstrap", deadline, ask).await;
        result.winner.map(|(_, probe)| probe)
    }

    /// A copy of `probe`, advanced by what `source` serves on `route`.
    fn advance_probe<'a>(
        &'a self,
        source: &'a Endpoint,
        probe: &LightClient,
        route: Route,
        deadline: Deadline,
    ) -> BoxedFuture<'a, Answer<LightClient>> {
        let mut further = probe.clone();
        let before = (probe.period(), probe.next_committee_known());
        let finalized = probe.finalized_head().slot();
        async move {
            let probed = async {
                let data = self.fetch(source, route, deadline).await?;
                let is_committee_update = matches!(route, Route::Updates { .. });
                let updates: Vec<LightClientUpdate> = if is_committee_update {
                    decode::updates(&data.bytes, data.encoding, &self.network())?
                } else {
                    let fork = data.fork.as_deref();
                    vec![decode::finality_update(&data.bytes, data.encoding, fork, &self.network())?]
                };
                let now = self.now().time();
                let refusal = updates.into_iter().find_map(|update| further.advance(update, now).err());
                let has_moved = if is_committee_update {
                    (further.period(), further.next_committee_known()) > before
                } else {
                    further.finalized_head().slot() > finalized
                };
                match refusal {
                    _ if has_moved => Ok(further),
                    Some(refusal) => Err(refusal.into()),
                    None => Err(Failure::NotServed { method: route.name() }),
                }
            };
            probed.await.map_or_else(Answer::Failed, Answer::Accepted)
        }
        .into_boxed()
    }
}
