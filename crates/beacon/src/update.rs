//! What light-client servers send, in one form for all forks.
//!
//! The form on the wire differs by fork and by route; [`decode`](crate::decode) turns each into these types. Values of
//! these types are not trusted: only [`LightClient`](crate::LightClient) verifies them.

use alloy_primitives::B256;

use crate::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use crate::fork::{Fork, HeaderLayout};
use crate::merkle;
use crate::network::Network;
use crate::unit::{Slot, UnixTime};

/// What a light-client header says about the execution chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Nothing: before Capella.
    Absent,
    /// The header of the block's own execution payload: from Capella to Fulu.
    Header(ExecutionPayloadHeader),
    /// Only the hash of an execution block, from Gloas on: of the *parent* of the payload that the block's bid is for.
    /// An object of Gloas also uses it for older headers; it is then the hash of the block's own payload.
    Hash(B256),
}

impl Execution {
    /// Returns the hash of the execution block, if the header has one.
    pub fn block_hash(&self) -> Option<B256> {
        match self {
            Self::Absent => None,
            Self::Header(header) => Some(header.block_hash),
            Self::Hash(hash) => Some(*hash),
        }
    }

    /// Returns the execution header, if the light-client header holds all of it.
    pub fn header(&self) -> Option<&ExecutionPayloadHeader> {
        match self {
            Self::Header(header) => Some(header),
            Self::Absent | Self::Hash(_) => None,
        }
    }
}

/// A beacon block header, with what the block says about the execution chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightClientHeader {
    /// The beacon block header.
    pub beacon: BeaconBlockHeader,
    /// What it says about the execution chain.
    pub execution: Execution,
    /// Proof that the body of `beacon` holds `execution`; empty before Capella. In an object of Gloas, zeros precede the
    /// proof of an older header.
    pub execution_branch: Vec<B256>,
}

impl LightClientHeader {
    /// Returns the time of the payload header if it is later than the slot. No valid block has such a header, and a reading at it
    /// would seem younger than it is. An earlier time makes it seem older, as test chains do that keep no time.
    ///
    /// Source: `process_execution_payload`, which demands `payload.timestamp == compute_time_at_slot(state, state.slot)`.
    pub(crate) fn later_time(&self, network: &Network) -> Option<UnixTime> {
        let Execution::Header(header) = &self.execution else { return None };
        let time = UnixTime::from_secs(header.timestamp);
        (time > network.slot_start(self.beacon.slot)).then_some(time)
    }

    /// Whether a header of `fork` can have this execution part, and the block's body proves it.
    ///
    /// A header from Capella to Fulu has its payload header, or, within an object of Gloas, only the hash.
    /// Source: `is_valid_light_client_header`, consensus-specs `{capella,deneb,gloas}/light-client/sync-protocol.md`.
    pub(crate) fn is_valid(&self, fork: Fork) -> bool {
        let rules = fork.rules();
        match (&self.execution, rules.execution, rules.execution_block_hash) {
            (Execution::Absent, None, None) => self.execution_branch.is_empty(),
            (Execution::Header(header), Some(gindex), Some(_)) => {
                let has_blobs = rules.layout == HeaderLayout::Execution17;
                rules.layout != HeaderLayout::ExecutionHash
                    && header.blob_gas_used.is_some() == has_blobs
                    && header.excess_blob_gas.is_some() == has_blobs
                    && merkle::branch_is_valid(
                        header.hash_tree_root(),
                        &self.execution_branch,
                        gindex,
                        self.beacon.body_root,
                    )
            }
            (Execution::Hash(hash), Some(_), Some(gindex)) => merkle::normalized_branch_is_valid(
                *hash,
                &self.execution_branch,
                gindex,
                self.beacon.body_root,
            ),
            _ => false,
        }
    }

    /// Whether the header says anything about the execution chain, true or not.
    pub(crate) fn tells_of_execution(&self) -> bool {
        self.execution != Execution::Absent || !self.execution_branch.is_empty()
    }

    /// Whether both can be in one object. An object has whole execution headers or hashes, never both.
    pub(crate) fn fits_in_one_object_with(&self, other: &Self) -> bool {
        !matches!(
            (&self.execution, &other.execution),
            (Execution::Header(_), Execution::Hash(_)) | (Execution::Hash(_), Execution::Header(_))
        )
    }
}

/// What a light client starts from: a header and the sync committee of its state.
///
/// Source: `LightClientBootstrap`, consensus-specs `altair/light-client/sync-protocol.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightClientBootstrap {
    /// The header of the checkpoint.
    pub header: LightClientHeader,
    /// The committee that signs in the header's period.
    pub current_sync_committee: SyncCommittee,
    /// Proof of the committee under the header's state root.
    pub current_sync_committee_branch: Vec<B256>,
}

/// What a light client advances by.
///
/// Finality and optimistic updates are updates with absent parts.
/// Source: `LightClientUpdate`, consensus-specs `altair/light-client/sync-protocol.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightClientUpdate {
    /// The header that the committee signed.
    pub attested_header: LightClientHeader,
    /// The committee of the period after the attested header's.
    pub next_sync_committee: Option<NextSyncCommittee>,
    /// The header that the attested state has finalized.
    pub finality: Option<FinalizedPart>,
    /// Who signed, and the signature.
    pub sync_aggregate: SyncAggregate,
    /// The slot of the block that carried the signature. It is later than the attested slot.
    pub signature_slot: Slot,
}

/// The next sync committee as an update proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextSyncCommittee {
    /// The committee.
    pub committee: SyncCommittee,
    /// Proof of it under the attested header's state root.
    pub branch: Vec<B256>,
}

/// The finalized header as an update proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizedPart {
    /// The header; `None` while only genesis is final. The state then holds a zero root.
    pub header: Option<LightClientHeader>,
    /// Proof of its root under the attested header's state root.
    pub branch: Vec<B256>,
}

impl LightClientUpdate {
    /// Returns the slot of the attested header.
    pub fn attested_slot(&self) -> Slot {
        self.attested_header.beacon.slot
    }

    /// Returns the slot of the finalized header, or 0 if there is none.
    pub fn finalized_slot(&self) -> Slot {
        self.finalized_header().map_or(Slot::new(0), |header| header.beacon.slot)
    }

    /// Returns the finalized header, if there is one.
    pub fn finalized_header(&self) -> Option<&LightClientHeader> {
        self.finality.as_ref().and_then(|part| part.header.as_ref())
    }

    /// Whether this is a better update of its period than `other`, for a server that keeps one update per period.
    ///
    /// Source: `is_better_update`, consensus-specs `altair/light-client/sync-protocol.md`.
    pub fn is_better_than(&self, other: &Self, network: &Network) -> bool {
        let rank = |update: &Self| {
            let signers = update.sync_aggregate.signers();
            let supermajority = has_supermajority(signers, update.sync_aggregate.size);
            let attested_period = network.period_at(update.attested_slot());
            let has_committee = update.next_sync_committee.is_some()
                && attested_period == network.period_at(update.signature_slot);
            let has_finality = update.finality.is_some();
            let committee_finality =
                has_finality && network.period_at(update.finalized_slot()) == attested_period;
            (
                supermajority,
                if supermajority { 0 } else { signers },
                has_committee,
                has_finality,
                // Counts only if both updates have finality.
                has_finality && committee_finality,
                signers,
                core::cmp::Reverse(update.attested_slot()),
                core::cmp::Reverse(update.signature_slot),
            )
        };
        rank(self) > rank(other)
    }
}

/// Whether at least two thirds of a committee signed.
pub(crate) fn has_supermajority(signers: usize, size: usize) -> bool {
    size > 0 && signers.saturating_mul(3) >= size.saturating_mul(2)
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
