//! Fetches the objects for a mirror, and verifies them: only what a light client accepts is written.

use std::sync::{Arc, Mutex, PoisonError};

use saldo_beacon::decode::{self, Encoding, MAX_UPDATES};
use saldo_beacon::unit::{Period, Slot, UnixTime};
use saldo_beacon::{
    Checkpoint, DecodeError, Fork, ForkDigest, LightClient, Network as Schedule, ScheduledFork,
};
use saldo_reading::{Attempt, Failure, Role};

use super::file::File;
use crate::beacon::{self, Data, Route};
use crate::clock::Deadline;
use crate::dispatcher::Dispatcher;
use crate::endpoint::Endpoint;
use crate::hedge::{Answer, DisclosureSet, Hedged, RequestSpec};
use crate::maybe_send::{IntoBoxed, MaybeSend, MaybeSync};

/// An object that a light client has accepted, as it came.
pub(super) struct Verified {
    pub(super) file: File,
    pub(super) fork: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// A head that a light client has accepted.
pub(super) struct Head {
    pub(super) slot: Slot,
    /// Whether the chain should have a newer one by now.
    pub(super) is_behind: bool,
    /// The light client that has accepted it.
    pub(super) client: LightClient,
    pub(super) verified: Verified,
}

/// Fetches from untrusted sources.
#[derive(Debug)]
pub(super) struct Gatherer {
    pub(super) dispatcher: Dispatcher,
    pub(super) schedule: Arc<Schedule>,
    pub(super) sources: Vec<Endpoint>,
}

impl Gatherer {
    /// How far a healthy chain's newest signed head is behind the clock, in slots.
    const USUAL_LAG: u64 = 2;

    pub(super) fn now(&self) -> UnixTime {
        self.dispatcher.io().clock().wall()
    }

    /// A light client that starts at `checkpoint`, with its bootstrap.
    pub(super) async fn bootstrap(
        &self,
        checkpoint: Checkpoint,
        deadline: Deadline,
    ) -> Hedged<(LightClient, Verified)> {
        let schedule = &self.schedule;
        self.ask(Route::Bootstrap(checkpoint.root), deadline, &|data| {
            let label = data.fork.as_deref();
            let bootstrap = decode::bootstrap(&data.bytes, Encoding::Ssz, label, schedule)?;
            let fork = self.fork_name(label, bootstrap.header.beacon.slot)?;
            let client = LightClient::bootstrap(schedule.clone(), checkpoint, bootstrap, self.now())?;
            let file = File::Bootstrap(checkpoint.root);
            Ok((client, Verified { file, fork, bytes: data.bytes.clone() }))
        })
        .await
    }

    /// A copy of `held` after some updates, with those that brought a next committee.
    pub(super) async fn committee_updates(
        &self,
        held: &LightClient,
        start: Period,
        count: u64,
        deadline: Deadline,
    ) -> Hedged<(LightClient, Vec<Verified>)> {
        let route = Route::Updates { start, count: count.min(beacon::MAX_UPDATES) };
        self.ask(route, deadline, &|data| {
            let mut advanced = held.clone();
            let mut verified = Vec::new();
            let refusal = frames(&data.bytes)?.into_iter().find_map(|(digest, bytes)| {
                let update = self.apply_update(&mut advanced, digest, bytes);
                update.map(|update| verified.extend(update)).err()
            });
            let progress = |client: &LightClient| (client.period(), client.next_committee_known());
            match refusal {
                _ if progress(&advanced) > progress(held) => Ok((advanced, verified)),
                Some(refusal) => Err(refusal),
                None => Err(Failure::NotServed { method: route.name() }),
            }
        })
        .await
    }

    /// Applies one update to `client`; returns the update if it brought the next committee.
    fn apply_update(
        &self,
        client: &mut LightClient,
        digest: ForkDigest,
        bytes: &[u8],
    ) -> Result<Option<Verified>, Failure> {
        let label = self.schedule.fork_of_digest(digest).map(ScheduledFork::name);
        let update = decode::update(bytes, Encoding::Ssz, label, &self.schedule)?;
        let fork = self.fork_name(label, update.attested_slot())?;
        let file = File::Update(self.schedule.period_at(update.attested_slot()));
        let advanced = client.advance(update, self.now())?;
        Ok(advanced.next_committee.then(|| Verified { file, fork, bytes: bytes.to_vec() }))
    }

    /// The newest finality or optimistic update that verifies, and the attempts.
    pub(super) async fn head(
        &self,
        held: &LightClient,
        file: File,
        deadline: Deadline,
    ) -> (Option<Head>, Vec<Attempt>) {
        let best: Mutex<Option<Head>> = Mutex::new(None);
        let is_finality = file == File::FinalityUpdate;
        let route = if is_finality { Route::FinalityUpdate } else { Route::OptimisticUpdate };
        let judge = |data: &Data| {
            let label = data.fork.as_deref();
            let update = match is_finality {
                true => decode::finality_update(&data.bytes, Encoding::Ssz, label, &self.schedule),
                false => decode::optimistic_update(&data.bytes, Encoding::Ssz, label, &self.schedule),
            }?;
            let slot = update.attested_slot();
            let fork = self.fork_name(label, slot)?;
            let mut client = held.clone();
            client.advance(update, self.now())?;
            let missing = self.schedule.slot_at(self.now()).and_then(|now| now.since(slot));
            let missing = missing.unwrap_or(0).saturating_sub(Self::USUAL_LAG);
            let mut best = best.lock().unwrap_or_else(PoisonError::into_inner);
            if best.as_ref().is_none_or(|best| best.slot < slot) {
                let verified = Verified { file, fork, bytes: data.bytes.clone() };
                *best = Some(Head { slot, is_behind: missing > 0, client, verified });
            }
            // Another source may have a newer head, so this one is not accepted.
            if missing > 0 { Err(Failure::Behind { slots: missing }) } else { Ok(()) }
        };
        let hedged = self.ask(route, deadline, &judge).await;
        (best.into_inner().unwrap_or_else(PoisonError::into_inner), hedged.attempts)
    }

    async fn ask<'a, T: MaybeSend + 'a>(
        &'a self,
        route: Route,
        deadline: Deadline,
        judge: &'a (impl Fn(&Data) -> Result<T, Failure> + MaybeSync),
    ) -> Hedged<T> {
        let spec = RequestSpec { role: Role::Beacon, method: route.name(), deadline };
        let ask = |source: &'a Endpoint| {
            async move {
                let judged = self.fetch(source, route, deadline).await.and_then(|data| judge(&data));
                judged.map_or_else(Answer::Failed, Answer::Accepted)
            }
            .into_boxed()
        };
        Dispatcher::hedge_one(&self.dispatcher, spec, &self.sources, DisclosureSet::unrestricted(), ask).await
    }

    /// Fetches from a beacon API or another mirror. Only SSZ can be kept as a file.
    async fn fetch(&self, source: &Endpoint, route: Route, deadline: Deadline) -> Result<Data, Failure> {
        let io = self.dispatcher.io();
        let left = deadline.left(io.clock());
        let data = if source.is_mirror() {
            super::fetch(io, &self.schedule, self.now(), source, route, left).await?
        } else {
            beacon::fetch(io, source, route, left).await?
        };
        match data.encoding {
            Encoding::Ssz => Ok(data),
            Encoding::Json => Err(Failure::NotServed { method: "light-client data in SSZ" }),
        }
    }

    /// The fork in the file's name: that of the slot, or the next one if the label says so. A client reads the file in either form.
    fn fork_name(&self, label: Option<&str>, slot: Slot) -> Result<&'static str, DecodeError> {
        let label = label.and_then(|label| label.parse::<Fork>().ok());
        let next = self.schedule.fork_after(slot).and_then(ScheduledFork::fork);
        let fork = match next {
            Some(next) if label == Some(next) => next,
            _ => self.schedule.fork_at(slot)?,
        };
        Ok(fork.name())
    }
}

/// The updates of a list, each with its fork's digest.
fn frames(mut bytes: &[u8]) -> Result<Vec<(ForkDigest, &[u8])>, Failure> {
    let malformed = Failure::Malformed { what: "not a list of updates in SSZ" };
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let split = bytes.split_first_chunk().and_then(|(length, rest)| {
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (frame, rest) = rest.split_at_checked(length)?;
            Some((frame.split_first_chunk::<4>()?, rest))
        });
        let Some(((digest, update), rest)) = split.filter(|_| frames.len() < MAX_UPDATES) else {
            return Err(malformed);
        };
        frames.push((*digest, update));
        bytes = rest;
    }
    Ok(frames)
}
