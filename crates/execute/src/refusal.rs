//! Why nothing is known about what a call returns.

use alloy_primitives::Address;
use saldo_proof::Query;

use crate::bound::Bound;

/// Why a run was given up. The code never sees it: it cannot catch it and turn it into a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Something has to be proven first.
    #[error("not everything is proven yet")]
    Missing(Query),
    /// The state and the environment are of different blocks. Fault: the caller.
    #[error("the state is not that of the block")]
    OtherBlock,
    /// A call ran out of gas. How much gas it needs depends on rules that this run need not share with the chain.
    #[error("a call ran out of gas")]
    OutOfGas,
    /// The run exceeds a bound.
    #[error(transparent)]
    Bound(#[from] Bound),
    /// The code asks for the hash of a block that was not proven.
    #[error("it needs the hash of block {number}, which is not proven")]
    BlockHash {
        /// The number of that block.
        number: u64,
    },
    /// The code asks for the base fee of blobs. It depends on a table that no header has
    /// ([EIP-7892](https://eips.ethereum.org/EIPS/eip-7892)).
    #[error("it needs the base fee of blobs, which no header has")]
    BlobBaseFee,
    /// The code asks for the price of the gas, and the transaction pays one.
    #[error("it needs the price of its gas")]
    GasPrice,
    /// The code makes or removes contracts.
    #[error("it makes or removes contracts")]
    Contracts,
    /// The code calls a precompiled contract that this build does not have, or that the fork does not have. Fault: us.
    #[error("it calls the precompiled contract {address}, which this build does not run as the chain does")]
    Precompile {
        /// The address of the precompiled contract.
        address: Address,
    },
    /// What a transaction itself costs in that fork is not known here. Only [`estimate`](crate::estimate) needs it.
    #[error("the gas of a transaction is not known in this fork")]
    GasRules,
    /// The virtual machine failed. Fault: us.
    #[error("the virtual machine failed")]
    Machine,
}
