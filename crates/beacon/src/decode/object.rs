//! Decodes one object: finds its fork, then reads its bytes in the form of that fork.

use alloy_primitives::Bytes;

use super::encoding::Encoding;
use super::error::{DecodeError, SszError};
use super::hint::Hint;
use super::json::{self, FINALITY_UPDATE, OPTIMISTIC_UPDATE, UPDATE};
use super::limit::MAX_OBJECT_BYTES;
use super::ssz::{OFFSET, Reader};
use super::wire::{Shape, WireBootstrap, WireHeader, WireUpdate};
use crate::container::{BeaconBlockHeader, ExecutionPayloadHeader, SyncAggregate, SyncCommittee};
use crate::fork::{Fork, HeaderLayout};
use crate::network::Network;
use crate::unit::Slot;
use crate::update::{Execution, LightClientBootstrap, LightClientUpdate};

pub(super) enum Bootstrap {}
pub(super) enum Update {}
pub(super) enum FinalityUpdate {}
pub(super) enum OptimisticUpdate {}

/// One part of an object's SSZ, for computing the length.
pub(super) enum Part {
    Header,
    Committee,
    CommitteeBranch,
    FinalityBranch,
    Aggregate,
    Slot,
}

/// A kind of object, and how each of its encodings is read.
pub(super) trait Object {
    type Output;
    const PARTS: &'static [Part];

    fn from_ssz(reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError>;
    fn from_json(body: &str, shape: &Shape<'_>) -> Result<Self::Output, DecodeError>;
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
    let hint = Hint::of(label);
    match encoding {
        Encoding::Json => decode_json::<T>(bytes, &hint, network),
        Encoding::Ssz => decode_ssz::<T>(bytes, &hint, network),
    }
}

pub(super) fn decode_json<T: Object>(
    bytes: &[u8],
    hint: &Hint,
    network: &Network,
) -> Result<T::Output, DecodeError> {
    let envelope = json::envelope(bytes)?;
    let hint = hint.or(envelope.version.as_deref());
    let body = envelope.body.map_err(|error| hint.explain(error.into(), network))?;
    let slot = json::slot(body).map_err(DecodeError::from);
    hint.read(slot, network, &|shape| T::from_json(body, shape))
}

pub(super) fn decode_ssz<T: Object>(
    bytes: &[u8],
    hint: &Hint,
    network: &Network,
) -> Result<T::Output, DecodeError> {
    let slot = ssz_slot::<T>(bytes, network.sync_committee_size()).map_err(DecodeError::from);
    hint.read(slot, network, &|shape| T::from_ssz(Reader::new(bytes), shape))
}

/// Returns the slot of the object's header. Its fork is not known yet.
///
/// If headers have a variable size, the object begins with the offset of its header, otherwise with the header itself.
/// Objects of the second kind have one exact length, so the two kinds cannot be confused.
fn ssz_slot<T: Object>(bytes: &[u8], committee_size: usize) -> Result<Slot, SszError> {
    let got = Reader::new(bytes).offset()?;
    let of = |fork: &Fork| has_form_of::<T>(bytes, *fork, committee_size);
    let Some(fork) = Fork::ALL.into_iter().rev().find(of) else {
        let varies = |fork: &Fork| header_length(fork.rules().layout).is_none();
        let newest = Fork::ALL.into_iter().rev().find(varies);
        let expected = newest.map_or(OFFSET, |fork| fixed_length::<T>(fork, committee_size));
        return Err(SszError::Offset { got, expected });
    };
    if header_length(fork.rules().layout).is_some() {
        return Reader::new(bytes).uint64().map(Slot::new);
    }
    let header = bytes.get(got..).unwrap_or_default();
    Reader::new(header).uint64().map(Slot::new).map_err(|_| truncated(got, bytes))
}

/// Whether an object can be of a fork, judged by its length or by the offset that it begins with.
fn has_form_of<T: Object>(bytes: &[u8], fork: Fork, committee_size: usize) -> bool {
    let length = fixed_length::<T>(fork, committee_size);
    match header_length(fork.rules().layout) {
        Some(_) => bytes.len() == length,
        None => Reader::new(bytes).offset() == Ok(length),
    }
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

/// Returns the length of a header, or `None` if `extra_data` makes it vary.
fn header_length(layout: HeaderLayout) -> Option<usize> {
    match layout {
        HeaderLayout::Beacon => Some(112),
        HeaderLayout::Execution15 | HeaderLayout::Execution17 => None,
        HeaderLayout::ExecutionHash => Some(112 + 32 + 11 * 32),
    }
}

impl Object for Bootstrap {
    type Output = LightClientBootstrap;
    const PARTS: &'static [Part] = &[Part::Header, Part::Committee, Part::CommitteeBranch];

    fn from_ssz(mut reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        let header = Place::read(&mut reader, shape)?;
        let current_sync_committee = committee(&mut reader, shape)?;
        let current_sync_committee_branch = reader.roots(shape.committee_depth())?;
        let header = header.one(reader, shape)?;
        WireBootstrap { header, current_sync_committee, current_sync_committee_branch }.resolve(shape)
    }

    fn from_json(body: &str, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        json::bootstrap(body, shape)?.resolve(shape)
    }
}

impl Object for Update {
    type Output = LightClientUpdate;
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
        let attested = Place::read(&mut reader, shape)?;
        let next_sync_committee = committee(&mut reader, shape)?;
        let committee_branch = reader.roots(shape.committee_depth())?;
        let finalized = Place::read(&mut reader, shape)?;
        let finality_branch = reader.roots(shape.finality_depth())?;
        let sync_aggregate = aggregate(&mut reader, shape)?;
        let signature_slot = Slot::new(reader.uint64()?);
        let (attested_header, finalized_header) = Place::two(attested, finalized, reader, shape)?;
        let update = WireUpdate {
            attested_header,
            next_sync_committee: Some((next_sync_committee, committee_branch)),
            finality: Some((finalized_header, finality_branch)),
            sync_aggregate,
            signature_slot,
        };
        update.resolve(shape)
    }

    fn from_json(body: &str, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        json::update(body, &UPDATE, shape)?.resolve(shape)
    }
}

impl Object for FinalityUpdate {
    type Output = LightClientUpdate;
    const PARTS: &'static [Part] =
        &[Part::Header, Part::Header, Part::FinalityBranch, Part::Aggregate, Part::Slot];

    fn from_ssz(mut reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        let attested = Place::read(&mut reader, shape)?;
        let finalized = Place::read(&mut reader, shape)?;
        let finality_branch = reader.roots(shape.finality_depth())?;
        let sync_aggregate = aggregate(&mut reader, shape)?;
        let signature_slot = Slot::new(reader.uint64()?);
        let (attested_header, finalized_header) = Place::two(attested, finalized, reader, shape)?;
        let update = WireUpdate {
            attested_header,
            next_sync_committee: None,
            finality: Some((finalized_header, finality_branch)),
            sync_aggregate,
            signature_slot,
        };
        update.resolve(shape)
    }

    fn from_json(body: &str, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        json::update(body, &FINALITY_UPDATE, shape)?.resolve(shape)
    }
}

impl Object for OptimisticUpdate {
    type Output = LightClientUpdate;
    const PARTS: &'static [Part] = &[Part::Header, Part::Aggregate, Part::Slot];

    fn from_ssz(mut reader: Reader<'_>, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        let attested = Place::read(&mut reader, shape)?;
        let sync_aggregate = aggregate(&mut reader, shape)?;
        let signature_slot = Slot::new(reader.uint64()?);
        let update = WireUpdate {
            attested_header: attested.one(reader, shape)?,
            next_sync_committee: None,
            finality: None,
            sync_aggregate,
            signature_slot,
        };
        update.resolve(shape)
    }

    fn from_json(body: &str, shape: &Shape<'_>) -> Result<Self::Output, DecodeError> {
        json::update(body, &OPTIMISTIC_UPDATE, shape)?.resolve(shape)
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

/// A header in the fixed part of an object: the header itself if its size is fixed, otherwise its offset.
enum Place {
    Here(WireHeader),
    At(usize),
}

impl Place {
    fn read(reader: &mut Reader<'_>, shape: &Shape<'_>) -> Result<Self, SszError> {
        let has_hash = match shape.fork.rules().layout {
            HeaderLayout::Execution15 | HeaderLayout::Execution17 => return reader.offset().map(Self::At),
            HeaderLayout::Beacon => false,
            HeaderLayout::ExecutionHash => true,
        };
        let beacon = beacon(reader)?;
        let hash = has_hash.then(|| reader.fixed()).transpose()?;
        let execution = hash.map_or(Execution::Absent, Execution::Hash);
        let execution_branch = reader.roots(shape.execution_depth())?;
        Ok(Self::Here(WireHeader { beacon, execution, execution_branch }))
    }

    /// Ends an object with one header.
    fn one(self, reader: Reader<'_>, shape: &Shape<'_>) -> Result<WireHeader, SszError> {
        match self {
            Self::Here(header) => reader.end().map(|()| header),
            Self::At(offset) => header(reader.one_part(offset)?, shape),
        }
    }

    /// Ends an object with two headers, which have the same layout.
    fn two(
        first: Self,
        second: Self,
        reader: Reader<'_>,
        shape: &Shape<'_>,
    ) -> Result<(WireHeader, WireHeader), SszError> {
        match (first, second) {
            (Self::Here(first), Self::Here(second)) => reader.end().map(|()| (first, second)),
            (Self::At(first), Self::At(second)) => {
                let (first, second) = reader.two_parts(first, second)?;
                Ok((header(first, shape)?, header(second, shape)?))
            }
            (Self::Here(one), at @ Self::At(_)) => Ok((one, at.one(reader, shape)?)),
            (at @ Self::At(_), Self::Here(one)) => Ok((at.one(reader, shape)?, one)),
        }
    }
}

fn beacon(reader: &mut Reader<'_>) -> Result<BeaconBlockHeader, SszError> {
    Ok(BeaconBlockHeader {
        slot: Slot::new(reader.uint64()?),
        proposer_index: reader.uint64()?,
        parent_root: reader.fixed()?,
        state_root: reader.fixed()?,
        body_root: reader.fixed()?,
    })
}

/// Reads a header of variable size.
fn header(bytes: &[u8], shape: &Shape<'_>) -> Result<WireHeader, SszError> {
    let mut reader = Reader::new(bytes);
    let beacon = beacon(&mut reader)?;
    let execution = reader.offset()?;
    let execution_branch = reader.roots(shape.execution_depth())?;
    let execution = Execution::Header(self::execution(reader.one_part(execution)?, shape)?);
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

#[cfg(test)]
#[path = "object_tests.rs"]
mod tests;
