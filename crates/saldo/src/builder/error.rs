//! Why a client could not be built.

use saldo_reading::Role;
use saldo_source::EndpointError;

use crate::head::LEAST_ANSWERS;
use crate::storage::StorageRefusal;

/// Says why a client could not be built. It is the caller's fault, unless a variant says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A provider's URL or name cannot be used.
    #[error("provider {position}: {error}")]
    Provider {
        /// The position of the provider among those given, counted from 1.
        position: usize,
        /// What is wrong with its URL or name.
        error: EndpointError,
    },
    /// A beacon source's URL or name cannot be used.
    #[error("beacon source {position}: {error}")]
    BeaconSource {
        /// The position of the source among those given, counted from 1.
        position: usize,
        /// What is wrong with its URL or name.
        error: EndpointError,
    },
    /// A checkpoint source's URL or name cannot be used.
    #[error("checkpoint source {position}: {error}")]
    CheckpointSource {
        /// The position of the source among those given, counted from 1.
        position: usize,
        /// What is wrong with its URL or name.
        error: EndpointError,
    },
    /// The URL or name of a relay of a sequencer's signatures cannot be used.
    #[error("relay {position}: {error}")]
    Relay {
        /// The position of the relay among those given, counted from 1.
        position: usize,
        /// What is wrong with its URL or name.
        error: EndpointError,
    },
    /// A relay of a sequencer's signatures was given for a network that is no rollup.
    #[error("a relay was given for a network that is no rollup")]
    NoRollup,
    /// Two providers, or two sources of one kind, have the same name. Answers could not be attributed to one of
    /// them.
    #[error("two providers or two sources have the same name; give one of them another")]
    SameName,
    /// No provider of proofs was given.
    #[error("no provider: give at least one execution RPC URL")]
    NoProvider,
    /// No beacon source was given.
    #[error("no beacon source: give at least one beacon API URL, or a mirror")]
    NoBeaconSource,
    /// Two networks of the client have the same chain id, so that a holding does not tell them apart.
    #[error("two networks of one client have the chain id {chain_id}")]
    SameNetwork {
        /// The chain id.
        chain_id: u64,
    },
    /// The policy has a deadline of zero, or lets no operator see an address.
    #[error("the policy must leave some time and let at least one operator see an address")]
    Policy,
    /// There is no trust start: no checkpoint, no checkpoint sources, and the network has no checkpoint of its
    /// own.
    #[error(
        "no checkpoint: give the root of a finalized block from a source you trust, or at least {} checkpoint sources run \
         by different operators",
        LEAST_ANSWERS
    )]
    NoCheckpoint,
    /// Too few operators run the checkpoint sources. Two sources of one operator count as one witness.
    #[error("too few operators run the checkpoint sources: {operators}, and at least {needed} are needed")]
    TooFewCheckpointOperators {
        /// The number of operators, as declared, else counted by host.
        operators: usize,
        /// The number of operators needed.
        needed: usize,
    },
    /// `k` is less than 2, which is no agreement, or more than the number of operators.
    #[error("an agreement of {k} among {operators}: at least 2 operators must agree, and at most all")]
    Agreement {
        /// The number of operators that must agree.
        k: usize,
        /// The number of operators that run the checkpoint sources.
        operators: usize,
    },
    /// Fewer operators than the app requires run the providers, or the beacon sources.
    #[error("too few operators run the {} endpoints: {operators}, and at least {needed} are required", role.code())]
    TooFewOperators {
        /// The role of the endpoints: providers of proofs, or beacon sources.
        role: Role,
        /// The number of operators, as declared, else counted by host.
        operators: usize,
        /// The number of operators required.
        needed: usize,
    },
    /// The L1 of a rollup is not among the client's networks.
    #[error("the rollup {chain_id} needs its L1, chain {l1}, among the networks of the client")]
    NoL1 {
        /// The rollup's chain id.
        chain_id: u64,
        /// The chain id of its L1.
        l1: u64,
    },
    /// No transport was given, and the feature `http` is off.
    #[error("no transport: give one, or build with the feature `http`")]
    NoTransport,
    /// No clock was given, and the feature `http` is off.
    #[error("no clock: give one, or build with the feature `http`")]
    NoClock,
    /// The storage belongs to another chain, or a later version of saldo wrote it. It was not changed.
    #[error(transparent)]
    Storage(StorageRefusal),
    /// A proxy variable of the environment cannot be understood. The caller's fault.
    #[cfg(feature = "_transport")]
    #[error(transparent)]
    Proxy(saldo_source::ProxyError),
    /// TLS cannot be set up on this machine. It is the machine's fault.
    #[error("TLS cannot be set up on this machine")]
    Tls,
}
