//! One object: which fork it is of, then its bytes in that fork's shape.

use alloy_primitives::Bytes;
use serde::de::DeserializeOwned;

use super::error::{DecodeError, SszError};
use super::json::{self, BootstrapJson, FinalityUpdateJson, OptimisticUpdateJson, UpdateJson};
use super::ssz::{OFFSET, Reader};
use super::wire::{Shape, WireBootstrap, WireHeader, WireUpdate};
use super::{Encoding, MAX_OBJECT_BYTES};
use crate::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use crate::fork::{Fork, HeaderLayout, UnknownFork};
use crate::network::Network;
use crate::unit::Slot;
use crate::update::{LightClientBootstrap, LightClientUpdate};

pub(super) enum Bootstrap {}
pub(super) enum Update {}
pub(super) enum FinalityUpdate {}
pub(super) enum OptimisticUpdate {}

/// One part of an object's SSZ, to know its length.
pub(super) enum Part {
    Header,
    Committee,
    CommitteeBranch,
    FinalityBranch,
    Aggregate,
    Slot,
}

/// A kind of object: how each encoding of it is read.
pub(super) trait Object {
    type Output;
    type Json: DeserializeOwned;
    const PARTS: &'static [Part];

    fn from_ssz(reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError>;
    fn from_json(json: Self::Json, shape: &Shape<'_>) -> Result<Self::Output, DecodeError>;
}

pub(super) fn decode<T: Object>(
    bytes: &[u8],
    encoding: Encoding,
    label: Option<&str>,
    network: &Network,
) -> Result<T::Output, DecodeError> {
    if bytes.len() > MAX_OBJECT_BYTES {
        return Err(DecodeError::TooLarge { got: bytes.len(), limit: MAX_OBJECT_BYTES });
    }
    let label = label.map(readable).transpose()?;
    match encoding {
        Encoding::Json => decode_json::<T>(bytes, label, network),
        Encoding::Ssz => decode_ssz::<T>(bytes, label, network),
    }
}

pub(super) fn decode_json<T: Object>(
    bytes: &[u8],
    label: Option<Fork>,
    network: &Network,
) -> Result<T::Output, DecodeError> {
    let envelope = json::envelope(bytes)?;
    let version = envelope.version.as_deref().map(readable).transpose()?;
    let slot = json::header_slot(envelope.body)?;
    shape(slot, version, network)?;
    let shape = shape(slot, label, network)?;
    T::from_json(serde_json::from_slice(envelope.body)?, &shape)
}

pub(super) fn decode_ssz<T: Object>(
    bytes: &[u8],
    label: Option<Fork>,
    network: &Network,
) -> Result<T::Output, DecodeError> {
    let shape = shape(ssz_slot::<T>(bytes, network.sync_committee_size())?, label, network)?;
    T::from_ssz(Reader::new(bytes), &shape)
}

/// The fork of a label, if saldo can read it.
pub(super) fn readable(label: &str) -> Result<Fork, UnknownFork> {
    let fork: Fork = label.parse()?;
    if fork.rules().supported { Ok(fork) } else { Err(UnknownFork::named(fork.name())) }
}

/// The shape an object has at a slot, which its label must not contradict.
fn shape<'a>(slot: Slot, label: Option<Fork>, network: &'a Network) -> Result<Shape<'a>, DecodeError> {
    let scheduled = network.readable_fork_at(slot)?;
    match label {
        Some(label) if label != scheduled => Err(DecodeError::Relabelled { label, scheduled, slot }),
        _ => Ok(Shape { fork: scheduled, network }),
    }
}

/// The slot of the object's header, found before its fork is known.
///
/// Where headers are of variable size the object begins with the offset of its header, else with the header itself.
/// Objects of the second kind have one exact length, so the two cannot be confused.
fn ssz_slot<T: Object>(bytes: &[u8], committee_size: usize) -> Result<Slot, SszError> {
    let got = Reader::new(bytes).offset()?;
    let mut expected = None;
    for fork in Fork::ALL.into_iter().rev() {
        let length = fixed_length::<T>(fork, committee_size);
        if header_length(fork.rules().layout).is_none() {
            expected = expected.or(Some(length));
            if got == length {
                let header = bytes.get(length..).unwrap_or_default();
                let slot = Reader::new(header).uint64();
                return slot.map(Slot::new).map_err(|_| truncated(length, bytes));
            }
        } else if bytes.len() == length {
            return Reader::new(bytes).uint64().map(Slot::new);
        }
    }
    Err(SszError::Offset { got, expected: expected.unwrap_or(OFFSET) })
}

fn truncated(header: usize, bytes: &[u8]) -> SszError {
    SszError::Truncated { needed: header.saturating_add(8), got: bytes.len() }
}

fn fixed_length<T: Object>(fork: Fork, size: usize) -> usize {
    let rules = fork.rules();
    let branch = |gindex: u64| 32_usize.saturating_mul(usize::try_from(gindex.ilog2()).unwrap_or(usize::MAX));
    let length = |part: &Part| match part {
        Part::Header => header_length(rules.layout).unwrap_or(OFFSET),
        Part::Committee => size.saturating_add(1).saturating_mul(48),
        Part::CommitteeBranch => branch(rules.next_sync_committee),
        Part::FinalityBranch => branch(rules.finalized_root),
        Part::Aggregate => size.div_ceil(8).saturating_add(96),
        Part::Slot => 8,
    };
    T::PARTS.iter().map(length).fold(0, usize::saturating_add)
}

/// The length of a header, or `None` where `extra_data` makes it vary.
fn header_length(layout: HeaderLayout) -> Option<usize> {
    match layout {
        HeaderLayout::Beacon => Some(112),
        HeaderLayout::Execution15 | HeaderLayout::Execution17 => None,
        HeaderLayout::ExecutionHash => Some(112 + 32 + 11 * 32),
    }
}

impl Object for Bootstrap {
    type Output = LightClientBootstrap;
    type Json = BootstrapJson;
    const PARTS: &'static [Part] = &[Part::Header, Part::Committee, Part::CommitteeBranch];

    fn from_ssz(mut reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        let header = reader.offset()?;
        let current_sync_committee = committee(&mut reader, shape)?;
        let current_sync_committee_branch = reader.roots(shape.committee_depth())?;
        let header = self::header(reader.one_part(header)?, shape)?;
        WireBootstrap { header, current_sync_committee, current_sync_committee_branch }.resolve(shape)
    }

    fn from_json(json: BootstrapJson, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        WireBootstrap::from(json).resolve(shape)
    }
}

impl Object for Update {
    type Output = LightClientUpdate;
    type Json = UpdateJson;
    const PARTS: &'static [Part] = &[
        Part::Header,
        Part::Committee,
        Part::CommitteeBranch,
        Part::Header,
        Part::FinalityBranch,
        Part::Aggregate,
        Part::Slot,
    ];

    fn from_ssz(mut reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        let attested = reader.offset()?;
        let next_sync_committee = committee(&mut reader, shape)?;
        let committee_branch = reader.roots(shape.committee_depth())?;
        let finalized = reader.offset()?;
        let finality_branch = reader.roots(shape.finality_depth())?;
        let sync_aggregate = aggregate(&mut reader, shape)?;
        let signature_slot = Slot::new(reader.uint64()?);
        let (attested, finalized) = reader.two_parts(attested, finalized)?;
        let update = WireUpdate {
            attested_header: header(attested, shape)?,
            next_sync_committee: Some((next_sync_committee, committee_branch)),
            finality: Some((header(finalized, shape)?, finality_branch)),
            sync_aggregate,
            signature_slot,
        };
        update.resolve(shape)
    }

    fn from_json(json: UpdateJson, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        json.into_wire(shape.committee_size()).resolve(shape)
    }
}

impl Object for FinalityUpdate {
    type Output = LightClientUpdate;
    type Json = FinalityUpdateJson;
    const PARTS: &'static [Part] =
        &[Part::Header, Part::Header, Part::FinalityBranch, Part::Aggregate, Part::Slot];

    fn from_ssz(mut reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        let attested = reader.offset()?;
        let finalized = reader.offset()?;
        let finality_branch = reader.roots(shape.finality_depth())?;
        let sync_aggregate = aggregate(&mut reader, shape)?;
        let signature_slot = Slot::new(reader.uint64()?);
        let (attested, finalized) = reader.two_parts(attested, finalized)?;
        let update = WireUpdate {
            attested_header: header(attested, shape)?,
            next_sync_committee: None,
            finality: Some((header(finalized, shape)?, finality_branch)),
            sync_aggregate,
            signature_slot,
        };
        update.resolve(shape)
    }

    fn from_json(json: FinalityUpdateJson, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        json.into_wire(shape.committee_size()).resolve(shape)
    }
}

impl Object for OptimisticUpdate {
    type Output = LightClientUpdate;
    type Json = OptimisticUpdateJson;
    const PARTS: &'static [Part] = &[Part::Header, Part::Aggregate, Part::Slot];

    fn from_ssz(mut reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        let attested = reader.offset()?;
        let sync_aggregate = aggregate(&mut reader, shape)?;
        let signature_slot = Slot::new(reader.uint64()?);
        let update = WireUpdate {
            attested_header: header(reader.one_part(attested)?, shape)?,
            next_sync_committee: None,
            finality: None,
            sync_aggregate,
            signature_slot,
        };
        update.resolve(shape)
    }

    fn from_json(json: OptimisticUpdateJson, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        json.into_wire(shape.committee_size()).resolve(shape)
    }
}

fn committee(reader: &mut Reader<'_>, shape: &Shape<'_>) -> Result<SyncCommittee, SszError> {
    Ok(SyncCommittee {
        pubkeys: (0..shape.committee_size()).map(|_| reader.fixed()).collect::<Result<_, _>>()?,
        aggregate_pubkey: reader.fixed()?,
    })
}

fn aggregate(reader: &mut Reader<'_>, shape: &Shape<'_>) -> Result<SyncAggregate, SszError> {
    let size = shape.committee_size();
    Ok(SyncAggregate { bits: reader.bytes(size.div_ceil(8))?.to_vec(), size, signature: reader.fixed()? })
}

fn header(bytes: &[u8], shape: &Shape<'_>) -> Result<WireHeader, SszError> {
    let mut reader = Reader::new(bytes);
    let beacon = BeaconBlockHeader {
        slot: Slot::new(reader.uint64()?),
        proposer_index: reader.uint64()?,
        parent_root: reader.fixed()?,
        state_root: reader.fixed()?,
        body_root: reader.fixed()?,
    };
    let execution = reader.offset()?;
    let execution_branch = reader.roots(shape.execution_depth())?;
    let execution = self::execution(reader.one_part(execution)?, shape)?;
    Ok(WireHeader { beacon, execution, execution_branch })
}

fn execution(bytes: &[u8], shape: &Shape<'_>) -> Result<ExecutionPayloadHeader, SszError> {
    let mut reader = Reader::new(bytes);
    let parent_hash = reader.fixed()?;
    let fee_recipient = reader.fixed::<20>()?.into();
    let state_root = reader.fixed()?;
    let receipts_root = reader.fixed()?;
    let logs_bloom = reader.fixed::<256>()?.into();
    let prev_randao = reader.fixed()?;
    let block_number = reader.uint64()?;
    let gas_limit = reader.uint64()?;
    let gas_used = reader.uint64()?;
    let timestamp = reader.uint64()?;
    let extra_data = reader.offset()?;
    let base_fee_per_gas = reader.uint256()?;
    let block_hash = reader.fixed()?;
    let transactions_root = reader.fixed()?;
    let withdrawals_root = reader.fixed()?;
    let has_blobs = shape.has_blob_fields();
    let blob_gas_used = has_blobs.then(|| reader.uint64()).transpose()?;
    let excess_blob_gas = has_blobs.then(|| reader.uint64()).transpose()?;
    let extra_data = reader.one_part(extra_data)?;
    let limit = ExecutionPayloadHeader::MAX_EXTRA_DATA;
    if extra_data.len() > limit {
        return Err(SszError::TooLong { got: extra_data.len(), limit });
    }
    Ok(ExecutionPayloadHeader {
        parent_hash,
        fee_recipient,
        state_root,
        receipts_root,
        logs_bloom,
        prev_randao,
        block_number,
        gas_limit,
        gas_used,
        timestamp,
        extra_data: Bytes::copy_from_slice(extra_data),
        base_fee_per_gas,
        block_hash,
        transactions_root,
        withdrawals_root,
        blob_gas_used,
        excess_blob_gas,
    })
}
