//! The parts of an object as all encodings have them on the wire, and what they mean.
//!
//! On the wire every part is present: an absent part is all zero, and a header of an older fork has the layout of its
//! object. Here zeros become `None`, and each header gets the fields of the fork of its own slot.

use alloy_primitives::B256;

use super::error::DecodeError;
use crate::container::{
    BeaconBlockHeader, ExecutionPayloadHeader, PublicKeyBytes, SyncAggregate, SyncCommittee,
};
use crate::fork::{Fork, HeaderLayout};
use crate::network::Network;
use crate::unit::Slot;
use crate::update::{
    Execution, FinalizedPart, LightClientBootstrap, LightClientHeader, LightClientUpdate, NextSyncCommittee,
};

/// The layout of objects of one fork on one network.
pub(super) struct Shape<'a> {
    pub(super) fork: Fork,
    pub(super) network: &'a Network,
}

impl Shape<'_> {
    pub(super) fn committee_size(&self) -> usize {
        self.network.sync_committee_size()
    }

    pub(super) fn has_blob_fields(&self) -> bool {
        self.fork.rules().layout == HeaderLayout::Execution17
    }

    /// Returns the payload header if it has the fields of the object's fork. It may have more: `resolve` accepts fields
    /// of a later fork if they are zero, as some tools write them.
    fn expect_layout(
        &self,
        header: ExecutionPayloadHeader,
        slot: Slot,
    ) -> Result<ExecutionPayloadHeader, DecodeError> {
        let blob_fields = [header.blob_gas_used, header.excess_blob_gas];
        let has_fields = !self.has_blob_fields() || blob_fields.iter().all(Option::is_some);
        if has_fields && header.extra_data.len() <= ExecutionPayloadHeader::MAX_EXTRA_DATA {
            return Ok(header);
        }
        Err(DecodeError::ExecutionLayout { slot })
    }

    pub(super) fn execution_depth(&self) -> usize {
        self.fork.rules().execution.map_or(0, depth)
    }

    pub(super) fn finality_depth(&self) -> usize {
        depth(self.fork.rules().finalized_root)
    }

    pub(super) fn committee_depth(&self) -> usize {
        depth(self.fork.rules().next_sync_committee)
    }
}

/// Returns the length of a branch to a generalized index.
fn depth(gindex: u64) -> usize {
    gindex.checked_ilog2().and_then(|depth| usize::try_from(depth).ok()).unwrap_or(0)
}

pub(super) struct WireHeader {
    pub(super) beacon: BeaconBlockHeader,
    /// The execution part in the layout of the object.
    pub(super) execution: Execution,
    pub(super) execution_branch: Vec<B256>,
}

pub(super) struct WireBootstrap {
    pub(super) header: WireHeader,
    pub(super) current_sync_committee: SyncCommittee,
    pub(super) current_sync_committee_branch: Vec<B256>,
}

pub(super) struct WireUpdate {
    pub(super) attested_header: WireHeader,
    pub(super) next_sync_committee: Option<(SyncCommittee, Vec<B256>)>,
    pub(super) finality: Option<(WireHeader, Vec<B256>)>,
    pub(super) sync_aggregate: SyncAggregate,
    pub(super) signature_slot: Slot,
}

impl WireHeader {
    fn is_empty(&self) -> bool {
        let beacon = &self.beacon;
        let roots = [beacon.parent_root, beacon.state_root, beacon.body_root];
        beacon.slot == Slot::new(0) && beacon.proposer_index == 0 && all_zero(&roots) && self.is_beacon_only()
    }

    fn is_beacon_only(&self) -> bool {
        let is_empty = match &self.execution {
            Execution::Absent => true,
            Execution::Header(header) => {
                without_blobs(header.clone()) == Some(ExecutionPayloadHeader::empty())
            }
            Execution::Hash(hash) => hash.is_zero(),
        };
        is_empty && all_zero(&self.execution_branch)
    }

    /// Returns the header without its execution part if that is all zero.
    pub(super) fn without_zeros(self) -> Self {
        if !self.is_beacon_only() {
            return self;
        }
        Self { execution: Execution::Absent, execution_branch: Vec::new(), ..self }
    }

    /// Returns the header with the fields of the fork of its own slot. In an object of Gloas it stays as it is: only the
    /// branch shows whether the hash is of a block of an older fork, and the branch is not checked here.
    fn resolve(self, shape: &Shape<'_>) -> Result<LightClientHeader, DecodeError> {
        expect_length("execution_branch", self.execution_branch.len(), shape.execution_depth())?;
        let slot = self.beacon.slot;
        let layout = shape.network.fork_at(slot)?.rules().layout;
        let execution = match self.execution {
            Execution::Header(header) => Execution::Header(shape.expect_layout(header, slot)?),
            other => other,
        };
        let header = Self { execution, ..self };
        if layout == HeaderLayout::Beacon && header.is_beacon_only() {
            let (execution, execution_branch) = (Execution::Absent, Vec::new());
            return Ok(LightClientHeader { beacon: header.beacon, execution, execution_branch });
        }
        let execution = match (header.execution, layout) {
            (Execution::Header(header), HeaderLayout::Execution15) => {
                without_blobs(header).map(Execution::Header)
            }
            (Execution::Header(header), HeaderLayout::Execution17) if shape.has_blob_fields() => {
                Some(Execution::Header(header))
            }
            (Execution::Hash(hash), layout) if layout != HeaderLayout::Beacon => Some(Execution::Hash(hash)),
            _ => None,
        };
        let execution = execution.ok_or(DecodeError::ExecutionLayout { slot })?;
        Ok(LightClientHeader { beacon: header.beacon, execution, execution_branch: header.execution_branch })
    }
}

impl WireBootstrap {
    pub(super) fn resolve(self, shape: &Shape<'_>) -> Result<LightClientBootstrap, DecodeError> {
        let branch = self.current_sync_committee_branch;
        expect_length("current_sync_committee_branch", branch.len(), shape.committee_depth())?;
        expect_members(&self.current_sync_committee, shape)?;
        Ok(LightClientBootstrap {
            header: self.header.resolve(shape)?,
            current_sync_committee: self.current_sync_committee,
            current_sync_committee_branch: branch,
        })
    }
}

impl WireUpdate {
    pub(super) fn resolve(self, shape: &Shape<'_>) -> Result<LightClientUpdate, DecodeError> {
        if self.sync_aggregate.size != shape.committee_size() || !self.sync_aggregate.is_well_formed() {
            return Err(DecodeError::ParticipationBits { size: shape.committee_size() });
        }
        let next = self.next_sync_committee.map(|(committee, branch)| next_part(committee, branch, shape));
        let finality = self.finality.map(|(header, branch)| finalized_part(header, branch, shape));
        Ok(LightClientUpdate {
            attested_header: self.attested_header.resolve(shape)?,
            next_sync_committee: next.transpose()?.flatten(),
            finality: finality.transpose()?.flatten(),
            sync_aggregate: self.sync_aggregate,
            signature_slot: self.signature_slot,
        })
    }
}

/// Source: `is_sync_committee_update`, consensus-specs `altair/light-client/sync-protocol.md`.
fn next_part(
    committee: SyncCommittee,
    branch: Vec<B256>,
    shape: &Shape<'_>,
) -> Result<Option<NextSyncCommittee>, DecodeError> {
    expect_length("next_sync_committee_branch", branch.len(), shape.committee_depth())?;
    expect_members(&committee, shape)?;
    if !all_zero(&branch) {
        return Ok(Some(NextSyncCommittee { committee, branch }));
    }
    let mut keys = committee.pubkeys.iter().chain([&committee.aggregate_pubkey]);
    if keys.all(PublicKeyBytes::is_zero) {
        Ok(None)
    } else {
        Err(DecodeError::Unproven { field: "next_sync_committee" })
    }
}

/// Source: `is_finality_update` and `validate_light_client_update`, the same document.
fn finalized_part(
    header: WireHeader,
    branch: Vec<B256>,
    shape: &Shape<'_>,
) -> Result<Option<FinalizedPart>, DecodeError> {
    expect_length("finality_branch", branch.len(), shape.finality_depth())?;
    let is_absent = all_zero(&branch);
    if !is_absent && header.beacon.slot > Slot::new(0) {
        return Ok(Some(FinalizedPart { header: Some(header.resolve(shape)?), branch }));
    }
    if !header.is_empty() {
        return Err(DecodeError::Unproven { field: "finalized_header" });
    }
    Ok((!is_absent).then_some(FinalizedPart { header: None, branch }))
}

fn expect_length(field: &'static str, got: usize, expected: usize) -> Result<(), DecodeError> {
    if got == expected { Ok(()) } else { Err(DecodeError::Length { field, got, expected }) }
}

fn expect_members(committee: &SyncCommittee, shape: &Shape<'_>) -> Result<(), DecodeError> {
    expect_length("pubkeys", committee.pubkeys.len(), shape.committee_size())
}

fn all_zero(roots: &[B256]) -> bool {
    roots.iter().all(B256::is_zero)
}

/// Returns the header as before Deneb, or `None` if the blob fields are not zero.
fn without_blobs(mut execution: ExecutionPayloadHeader) -> Option<ExecutionPayloadHeader> {
    let blobs = [execution.blob_gas_used.take(), execution.excess_blob_gas.take()];
    blobs.iter().all(|field| field.is_none_or(|value| value == 0)).then_some(execution)
}
