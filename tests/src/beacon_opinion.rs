//! A second opinion on objects of beacon nodes, which shares no code with saldo: SSZ from `ethereum_ssz`, lengths
//! from `ssz_types`, roots from `tree_hash`, and containers of its own.
//!
//! Unlike saldo it has one type per fork, kind of object and committee size, and reports the values as they were
//! sent: nothing is ever absent.

pub mod agreement;
mod container;

use alloy_primitives::B256;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ssz::{Decode, Encode};
use ssz_types::FixedVector;
use ssz_types::typenum::{U5, U6, U7, U9, U11, U32, U512};
use tree_hash::TreeHash;

use container::{
    AltairHeader, BeaconBlockHeader, Bootstrap, CapellaPayloadHeader, DenebPayloadHeader, FinalityUpdate,
    GloasHeader, Length, OptimisticUpdate, Payload, PayloadHeader, SyncAggregate, SyncCommittee, Update,
};

/// Why it refuses an object. Only for people: no test depends on the text.
pub type Refusal = String;

/// The content of an object, mostly as roots.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// The root of the whole object.
    pub root: B256,
    /// The object as SSZ: the original bytes, if it was decoded from SSZ.
    pub ssz: Vec<u8>,
    /// The header, or the attested one and the finalized one.
    pub headers: Vec<Header>,
    /// The current or the next sync committee.
    pub committee: Option<Committee>,
    /// Proof of the finalized header.
    pub finality_branch: Option<Vec<B256>>,
    /// The signers and the signature slot.
    pub signed: Option<Signed>,
}

/// A header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The slot of the beacon block.
    pub slot: u64,
    /// The root of the beacon block's header.
    pub beacon: B256,
    /// Its content about the execution chain.
    pub execution: Execution,
    /// The proof of that content.
    pub branch: Vec<B256>,
    /// Whether all its fields are zero, and all its lists empty.
    pub is_zero: bool,
    /// Whether all its fields are zero except those of the beacon block's header.
    pub is_beacon_only: bool,
}

/// A header's content about the execution chain.
#[derive(Clone, Debug, PartialEq)]
pub enum Execution {
    /// Nothing.
    Absent,
    /// The payload's header.
    Payload {
        /// Its root.
        root: B256,
        /// Its root if the block is older than Deneb, unless the blob fields have values.
        before_deneb: Option<B256>,
    },
    /// The hash of a block.
    Hash(B256),
}

/// A sync committee.
#[derive(Clone, Debug, PartialEq)]
pub struct Committee {
    /// Its root.
    pub root: B256,
    /// The proof of the committee.
    pub branch: Vec<B256>,
    /// Whether all its keys are zero.
    pub is_zero: bool,
}

/// The signers and the signature slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed {
    /// The root of the sync aggregate.
    pub aggregate: B256,
    /// How many members signed.
    pub signers: usize,
    /// The slot of the signature.
    pub slot: u64,
}

/// Decodes an object from SSZ. `object` is its name in the specification; `fork` and `size` (of the committee) select
/// its layout.
///
/// # Errors
/// If the bytes are not such an object.
pub fn from_ssz(object: &str, fork: &str, size: usize, bytes: &[u8]) -> Result<Opinion, Refusal> {
    read(object, fork, size, Input::Ssz(bytes))
}

/// As [`from_ssz`], from the JSON of the beacon API.
///
/// # Errors
/// If the value is not such an object.
pub fn from_json(object: &str, fork: &str, size: usize, value: &Value) -> Result<Opinion, Refusal> {
    read(object, fork, size, Input::Json(value))
}

/// The root of an object, or of a part of objects.
///
/// # Errors
/// If the bytes are not such an object.
pub fn root(object: &str, fork: &str, size: usize, bytes: &[u8]) -> Result<B256, Refusal> {
    match (object, fork, size) {
        ("BeaconBlockHeader", ..) => root_of::<BeaconBlockHeader>(bytes),
        ("ExecutionPayloadHeader", "capella", _) => root_of::<CapellaPayloadHeader>(bytes),
        ("ExecutionPayloadHeader", "deneb" | "electra" | "fulu", _) => root_of::<DenebPayloadHeader>(bytes),
        ("LightClientHeader", "altair" | "bellatrix", _) => root_of::<AltairHeader>(bytes),
        ("LightClientHeader", "capella", _) => root_of::<PayloadHeader<CapellaPayloadHeader>>(bytes),
        ("LightClientHeader", "deneb" | "electra" | "fulu", _) => {
            root_of::<PayloadHeader<DenebPayloadHeader>>(bytes)
        }
        ("LightClientHeader", "gloas", _) => root_of::<GloasHeader>(bytes),
        ("SyncCommittee", _, 32) => root_of::<SyncCommittee<U32>>(bytes),
        ("SyncCommittee", _, 512) => root_of::<SyncCommittee<U512>>(bytes),
        ("SyncAggregate", _, 32) => root_of::<SyncAggregate<U32>>(bytes),
        ("SyncAggregate", _, 512) => root_of::<SyncAggregate<U512>>(bytes),
        _ => from_ssz(object, fork, size, bytes).map(|opinion| opinion.root),
    }
}

fn root_of<T: Decode + TreeHash>(bytes: &[u8]) -> Result<B256, Refusal> {
    let value = T::from_ssz_bytes(bytes).map_err(|error| format!("{error:?}"))?;
    Ok(value.tree_hash_root())
}

#[derive(Clone, Copy)]
enum Input<'a> {
    Ssz(&'a [u8]),
    Json(&'a Value),
}

fn read(object: &str, fork: &str, size: usize, input: Input<'_>) -> Result<Opinion, Refusal> {
    match (fork, size) {
        ("altair" | "bellatrix", 32) => one_of::<AltairHeader, U32, U5, U6>(object, input),
        ("altair" | "bellatrix", 512) => one_of::<AltairHeader, U512, U5, U6>(object, input),
        ("capella", 32) => one_of::<PayloadHeader<CapellaPayloadHeader>, U32, U5, U6>(object, input),
        ("capella", 512) => one_of::<PayloadHeader<CapellaPayloadHeader>, U512, U5, U6>(object, input),
        ("deneb", 32) => one_of::<PayloadHeader<DenebPayloadHeader>, U32, U5, U6>(object, input),
        ("deneb", 512) => one_of::<PayloadHeader<DenebPayloadHeader>, U512, U5, U6>(object, input),
        ("electra" | "fulu", 32) => one_of::<PayloadHeader<DenebPayloadHeader>, U32, U6, U7>(object, input),
        ("electra" | "fulu", 512) => one_of::<PayloadHeader<DenebPayloadHeader>, U512, U6, U7>(object, input),
        ("gloas", 32) => one_of::<GloasHeader, U32, U11, U9>(object, input),
        ("gloas", 512) => one_of::<GloasHeader, U512, U11, U9>(object, input),
        other => panic!("no such fork and committee: {other:?}"),
    }
}

fn one_of<H: AnyHeader, N: Length, C: Length, F: Length>(
    object: &str,
    input: Input<'_>,
) -> Result<Opinion, Refusal> {
    match object {
        "LightClientBootstrap" => opine::<Bootstrap<H, N, C>>(input),
        "LightClientUpdate" => opine::<Update<H, N, C, F>>(input),
        "LightClientFinalityUpdate" => opine::<FinalityUpdate<H, N, F>>(input),
        "LightClientOptimisticUpdate" => opine::<OptimisticUpdate<H, N>>(input),
        other => panic!("no such object: {other}"),
    }
}

fn opine<T: AnyObject>(input: Input<'_>) -> Result<Opinion, Refusal> {
    let object = match input {
        Input::Ssz(bytes) => T::from_ssz_bytes(bytes).map_err(|error| format!("{error:?}"))?,
        Input::Json(value) => {
            serde_json::from_value::<T>(value.clone()).map_err(|error| error.to_string())?
        }
    };
    let ssz = object.as_ssz_bytes();
    if let Input::Ssz(bytes) = input {
        assert_eq!(ssz, bytes, "decoded and encoded bytes differ");
    }
    let (root, headers) = (object.tree_hash_root(), object.headers());
    let (committee, finality_branch, signed) =
        (object.committee(), object.finality_branch(), object.signed());
    Ok(Opinion { root, ssz, headers, committee, finality_branch, signed })
}

trait AnyHeader: Encode + Decode + TreeHash + Default + PartialEq + DeserializeOwned {
    fn beacon(&self) -> &BeaconBlockHeader;
    fn execution(&self) -> (Execution, Vec<B256>);
    fn with_beacon(beacon: BeaconBlockHeader) -> Self;

    fn opinion(&self) -> Header {
        let (execution, branch) = self.execution();
        Header {
            slot: self.beacon().slot,
            beacon: self.beacon().tree_hash_root(),
            execution,
            branch,
            is_zero: *self == Self::default(),
            is_beacon_only: *self == Self::with_beacon(self.beacon().clone()),
        }
    }
}

impl AnyHeader for AltairHeader {
    fn beacon(&self) -> &BeaconBlockHeader {
        &self.beacon
    }
    fn execution(&self) -> (Execution, Vec<B256>) {
        (Execution::Absent, Vec::new())
    }
    fn with_beacon(beacon: BeaconBlockHeader) -> Self {
        Self { beacon }
    }
}

impl<E: Payload> AnyHeader for PayloadHeader<E> {
    fn beacon(&self) -> &BeaconBlockHeader {
        &self.beacon
    }
    fn execution(&self) -> (Execution, Vec<B256>) {
        let (root, before_deneb) = (self.execution.tree_hash_root(), self.execution.root_before_deneb());
        (Execution::Payload { root, before_deneb }, self.execution_branch.to_vec())
    }
    fn with_beacon(beacon: BeaconBlockHeader) -> Self {
        Self { beacon, ..Self::default() }
    }
}

impl AnyHeader for GloasHeader {
    fn beacon(&self) -> &BeaconBlockHeader {
        &self.beacon
    }
    fn execution(&self) -> (Execution, Vec<B256>) {
        (Execution::Hash(self.execution_block_hash), self.execution_branch.to_vec())
    }
    fn with_beacon(beacon: BeaconBlockHeader) -> Self {
        Self { beacon, ..Self::default() }
    }
}

fn committee<N: Length, C: Length>(committee: &SyncCommittee<N>, branch: &FixedVector<B256, C>) -> Committee {
    let is_zero = *committee == SyncCommittee::default();
    Committee { root: committee.tree_hash_root(), branch: branch.to_vec(), is_zero }
}

fn signed<N: Length>(aggregate: &SyncAggregate<N>, slot: u64) -> Signed {
    let signers = aggregate.sync_committee_bits.num_set_bits();
    Signed { aggregate: aggregate.tree_hash_root(), signers, slot }
}

trait AnyObject: Encode + Decode + TreeHash + DeserializeOwned {
    fn headers(&self) -> Vec<Header>;
    fn committee(&self) -> Option<Committee> {
        None
    }
    fn finality_branch(&self) -> Option<Vec<B256>> {
        None
    }
    fn signed(&self) -> Option<Signed>;
}

impl<H: AnyHeader, N: Length, C: Length> AnyObject for Bootstrap<H, N, C> {
    fn headers(&self) -> Vec<Header> {
        vec![self.header.opinion()]
    }
    fn committee(&self) -> Option<Committee> {
        Some(committee(&self.current_sync_committee, &self.current_sync_committee_branch))
    }
    fn signed(&self) -> Option<Signed> {
        None
    }
}

impl<H: AnyHeader, N: Length, C: Length, F: Length> AnyObject for Update<H, N, C, F> {
    fn headers(&self) -> Vec<Header> {
        vec![self.attested_header.opinion(), self.finalized_header.opinion()]
    }
    fn committee(&self) -> Option<Committee> {
        Some(committee(&self.next_sync_committee, &self.next_sync_committee_branch))
    }
    fn finality_branch(&self) -> Option<Vec<B256>> {
        Some(self.finality_branch.to_vec())
    }
    fn signed(&self) -> Option<Signed> {
        Some(signed(&self.sync_aggregate, self.signature_slot))
    }
}

impl<H: AnyHeader, N: Length, F: Length> AnyObject for FinalityUpdate<H, N, F> {
    fn headers(&self) -> Vec<Header> {
        vec![self.attested_header.opinion(), self.finalized_header.opinion()]
    }
    fn finality_branch(&self) -> Option<Vec<B256>> {
        Some(self.finality_branch.to_vec())
    }
    fn signed(&self) -> Option<Signed> {
        Some(signed(&self.sync_aggregate, self.signature_slot))
    }
}

impl<H: AnyHeader, N: Length> AnyObject for OptimisticUpdate<H, N> {
    fn headers(&self) -> Vec<Header> {
        vec![self.attested_header.opinion()]
    }
    fn signed(&self) -> Option<Signed> {
        Some(signed(&self.sync_aggregate, self.signature_slot))
    }
}
