//! Which fork a slot belongs to: by the table, and if the table is outdated, by what signatures have shown.
//!
//! Fork times change after a release. The committee signs under the version of its fork, so a signature shows its fork.
//! Between the newest head known to be before a fork and the oldest head known to be in it, the fork is not known. No
//! body in that range may be interpreted: at the indices of another fork, a genuine body holds what its builder chose.
//! A builder cannot choose the state, so a proof under a state can show its fork.

use crate::fork::{Fork, UnknownFork};
use crate::network::{Network, ScheduledFork};
use crate::signature::ForkVersion;
use crate::unit::{Epoch, Slot};
use crate::update::{Execution, LightClientUpdate};

/// The epochs of the heads that were verified as heads of one fork.
///
/// The start of a fork lies after the `last` of the fork before it, and not after its own `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedFork {
    /// The fork's version.
    pub version: ForkVersion,
    /// The epoch of the oldest verified head.
    pub first: Epoch,
    /// The epoch of the newest verified head.
    pub last: Epoch,
}

/// A network's table, together with what signatures have shown. Indices of forks are their places in the table.
#[derive(Clone, Copy)]
pub(super) struct Schedule<'a> {
    pub(super) network: &'a Network,
    /// Oldest first.
    pub(super) verified: &'a [VerifiedFork],
}

/// What is known about the fork of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The epoch belongs to this fork.
    Of(usize),
    /// The epoch belongs to one of these two forks, or to one between them. Neither the table nor a signature shows
    /// which.
    Between(usize, usize),
}

/// Why the fork of a slot is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotKnown {
    /// This version of saldo does not know the fork by name.
    Unknown(UnknownFork),
    /// The slot lies between two forks, and no signature has shown yet where the first one ends.
    Unsettled,
}

impl From<UnknownFork> for NotKnown {
    fn from(fork: UnknownFork) -> Self {
        Self::Unknown(fork)
    }
}

impl<'a> Schedule<'a> {
    /// Returns the fork of a slot.
    pub(super) fn fork_at(&self, slot: Slot) -> Result<Fork, NotKnown> {
        match self.place(self.network.epoch_at(slot))? {
            Place::Of(index) => self.named(index),
            Place::Between(..) => Err(NotKnown::Unsettled),
        }
    }

    /// Returns the forks whose versions a signature made at a slot can have, the most likely first.
    ///
    /// After a head of a fork was verified, no later slot counts as before that fork.
    pub(super) fn candidates(
        &self,
        slot: Slot,
    ) -> Result<impl Iterator<Item = &'a ScheduledFork>, UnknownFork> {
        let (first, last) = match self.place(self.network.epoch_at(slot))? {
            Place::Of(index) => (index, index.saturating_add(1)),
            Place::Between(before, after) => (before, after),
        };
        let count = last.saturating_sub(first).saturating_add(1);
        Ok(self.network.forks().iter().skip(first).take(count))
    }

    /// Returns the fork of a head whose signature holds under the version of `signed`, and what that shows.
    ///
    /// `signature_slot` is the claimed slot of the signature. No signature covers it.
    pub(super) fn verify(
        &self,
        head: Slot,
        signed: &ScheduledFork,
        signature_slot: Slot,
    ) -> Result<(Fork, VerifiedFork), NotKnown> {
        let epoch = self.network.epoch_at(head);
        let signed_index =
            self.index_of(signed.version()).ok_or_else(|| UnknownFork::named(signed.name()))?;
        let is_scheduled = self.scheduled(self.network.epoch_at(signature_slot)) == Some(signed_index);
        let index = match self.place(epoch)? {
            Place::Of(index) if index == signed_index || is_scheduled || self.is_verified(epoch) => index,
            // A head that was signed before the fork is before the fork.
            Place::Between(before, _) if before == signed_index => before,
            // A head that was signed in the fork can still be the last head before it.
            _ if self.is_surely_signed_in_its_epoch(head) => signed_index,
            _ => {
                self.named(signed_index)?;
                return Err(NotKnown::Unsettled);
            }
        };
        self.shown(index, epoch)
    }

    /// Returns the fork of a head by its state, if the signature alone does not settle it, and what that shows. The
    /// fork is the only one for which `is_proven` is true, up to the fork of the signature.
    ///
    /// At the index where one fork has a root in its state, the other fork has a value that cannot be a root: a node
    /// below a number, a version, or zeros. This must be checked again for every fork that moves an index.
    pub(super) fn told_by_state(
        &self,
        head: Slot,
        signed: &ScheduledFork,
        is_proven: impl Fn(Fork) -> bool,
    ) -> Result<(Fork, VerifiedFork), NotKnown> {
        let epoch = self.network.epoch_at(head);
        let (Place::Of(first) | Place::Between(first, _)) = self.place(epoch)?;
        let last = self.index_of(signed.version()).unwrap_or(first);
        let mut proven = (first..=last).filter(|index| self.named(*index).is_ok_and(&is_proven));
        match (proven.next(), proven.next()) {
            (Some(index), None) => self.shown(index, epoch),
            _ => Err(NotKnown::Unsettled),
        }
    }

    /// Returns the fork of a checkpoint, and what that shows. It is the fork of the table, with one exception: if the
    /// table has no time for the next fork, and only the next fork `is_proven` by the checkpoint's state, it is the
    /// next fork.
    pub(super) fn told_by_checkpoint(
        &self,
        slot: Slot,
        is_proven: impl Fn(Fork) -> bool,
    ) -> Result<(Fork, Option<VerifiedFork>), UnknownFork> {
        let scheduled = self.fork_of_checkpoint(slot)?;
        let next = self.network.fork_after(slot).filter(|next| next.epoch().is_none());
        let Some((version, fork)) = next.and_then(|next| Some((next.version(), next.fork()?))) else {
            return Ok((scheduled, None));
        };
        if is_proven(scheduled) || !is_proven(fork) {
            return Ok((scheduled, None));
        }
        let epoch = self.network.epoch_at(slot);
        Ok((fork, Some(VerifiedFork { version, first: epoch, last: epoch })))
    }

    /// Returns the fork of a checkpoint's slot: as shown for its epoch, otherwise by the table. A checkpoint has no
    /// signature.
    pub(super) fn fork_of_checkpoint(&self, slot: Slot) -> Result<Fork, UnknownFork> {
        let is_verified = self.is_verified(self.network.epoch_at(slot));
        let shown = is_verified.then(|| self.fork_at(slot).ok()).flatten();
        shown.map_or_else(|| self.network.fork_at(slot), Ok)
    }

    /// Returns how old a checkpoint of the epoch `from` may be at the epoch `to`, in epochs. The limits of forks that
    /// were seen count too, even if the table does not have their times.
    pub(super) fn max_checkpoint_age_between(&self, from: Epoch, to: Epoch) -> u64 {
        let seen = self.verified.iter().filter(|fork| from <= fork.last);
        let forks = seen.filter_map(|fork| self.network.forks().get(self.index_of(fork.version)?));
        let limits = forks.filter_map(ScheduledFork::max_checkpoint_age_epochs);
        limits.chain([self.network.max_checkpoint_age_between(from, to)]).min().unwrap_or(0)
    }

    fn shown(&self, index: usize, epoch: Epoch) -> Result<(Fork, VerifiedFork), NotKnown> {
        let fork = self.named(index)?;
        let version = self.network.forks().get(index).map(ScheduledFork::version).unwrap_or_default();
        Ok((fork, VerifiedFork { version, first: epoch, last: epoch }))
    }

    /// Whether the signature was surely made in the epoch of the head. The version of a signature is that of the slot in
    /// which it was made. That slot can be later than the head's if the slots between have no block. saldo assumes that
    /// there is always a block within an eighth of an epoch.
    fn is_surely_signed_in_its_epoch(&self, head: Slot) -> bool {
        let slots = self.network.slots_per_epoch();
        let position = head.get().checked_rem(slots).unwrap_or(0);
        slots.saturating_sub(position) > (slots / 8).max(1)
    }

    fn place(&self, epoch: Epoch) -> Result<Place, UnknownFork> {
        let before = self.verified.iter().rfind(|fork| fork.first <= epoch);
        let before = before.and_then(|fork| self.index_of(fork.version));
        let known = self.scheduled(epoch).max(before).ok_or_else(|| UnknownFork::named("phase0"))?;
        if self.is_verified(epoch) {
            return Ok(Place::Of(before.unwrap_or(known)));
        }
        // The table is outdated if it gives the next verified head an older fork than its signature showed.
        let after = self.verified.iter().find(|fork| fork.first > epoch);
        let after = after.filter(|fork| self.scheduled(fork.first) <= Some(known));
        match after.and_then(|fork| self.index_of(fork.version)).filter(|after| *after > known) {
            Some(after) => Ok(Place::Between(known, after)),
            None => Ok(Place::Of(known)),
        }
    }

    fn is_verified(&self, epoch: Epoch) -> bool {
        self.verified.iter().any(|fork| fork.first <= epoch && epoch <= fork.last)
    }

    fn scheduled(&self, epoch: Epoch) -> Option<usize> {
        self.network.forks().iter().rposition(|fork| fork.epoch().is_some_and(|start| start <= epoch))
    }

    fn index_of(&self, version: ForkVersion) -> Option<usize> {
        self.network.forks().iter().position(|fork| fork.version() == version)
    }

    fn named(&self, index: usize) -> Result<Fork, NotKnown> {
        let name = self.network.forks().get(index).map_or("", ScheduledFork::name);
        name.parse().map_err(NotKnown::Unknown)
    }

    /// Returns the update without the execution part of its finalized header, if the fork of that header is not known.
    pub(super) fn without_unsettled(&self, mut update: LightClientUpdate) -> LightClientUpdate {
        let header = update.finality.as_mut().and_then(|part| part.header.as_mut());
        if let Some(header) = header.filter(|header| self.fork_at(header.beacon.slot).is_err()) {
            (header.execution, header.execution_branch) = (Execution::Absent, Vec::new());
        }
        update
    }

    /// Returns a verified fork that this table contradicts, if there is one.
    ///
    /// A table without the time of a fork does not contradict any time.
    pub(super) fn contradiction(&self) -> Option<VerifiedFork> {
        let agrees = |fork: &VerifiedFork| {
            let index = self.index_of(fork.version);
            let start =
                index.and_then(|index| self.network.forks().get(index)).and_then(ScheduledFork::epoch);
            index.is_some()
                && start.is_none_or(|start| start <= fork.first)
                && self.scheduled(fork.last) <= index
        };
        self.verified.iter().copied().find(|fork| !agrees(fork))
    }
}

/// Whether the forks are in the order that [`record`] keeps.
pub(super) fn is_in_order(verified: &[VerifiedFork]) -> bool {
    verified.iter().all(|fork| fork.first <= fork.last)
        && verified.is_sorted_by(|earlier, later| earlier.last < later.first)
}

/// Adds what a signature or a state has shown.
pub(super) fn record(verified: &mut Vec<VerifiedFork>, shown: VerifiedFork) {
    match verified.iter_mut().find(|fork| fork.version == shown.version) {
        Some(fork) => (fork.first, fork.last) = (fork.first.min(shown.first), fork.last.max(shown.last)),
        None => verified.push(shown),
    }
    verified.sort_by_key(|fork| fork.first);
}

#[cfg(test)]
mod tests;
