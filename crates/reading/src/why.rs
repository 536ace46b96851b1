//! Why an amount is not proven.

use std::fmt;
use std::time::Duration;

use saldo_beacon::unit::{Period, UnixTime};

/// Whose fault it is that an amount is not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The device: no network, or its clock.
    Device,
    /// The providers of proofs, or the network to them.
    Providers,
    /// The sources of light-client data, or the network to them.
    Beacon,
    /// The chain's validators.
    Chain,
    /// How the wallet set saldo up.
    Setup,
    /// Nobody's: it takes its time.
    Nobody,
    /// Ours.
    Saldo,
}

impl Fault {
    /// A stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Providers => "providers",
            Self::Beacon => "beacon",
            Self::Chain => "chain",
            Self::Setup => "setup",
            Self::Nobody => "nobody",
            Self::Saldo => "saldo",
        }
    }
}

/// Why an amount is not proven. Not knowing is a value, and this is its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// A proof is there, at a block that the sync committee has not signed yet.
    UnsignedTip,
    /// The device has no network.
    DeviceOffline,
    /// No provider of proofs could be reached.
    AllUnreachable,
    /// The providers that could be reached ask to wait.
    RateLimited {
        /// For how long, if one said.
        retry_after: Option<Duration>,
    },
    /// The quota with the providers that could be reached is used up.
    QuotaExhausted,
    /// No provider serves `eth_getProof`.
    NobodyServesProofs,
    /// The providers no longer have the state of the block that was signed.
    ProofWindowMissed,
    /// The providers that could be reached answer with errors.
    ProvidersFailing,
    /// Answers came, and none of them proves anything.
    ProofsRefused,
    /// The providers serve another chain.
    WrongChain {
        /// The chain id that was expected.
        expected: u64,
    },
    /// The newest block that can be proven is older than the policy allows.
    OnlyOldBlocks {
        /// Its age.
        age: Duration,
    },
    /// No signed head is known that is new enough: no source of light-client data gave one.
    LightClientBehind {
        /// The time of the newest signed head, if there is one.
        newest: Option<UnixTime>,
    },
    /// The sources gave light-client data, and all of it was refused.
    HeadsRefused,
    /// No source gives the next sync committee, so newer heads cannot be checked.
    HandOverMissing {
        /// The period whose update is missing.
        period: Period,
    },
    /// No source has the bootstrap of the checkpoint.
    CheckpointNotServed,
    /// The checkpoint's block is at another slot than the checkpoint says.
    CheckpointSlotWrong,
    /// The checkpoint is too old to start from safely.
    CheckpointTooOld {
        /// Its age.
        age: Duration,
        /// The greatest age at which starting from it is safe.
        limit: Duration,
    },
    /// The sources of the first checkpoint name different ones. The attempts tell who named what.
    CheckpointSourcesDisagree,
    /// Too few sources of the first checkpoint answered for any agreement to count.
    TooFewCheckpointSources {
        /// How many answered.
        answered: usize,
        /// How many must.
        needed: usize,
    },
    /// The chain has come to a fork that this version cannot read.
    UnknownFork,
    /// The block has a header layout that this version cannot hash.
    UnknownHeaderLayout,
    /// The chain's validators signed two contradicting blocks.
    ConsensusFault,
    /// The device's clock is behind blocks that were certainly signed before now, or, before any is known, far from the
    /// time that the checkpoint sources tell of.
    ClockOff,
    /// Time was up before any provider gave a usable answer.
    Deadline,
    /// Trust was restarted at another checkpoint while this was read.
    TrustRestarted,
    /// The chain took back the block of the answer while this was read.
    BlockWithdrawn,
    /// Providers are left to ask, but the policy lets no more operators see this address.
    PolicyForbidsMoreOperators,
    /// There is no token at that address.
    NotAToken,
    /// Where the token keeps its balances is not proven.
    TokenLayoutUnproven,
    /// The client is closed.
    Closed,
    /// A fault in saldo itself.
    InternalFault,
}

impl Why {
    /// A stable name, in snake case.
    pub fn code(&self) -> &'static str {
        self.facts().0
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.facts().1
    }

    /// What to do about it, in one sentence.
    pub fn next_step(&self) -> &'static str {
        self.facts().3
    }

    /// Whether it needs somebody to act: trying again will not help.
    pub fn needs_action(&self) -> bool {
        self.facts().2
    }

    /// After how long trying again makes sense, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// Code, fault, whether it needs action, next step.
    fn facts(&self) -> (&'static str, Fault, bool, &'static str) {
        use Fault::{Beacon, Chain, Device, Nobody, Providers, Saldo, Setup};
        match self {
            Self::UnsignedTip => ("unsigned_tip", Nobody, false, "Read again in a slot or two."),
            Self::DeviceOffline => ("device_offline", Device, false, "Connect the device to a network."),
            Self::AllUnreachable => {
                ("all_unreachable", Providers, false, "Try again, or add a provider run by another operator.")
            }
            Self::RateLimited { .. } => {
                ("rate_limited", Providers, false, "Wait, or add a provider run by another operator.")
            }
            Self::QuotaExhausted => (
                "quota_exhausted",
                Providers,
                true,
                "Raise the quota, or add a provider run by another operator.",
            ),
            Self::NobodyServesProofs => {
                ("nobody_serves_proofs", Providers, true, "Add a provider that serves eth_getProof.")
            }
            Self::ProofWindowMissed => (
                "proof_window_missed",
                Providers,
                false,
                "Try again, or add a provider that keeps older state.",
            ),
            Self::ProvidersFailing => (
                "providers_failing",
                Providers,
                false,
                "Try again, or add a provider run by another operator.",
            ),
            Self::ProofsRefused => (
                "proofs_refused",
                Providers,
                false,
                "Do not trust these providers; add one run by another operator.",
            ),
            Self::WrongChain { .. } => (
                "wrong_chain",
                Setup,
                true,
                "Give the URLs of providers of this chain, or the right network.",
            ),
            Self::OnlyOldBlocks { .. } => (
                "only_old_blocks",
                Providers,
                false,
                "Try again, or allow a greater age if an old amount will do.",
            ),
            Self::LightClientBehind { .. } => {
                ("light_client_behind", Beacon, false, "Try again, or add another beacon source.")
            }
            Self::HeadsRefused => (
                "heads_refused",
                Beacon,
                false,
                "Check that the beacon sources are of this network, or add another.",
            ),
            Self::HandOverMissing { .. } => {
                ("hand_over_missing", Beacon, false, "Add another beacon source, or give a newer checkpoint.")
            }
            Self::CheckpointNotServed => (
                "checkpoint_not_served",
                Beacon,
                true,
                "Give a newer finalized checkpoint, or add a beacon source.",
            ),
            Self::CheckpointSlotWrong => {
                ("checkpoint_slot_wrong", Setup, true, "Correct the checkpoint's slot, or leave it out.")
            }
            Self::CheckpointTooOld { .. } => (
                "checkpoint_too_old",
                Setup,
                true,
                "Give a newer finalized checkpoint from a source you trust.",
            ),
            Self::CheckpointSourcesDisagree => (
                "checkpoint_sources_disagree",
                Beacon,
                true,
                "Give a finalized checkpoint from a source you trust.",
            ),
            Self::TooFewCheckpointSources { .. } => (
                "too_few_checkpoint_sources",
                Beacon,
                false,
                "Try again, add checkpoint sources, or give a finalized checkpoint from a source you trust.",
            ),
            Self::UnknownFork => {
                ("unknown_fork", Saldo, true, "Update saldo, or give a network file that has the fork.")
            }
            Self::UnknownHeaderLayout => ("unknown_header_layout", Saldo, true, "Update saldo."),
            Self::ConsensusFault => (
                "consensus_fault",
                Chain,
                true,
                "Stop, find out what happened to the chain, then give a new checkpoint.",
            ),
            Self::ClockOff => ("clock_off", Device, true, "Set the device's clock."),
            Self::Deadline => ("deadline", Providers, false, "Try again, or allow more time."),
            Self::TrustRestarted => ("trust_restarted", Nobody, false, "Read again."),
            Self::BlockWithdrawn => ("block_withdrawn", Nobody, false, "Read again."),
            Self::PolicyForbidsMoreOperators => (
                "policy_forbids_more_operators",
                Setup,
                true,
                "Allow more operators per address in the policy, or replace the providers that failed.",
            ),
            Self::NotAToken => ("not_a_token", Setup, true, "Check the token's address."),
            Self::TokenLayoutUnproven => {
                ("token_layout_unproven", Saldo, true, "This token cannot be proven by this version.")
            }
            Self::Closed => ("closed", Setup, false, "Open a new client."),
            Self::InternalFault => ("internal_fault", Saldo, true, "Report it, with what you did before."),
        }
    }
}

impl std::error::Error for Why {}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsignedTip => f.write_str("proven at a block that the sync committee has not signed yet"),
            Self::DeviceOffline => f.write_str("this device has no network"),
            Self::AllUnreachable => f.write_str("no provider could be reached"),
            Self::RateLimited { retry_after: Some(after) } => {
                write!(f, "the providers ask to wait {} s", after.as_secs())
            }
            Self::RateLimited { retry_after: None } => f.write_str("the providers ask to wait"),
            Self::QuotaExhausted => f.write_str("the quota with the providers is used up"),
            Self::NobodyServesProofs => f.write_str("no provider serves proofs"),
            Self::ProofWindowMissed => f.write_str("no provider still has the state of the signed block"),
            Self::ProvidersFailing => f.write_str("the providers answer with errors"),
            Self::ProofsRefused => f.write_str("answers came, but none of them proves anything"),
            Self::WrongChain { expected } => write!(f, "the providers do not serve chain {expected}"),
            Self::OnlyOldBlocks { age } => {
                write!(f, "the newest block that can be proven is {} s old", age.as_secs())
            }
            Self::LightClientBehind { newest: None } => f.write_str("no beacon source gave a signed head"),
            Self::LightClientBehind { newest: Some(_) } => {
                f.write_str("no beacon source gave a newer signed head")
            }
            Self::HeadsRefused => f.write_str("the beacon sources' data was refused"),
            Self::HandOverMissing { period } => {
                write!(f, "no beacon source gives the next sync committee of period {period}")
            }
            Self::CheckpointNotServed => f.write_str("no beacon source serves the checkpoint"),
            Self::CheckpointSlotWrong => {
                f.write_str("the checkpoint's block is at another slot than the checkpoint says")
            }
            Self::CheckpointTooOld { age, limit } => write!(
                f,
                "the checkpoint is {} hours old, more than the {} hours within which it is safe",
                age.as_secs() / 3_600,
                limit.as_secs() / 3_600
            ),
            Self::CheckpointSourcesDisagree => f.write_str("the checkpoint sources disagree"),
            Self::TooFewCheckpointSources { answered, needed } => write!(
                f,
                "{answered} of the checkpoint sources named a block, and at least {needed} must before any agreement counts"
            ),
            Self::UnknownFork => f.write_str("the chain has come to a fork that this version cannot read"),
            Self::UnknownHeaderLayout => f.write_str("the block has a header that this version cannot hash"),
            Self::ConsensusFault => f.write_str("the validators signed two contradicting blocks"),
            Self::ClockOff => f.write_str("this device's clock does not agree with the chain's time"),
            Self::Deadline => f.write_str("time was up before any usable answer"),
            Self::TrustRestarted => {
                f.write_str("trust was restarted at another checkpoint while this was read")
            }
            Self::BlockWithdrawn => {
                f.write_str("the chain took back the block of the answer while this was read")
            }
            Self::PolicyForbidsMoreOperators => f.write_str(
                "the policy lets no more operators see this address, and those asked did not answer usably",
            ),
            Self::NotAToken => f.write_str("there is no token at that address"),
            Self::TokenLayoutUnproven => f.write_str("where the token keeps its balances is not proven"),
            Self::Closed => f.write_str("the client is closed"),
            Self::InternalFault => f.write_str("a fault in saldo itself"),
        }
    }
}

#[cfg(test)]
#[path = "why_tests.rs"]
mod tests;
