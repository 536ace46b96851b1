//! Signatures of a rollup's sequencer: blocks that it announces before they are on L1.
//!
//! A signature proves who announced a block, and nothing about the block: the sequencer can announce two blocks of one number, and
//! take back each. No block follows from it; it is a label of what is shown as provisional.
//!
//! Source: specs of the OP Stack, `protocol/rollup-node-p2p.md`, topic `blocksv4` (since Isthmus).

use crate::ExecutionHeader;
use alloy_primitives::{Address, B256, Keccak256, Signature, U256, keccak256};
use saldo_beacon::unit::UnixTime;
use saldo_proof::StateRoot;

/// The most bytes of a message that are read, as nodes limit them.
const MAX_BYTES: usize = 10 << 20;
/// The bytes of the payload's fields of fixed length; `extraData` follows them.
const FIXED: usize = 560;

/// The places of fields in the payload (SSZ `ExecutionPayload` of Isthmus).
mod place {
    pub(super) const STATE_ROOT: usize = 52;
    pub(super) const NUMBER: usize = 404;
    pub(super) const TIMESTAMP: usize = 428;
    pub(super) const EXTRA_DATA: usize = 436;
    pub(super) const BLOCK_HASH: usize = 472;
}

/// Why bytes are not a message of the sequencer. The fault of the party that relayed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The message is larger than any that nodes pass on.
    #[error("the message has {got} bytes")]
    TooLarge {
        /// Its bytes.
        got: usize,
    },
    /// It is not a signature, a root and a payload of a known layout.
    #[error("the message is not a signed block of a known layout")]
    Malformed,
    /// The signature is none.
    #[error("the signature is invalid")]
    Signature,
    /// Another key signed it: not that of the sequencer, or for another rollup.
    #[error("{got} signed it, not the sequencer {expected}")]
    OtherSigner {
        /// The address of the key.
        got: Address,
        /// The sequencer's.
        expected: Address,
    },
}

/// A block that the sequencer announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequencerSigned {
    chain_id: u64,
    signer: Address,
    number: u64,
    hash: B256,
    state_root: StateRoot,
    timestamp: UnixTime,
}

/// Checks a message of the sequencer: signature, parent's beacon root and payload, without the compression of the network.
///
/// `signer` is the address that L1 names ([`L1State::sequencer`](crate::rollup::L1State::sequencer)).
///
/// # Errors
/// [`EnvelopeError`] if the message is malformed, or another key signed it.
pub fn verify_envelope(
    message: &[u8],
    chain_id: u64,
    signer: Address,
) -> Result<SequencerSigned, EnvelopeError> {
    if message.len() > MAX_BYTES {
        return Err(EnvelopeError::TooLarge { got: message.len() });
    }
    let (signature, signed) = message.split_first_chunk::<65>().ok_or(EnvelopeError::Malformed)?;
    let (_beacon_root, payload) = signed.split_first_chunk::<32>().ok_or(EnvelopeError::Malformed)?;
    let block = Block::read(payload).ok_or(EnvelopeError::Malformed)?;
    let got = recover(signature, signing_hash(signed, chain_id)).ok_or(EnvelopeError::Signature)?;
    if got != signer {
        return Err(EnvelopeError::OtherSigner { got, expected: signer });
    }
    let Block { number, hash, state_root, timestamp } = block;
    Ok(SequencerSigned { chain_id, signer, number, hash, state_root, timestamp })
}

struct Block {
    number: u64,
    hash: B256,
    state_root: StateRoot,
    timestamp: UnixTime,
}

impl Block {
    fn read(payload: &[u8]) -> Option<Self> {
        let extra_data = u32::from_le_bytes(bytes(payload, place::EXTRA_DATA)?);
        let fixed = payload.len() >= FIXED && usize::try_from(extra_data) == Ok(FIXED);
        fixed.then_some(())?;
        Some(Self {
            number: u64::from_le_bytes(bytes(payload, place::NUMBER)?),
            hash: B256::new(bytes(payload, place::BLOCK_HASH)?),
            state_root: StateRoot::new(B256::new(bytes(payload, place::STATE_ROOT)?)),
            timestamp: UnixTime::from_secs(u64::from_le_bytes(bytes(payload, place::TIMESTAMP)?)),
        })
    }
}

fn bytes<const N: usize>(payload: &[u8], at: usize) -> Option<[u8; N]> {
    payload.get(at..)?.first_chunk().copied()
}

/// Returns what is signed: a domain of zeros, the rollup, and the hash of root and payload.
fn signing_hash(signed: &[u8], chain_id: u64) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(B256::ZERO);
    hasher.update(U256::from(chain_id).to_be_bytes::<32>());
    hasher.update(keccak256(signed));
    hasher.finalize()
}

fn recover(signature: &[u8; 65], hash: B256) -> Option<Address> {
    let (values, parity) = signature.split_first_chunk::<64>()?;
    let is_odd = match parity {
        [0] => false,
        [1] => true,
        _ => return None,
    };
    Signature::from_bytes_and_parity(values, is_odd).recover_address_from_prehash(&hash).ok()
}

impl SequencerSigned {
    /// Returns the rollup's chain id.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns the address of the key that signed.
    pub fn signer(&self) -> Address {
        self.signer
    }

    /// Returns the announced block number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the announced block hash.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// Returns the announced time of the block.
    pub fn timestamp(&self) -> UnixTime {
        self.timestamp
    }

    /// Returns whether `header`, which was hashed, is the announced block, and the announced values are its own.
    pub fn is_about(&self, header: &ExecutionHeader) -> bool {
        self.hash == header.hash()
            && self.number == header.number()
            && self.state_root == header.state_root()
            && self.timestamp == header.timestamp()
    }
}
