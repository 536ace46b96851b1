//! What code can ask about the block that it runs in.

use alloy_primitives::{Address, B256};
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{Fork, Network, UnknownFork};
use saldo_proof::StateRoot;

use crate::anchor::{Anchor, Source};
use crate::fields::{BadField, Fields};
use crate::header::ExecutionHeader;
use crate::layout::index;

/// A fork of the execution layer after the merge. Ordered: a later fork is greater.
///
/// Exhaustive on purpose: code that runs contracts must know the rules of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExecutionFork {
    /// The merge.
    Paris,
    /// With Capella: withdrawals.
    Shanghai,
    /// With Deneb: blobs.
    Cancun,
    /// With Electra.
    Prague,
    /// With Fulu.
    Osaka,
    /// With Gloas.
    Amsterdam,
}

impl ExecutionFork {
    /// Returns the fork of the execution layer that starts together with `fork` of the consensus layer; `None` before the merge.
    pub const fn beside(fork: Fork) -> Option<Self> {
        match fork {
            Fork::Altair => None,
            Fork::Bellatrix => Some(Self::Paris),
            Fork::Capella => Some(Self::Shanghai),
            Fork::Deneb => Some(Self::Cancun),
            Fork::Electra => Some(Self::Prague),
            Fork::Fulu => Some(Self::Osaka),
            Fork::Gloas => Some(Self::Amsterdam),
        }
    }

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paris => "Paris",
            Self::Shanghai => "Shanghai",
            Self::Cancun => "Cancun",
            Self::Prague => "Prague",
            Self::Osaka => "Osaka",
            Self::Amsterdam => "Amsterdam",
        }
    }
}

/// Why the environment of a block is not known. No party is at fault, except for a header that lacks a field: that chain is not
/// one that saldo knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The block belongs to a fork that this version, or its network table, does not know.
    #[error(transparent)]
    UnknownFork(#[from] UnknownFork),
    /// The block is older than the merge, or than the network.
    #[error("the block is older than the first fork that saldo can run")]
    BeforeTheMerge,
    /// A field is missing or has another type.
    #[error("the header's field {field} is missing or malformed")]
    Field {
        /// The field's name in the execution API.
        field: &'static str,
    },
    /// The block is one of a rollup. The rules of its blocks are not built in.
    #[error("the block is one of a rollup, and the rules of its blocks are not known")]
    Rollup,
    /// The header belongs to another network.
    #[error("the header belongs to chain {got}, expected {expected}")]
    OtherNetwork {
        /// The chain id of the header.
        got: u64,
        /// The chain id of the network.
        expected: u64,
    },
}

/// What code can ask about the block that it runs in. All of it is from the bytes of one header and from the network's table.
///
/// The header alone proves nothing: [`block_hash`](Self::block_hash) must be the hash of an [`Anchor`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    chain_id: u64,
    fork: ExecutionFork,
    slot: Slot,
    block_hash: B256,
    state_root: StateRoot,
    fields: FieldsOfBlock,
}

/// The fields of a header that code can see.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldsOfBlock {
    parent_hash: B256,
    coinbase: Address,
    prev_randao: B256,
    number: u64,
    timestamp: UnixTime,
    gas_limit: u64,
    base_fee: u64,
    excess_blob_gas: Option<u64>,
}

impl Anchor {
    /// Returns the environment of this block in `network`, from the header that the anchor was made of.
    ///
    /// # Errors
    /// [`EnvironmentError`], above all for a fork that is not known.
    pub fn environment(&self, network: &Network) -> Result<Environment, EnvironmentError> {
        let (got, expected) = (self.chain_id(), network.chain_id());
        if got != expected {
            return Err(EnvironmentError::OtherNetwork { got, expected });
        }
        if self.assurance().vouched().is_some() {
            return Err(EnvironmentError::Rollup);
        }
        let fields = match &self.0.source {
            Source::Rlp(rlp) => FieldsOfBlock::of_rlp(rlp)?,
            Source::Payload(payload) | Source::Claimed(payload) => FieldsOfBlock::of_payload(payload)?,
        };
        Environment::new(self.hash(), self.state_root(), fields, network)
    }
}

impl Environment {
    /// Returns the environment of the block of `header`, as a block of `network`.
    ///
    /// # Errors
    /// [`EnvironmentError`], above all for a fork that is not known.
    pub fn of_header(header: &ExecutionHeader, network: &Network) -> Result<Self, EnvironmentError> {
        let fields = FieldsOfBlock::of_rlp(header.rlp())?;
        Self::new(header.hash(), header.state_root(), fields, network)
    }

    /// Returns the environment of the block of `payload`, as a block of `network`. The beacon block commits to all its fields.
    ///
    /// # Errors
    /// [`EnvironmentError`], above all for a fork that is not known.
    pub fn of_payload(payload: &ExecutionPayloadHeader, network: &Network) -> Result<Self, EnvironmentError> {
        let fields = FieldsOfBlock::of_payload(payload)?;
        Self::new(payload.block_hash, StateRoot::new(payload.state_root), fields, network)
    }

    fn new(
        block_hash: B256,
        state_root: StateRoot,
        fields: FieldsOfBlock,
        network: &Network,
    ) -> Result<Self, EnvironmentError> {
        let slot = network.slot_at(fields.timestamp).ok_or(EnvironmentError::BeforeTheMerge)?;
        let fork = ExecutionFork::beside(network.fork_at(slot)?).ok_or(EnvironmentError::BeforeTheMerge)?;
        Ok(Self { chain_id: network.chain_id(), fork, slot, block_hash, state_root, fields })
    }

    /// Returns the chain id (EIP-155).
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns the fork whose rules hold in this block.
    pub const fn fork(&self) -> ExecutionFork {
        self.fork
    }

    /// Returns the slot of the block, from its time ([EIP-7843](https://eips.ethereum.org/EIPS/eip-7843)).
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns the hash of the block.
    pub const fn block_hash(&self) -> B256 {
        self.block_hash
    }

    /// Returns the hash of the parent block.
    pub const fn parent_hash(&self) -> B256 {
        self.fields.parent_hash
    }

    /// Returns the root of the state after this block.
    pub const fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns the block number.
    pub const fn number(&self) -> u64 {
        self.fields.number
    }

    /// Returns the block's own time.
    pub const fn timestamp(&self) -> UnixTime {
        self.fields.timestamp
    }

    /// Returns the address that receives the fees.
    pub const fn coinbase(&self) -> Address {
        self.fields.coinbase
    }

    /// Returns the randomness of the beacon chain ([EIP-4399](https://eips.ethereum.org/EIPS/eip-4399)).
    pub const fn prev_randao(&self) -> B256 {
        self.fields.prev_randao
    }

    /// Returns how much gas the block may use.
    pub const fn gas_limit(&self) -> u64 {
        self.fields.gas_limit
    }

    /// Returns the base fee, in wei per gas.
    pub const fn base_fee(&self) -> u64 {
        self.fields.base_fee
    }

    /// Returns the blob gas above the target so far; `None` before Cancun.
    pub const fn excess_blob_gas(&self) -> Option<u64> {
        self.fields.excess_blob_gas
    }
}

impl FieldsOfBlock {
    fn of_rlp(rlp: &[u8]) -> Result<Self, EnvironmentError> {
        let named = |BadField(field): BadField| EnvironmentError::Field { field };
        let fields = Fields::read(rlp).ok_or(EnvironmentError::Field { field: "parentHash" })?;
        let has_blobs = fields.len() > index::EXCESS_BLOB_GAS;
        let excess = has_blobs.then(|| fields.integer(index::EXCESS_BLOB_GAS)).transpose();
        Ok(Self {
            parent_hash: fields.word(index::PARENT_HASH).map_err(named)?,
            coinbase: fields.fixed::<20>(index::COINBASE).map_err(named)?.into(),
            prev_randao: fields.word(index::PREV_RANDAO).map_err(named)?,
            number: fields.integer(index::NUMBER).map_err(named)?,
            timestamp: UnixTime::from_secs(fields.integer(index::TIMESTAMP).map_err(named)?),
            gas_limit: fields.integer(index::GAS_LIMIT).map_err(named)?,
            base_fee: fields.integer(index::BASE_FEE).map_err(named)?,
            excess_blob_gas: excess.map_err(named)?,
        })
    }

    fn of_payload(payload: &ExecutionPayloadHeader) -> Result<Self, EnvironmentError> {
        let base_fee = payload.base_fee_per_gas.try_into();
        Ok(Self {
            parent_hash: payload.parent_hash,
            coinbase: payload.fee_recipient,
            prev_randao: payload.prev_randao,
            number: payload.block_number,
            timestamp: UnixTime::from_secs(payload.timestamp),
            gas_limit: payload.gas_limit,
            base_fee: base_fee.map_err(|_| EnvironmentError::Field { field: "baseFeePerGas" })?,
            excess_blob_gas: payload.excess_blob_gas,
        })
    }
}

#[cfg(test)]
#[path = "environment_tests.rs"]
mod tests;
