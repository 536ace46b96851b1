//! From the head to the block that the file is about, by parent hashes.

use alloy_primitives::B256;
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{Execution, Network};
use saldo_chain::{Environment, EnvironmentError, ExecutionHeader};
use saldo_proof::StateRoot;

use crate::error::FileError;
use crate::file::BalanceProof;

/// The block that a file is about.
pub(crate) enum Block {
    /// The signed beacon block has its whole header.
    Payload(Box<ExecutionPayloadHeader>),
    /// Its header hashes to a hash that a signed block or a child names.
    Header(ExecutionHeader),
}

impl Block {
    /// Finds the block of a file: the block that the verified head names, or an ancestor of it. `slot` is that of the head.
    pub(crate) fn of(
        file: &BalanceProof,
        (slot, execution): (Slot, &Execution),
        network: &Network,
    ) -> Result<(Self, usize), FileError> {
        let mut headers = file.headers().iter().enumerate();
        let mut block = match execution {
            Execution::Absent => return Err(FileError::NoExecution { slot }),
            Execution::Header(payload) => Self::Payload(Box::new(payload.clone())),
            Execution::Hash(hash) => {
                let (place, rlp) = headers.next().ok_or(FileError::Malformed { what: "the headers" })?;
                Self::Header(linked(place, rlp, *hash)?)
            }
        };
        let got = block.time();
        if got > network.slot_start(slot) {
            return Err(FileError::BlockTime { got });
        }
        let mut depth: usize = 0;
        for (place, rlp) in headers {
            let header = linked(place, rlp, block.parent_hash())?;
            let expected = block.number().saturating_sub(1);
            if header.number() != expected || block.number() == 0 {
                return Err(FileError::HeaderNumber { place, got: header.number(), expected });
            }
            block = Self::Header(header);
            depth = depth.saturating_add(1);
        }
        Ok((block, depth))
    }

    fn parent_hash(&self) -> B256 {
        match self {
            Self::Payload(payload) => payload.parent_hash,
            Self::Header(header) => header.parent_hash(),
        }
    }

    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Payload(payload) => payload.block_number,
            Self::Header(header) => header.number(),
        }
    }

    pub(crate) fn hash(&self) -> B256 {
        match self {
            Self::Payload(payload) => payload.block_hash,
            Self::Header(header) => header.hash(),
        }
    }

    pub(crate) fn state_root(&self) -> StateRoot {
        match self {
            Self::Payload(payload) => StateRoot::new(payload.state_root),
            Self::Header(header) => header.state_root(),
        }
    }

    pub(crate) fn time(&self) -> UnixTime {
        match self {
            Self::Payload(payload) => UnixTime::from_secs(payload.timestamp),
            Self::Header(header) => header.timestamp(),
        }
    }

    /// The environment in which a token's code is run.
    #[cfg_attr(not(feature = "execute"), expect(dead_code, reason = "no code is run"))]
    pub(crate) fn environment(&self, network: &Network) -> Result<Environment, EnvironmentError> {
        match self {
            Self::Payload(payload) => Environment::of_payload(payload, network),
            Self::Header(header) => Environment::of_header(header, network),
        }
    }
}

fn linked(place: usize, rlp: &[u8], hash: B256) -> Result<ExecutionHeader, FileError> {
    ExecutionHeader::from_rlp(rlp, hash).map_err(|error| FileError::Header { place, error })
}
