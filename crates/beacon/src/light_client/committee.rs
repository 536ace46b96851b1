//! A sync committee with its proof.

use std::sync::Arc;

use alloy_primitives::B256;

use super::contradiction::SignedUpdate;
use super::schedule::Schedule;
use crate::container::{BeaconBlockHeader, SyncCommittee};
use crate::fork::Fork;
use crate::merkle::normalized_branch_is_valid;
use crate::unit::Period;
use crate::update::LightClientBootstrap;

/// A committee, and the header and the branch that prove it. The proof is kept, so that a stored light client can be
/// checked again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProvenCommittee {
    pub(super) committee: SyncCommittee,
    /// The committee's hash tree root.
    pub(super) root: B256,
    /// The block whose state names it.
    pub(super) header: BeaconBlockHeader,
    pub(super) place: Place,
    pub(super) branch: Vec<B256>,
}

/// The field of a state that holds a committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Current,
    Next,
}

impl ProvenCommittee {
    /// Returns the committee of a verified bootstrap.
    pub(super) fn of_bootstrap(bootstrap: LightClientBootstrap) -> Arc<Self> {
        let committee = bootstrap.current_sync_committee;
        Arc::new(Self {
            root: committee.hash_tree_root(),
            committee,
            header: bootstrap.header.beacon,
            place: Place::Current,
            branch: bootstrap.current_sync_committee_branch,
        })
    }

    /// Returns the next committee of a verified update, if it has one.
    pub(super) fn of_update(signed: &SignedUpdate) -> Option<Arc<Self>> {
        let update = &signed.update;
        let next = update.next_sync_committee.as_ref()?;
        Some(Arc::new(Self {
            committee: next.committee.clone(),
            root: signed.next_committee_root.unwrap_or_else(|| next.committee.hash_tree_root()),
            header: update.attested_header.beacon,
            place: Place::Next,
            branch: next.branch.clone(),
        }))
    }

    /// Whether the committee has the network's size, and its proof shows that it is the committee of `period`.
    pub(super) fn is_proven(&self, schedule: Schedule<'_>, period: Period) -> bool {
        let network = schedule.network;
        let (slot, named_in) = (self.header.slot, network.period_at(self.header.slot));
        let (fork, named) = match self.place {
            Place::Current => (schedule.fork_of_checkpoint(slot).ok(), named_in),
            Place::Next => (schedule.fork_at(slot).ok(), named_in.saturating_add(1)),
        };
        let gindex = fork.map(Fork::rules).map(|rules| match self.place {
            Place::Current => rules.current_sync_committee,
            Place::Next => rules.next_sync_committee,
        });
        self.committee.pubkeys.len() == network.sync_committee_size()
            && named == period
            && gindex.is_some_and(|gindex| {
                normalized_branch_is_valid(self.root, &self.branch, gindex, self.header.state_root)
            })
    }
}
