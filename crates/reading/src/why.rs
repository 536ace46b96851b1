//! Why an amount is not proven.

use std::fmt;
use std::time::Duration;

use saldo_beacon::unit::{Period, UnixTime};
use saldo_token::NotAToken;

use crate::failure::Role;
use crate::fault::Fault;
use crate::holding::NetworkId;
use crate::tls::TlsFault;

mod reason;

use reason::Reason;

/// Why an amount is not proven.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// There is a proof, at a block that the sync committee has not signed yet.
    UnsignedTip,
    /// The device has no network.
    DeviceOffline,
    /// No provider of proofs could be reached.
    AllUnreachable,
    /// No connection could be secured.
    NotSecure {
        /// Why not.
        fault: TlsFault,
    },
    /// The servers of one kind that could be reached ask to wait before the next request.
    RateLimited {
        /// Which servers.
        role: Role,
        /// For how long, if one of them said so.
        retry_after: Option<Duration>,
    },
    /// The quota with the servers of one kind that could be reached is used up.
    QuotaExhausted {
        /// Which servers.
        role: Role,
    },
    /// No provider serves `eth_getProof`.
    NobodyServesProofs,
    /// The providers no longer have the state of the block that was signed.
    ProofWindowMissed,
    /// The providers lag: they do not have the signed block yet.
    ProvidersBehind {
        /// How many blocks the newest signed one is ahead of theirs, by the least of their own numbers; `None` if they do not say.
        blocks: Option<u64>,
    },
    /// The providers that could be reached answer with errors.
    ProvidersFailing,
    /// The providers that could be reached deny access: the key or the URL is wrong.
    Denied,
    /// A web page answers in place of the servers, as the log-in page of a network does.
    LogInPage,
    /// The providers answer with redirects, which saldo does not follow.
    Moved,
    /// Proofs came, and none of them holds.
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
    /// No source of light-client data gave a signed head that is new enough.
    LightClientBehind {
        /// The time of the newest signed head, if there is one.
        newest: Option<UnixTime>,
    },
    /// The sources gave light-client data, and every object was refused.
    HeadsRefused,
    /// No source gives the committee update to the next period, so newer heads cannot be checked.
    HandOverMissing {
        /// The period whose update is missing.
        period: Period,
    },
    /// No source has the bootstrap of the checkpoint.
    CheckpointNotServed,
    /// No source serves any light-client route.
    NoLightClientRoutes,
    /// The checkpoint's block is at another slot than the checkpoint says.
    CheckpointSlotWrong,
    /// The checkpoint is too old to start from safely.
    CheckpointTooOld {
        /// Its age.
        age: Duration,
        /// The greatest age at which starting from it is safe.
        limit: Duration,
    },
    /// The sources of the first checkpoint name different blocks. The attempts show which source named which.
    CheckpointSourcesDisagree,
    /// Too few sources of the first checkpoint answered.
    TooFewCheckpointSources {
        /// How many answered.
        answered: usize,
        /// How many must answer before an agreement counts.
        needed: usize,
    },
    /// The chain has reached a fork that this version cannot read.
    UnknownFork,
    /// The block has a header layout that this version cannot hash.
    UnknownHeaderLayout,
    /// The chain's validators signed two contradicting blocks.
    ConsensusFault,
    /// The device's clock is behind blocks that were certainly signed before now. Before the first such block: it is far
    /// from the time of the checkpoint sources.
    ClockOff,
    /// The deadline passed before any answer could be accepted.
    Deadline,
    /// Trust was restarted at another checkpoint during the read.
    TrustRestarted,
    /// The chain withdrew the block of the answer during the read.
    BlockWithdrawn,
    /// There are providers left to ask, but the policy lets no more operators see this address.
    PolicyForbidsMoreOperators,
    /// The holding is on a network that this client does not read.
    NetworkNotConfigured {
        /// The network of this client.
        expected: NetworkId,
    },
    /// There is no token at that address.
    NotAToken {
        /// What was proven in place of a balance.
        reason: NotAToken,
    },
    /// It is not proven where the token keeps its balances.
    TokenLayoutUnproven,
    /// The token's own code was not run to its end, so it is not known what it returns.
    TokenNotRun {
        /// Why not.
        reason: String,
    },
    /// There is a proof at a block of the rollup for which Ethereum does not vouch yet.
    NotVouchedYet,
    /// The rollup makes no new blocks.
    RollupStopped {
        /// The time of its newest block.
        since: UnixTime,
    },
    /// Ethereum does not vouch for a block of the rollup: its contracts there say otherwise, or are not those that are known.
    RollupNotVouched {
        /// Why not.
        reason: String,
    },
    /// The client is closed.
    Closed,
    /// A fault in saldo itself.
    InternalFault,
}

impl Why {
    /// Returns a stable name, in snake case.
    pub fn code(&self) -> &'static str {
        self.reason().code
    }

    /// Returns the party that can remedy it.
    pub fn fault(&self) -> Fault {
        self.reason().fault
    }

    /// Returns what to do about it, in one sentence.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::NotSecure { fault } => fault.next_step(),
            _ => self.reason().next_step,
        }
    }

    /// Returns whether trying again will not help, until a person acts.
    pub fn needs_action(&self) -> bool {
        self.reason().needs_action
    }

    /// Returns after how long trying again makes sense, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    fn reason(&self) -> &'static Reason {
        match self {
            Self::UnsignedTip => &reason::UNSIGNED_TIP,
            Self::DeviceOffline => &reason::DEVICE_OFFLINE,
            Self::AllUnreachable => &reason::ALL_UNREACHABLE,
            Self::NotSecure { .. } => &reason::NOT_SECURE,
            Self::RateLimited { role: Role::Execution, .. } => &reason::RATE_LIMITED,
            Self::RateLimited { role: Role::Beacon, .. } => &reason::RATE_LIMITED_BY_SOURCES,
            Self::RateLimited { .. } => &reason::RATE_LIMITED_BY_CHECKPOINT_SOURCES,
            Self::QuotaExhausted { role: Role::Execution } => &reason::QUOTA_EXHAUSTED,
            Self::QuotaExhausted { role: Role::Beacon } => &reason::QUOTA_EXHAUSTED_AT_SOURCES,
            Self::QuotaExhausted { .. } => &reason::QUOTA_EXHAUSTED_AT_CHECKPOINT_SOURCES,
            Self::NobodyServesProofs => &reason::NOBODY_SERVES_PROOFS,
            Self::ProofWindowMissed => &reason::PROOF_WINDOW_MISSED,
            Self::ProvidersBehind { .. } => &reason::PROVIDERS_BEHIND,
            Self::ProvidersFailing => &reason::PROVIDERS_FAILING,
            Self::Denied => &reason::DENIED,
            Self::LogInPage => &reason::LOG_IN_PAGE,
            Self::Moved => &reason::MOVED,
            Self::ProofsRefused => &reason::PROOFS_REFUSED,
            Self::WrongChain { .. } => &reason::WRONG_CHAIN,
            Self::OnlyOldBlocks { .. } => &reason::ONLY_OLD_BLOCKS,
            Self::LightClientBehind { .. } => &reason::LIGHT_CLIENT_BEHIND,
            Self::HeadsRefused => &reason::HEADS_REFUSED,
            Self::HandOverMissing { .. } => &reason::HAND_OVER_MISSING,
            Self::CheckpointNotServed => &reason::CHECKPOINT_NOT_SERVED,
            Self::NoLightClientRoutes => &reason::NO_LIGHT_CLIENT_ROUTES,
            Self::CheckpointSlotWrong => &reason::CHECKPOINT_SLOT_WRONG,
            Self::CheckpointTooOld { .. } => &reason::CHECKPOINT_TOO_OLD,
            Self::CheckpointSourcesDisagree => &reason::CHECKPOINT_SOURCES_DISAGREE,
            Self::TooFewCheckpointSources { .. } => &reason::TOO_FEW_CHECKPOINT_SOURCES,
            Self::UnknownFork => &reason::UNKNOWN_FORK,
            Self::UnknownHeaderLayout => &reason::UNKNOWN_HEADER_LAYOUT,
            Self::ConsensusFault => &reason::CONSENSUS_FAULT,
            Self::ClockOff => &reason::CLOCK_OFF,
            Self::Deadline => &reason::DEADLINE,
            Self::TrustRestarted => &reason::TRUST_RESTARTED,
            Self::BlockWithdrawn => &reason::BLOCK_WITHDRAWN,
            Self::PolicyForbidsMoreOperators => &reason::POLICY_FORBIDS_MORE_OPERATORS,
            Self::NetworkNotConfigured { .. } => &reason::NETWORK_NOT_CONFIGURED,
            Self::NotAToken { .. } => &reason::NOT_A_TOKEN,
            Self::TokenLayoutUnproven => &reason::TOKEN_LAYOUT_UNPROVEN,
            Self::TokenNotRun { .. } => &reason::TOKEN_NOT_RUN,
            Self::NotVouchedYet => &reason::NOT_VOUCHED_YET,
            Self::RollupStopped { .. } => &reason::ROLLUP_STOPPED,
            Self::RollupNotVouched { .. } => &reason::ROLLUP_NOT_VOUCHED,
            Self::Closed => &reason::CLOSED,
            Self::InternalFault => &reason::INTERNAL_FAULT,
        }
    }

    /// Returns the numbers of this occurrence, in words; `None` for a reason that has none.
    fn numbers(&self) -> Option<String> {
        match self {
            Self::RateLimited { retry_after, .. } => {
                retry_after.map(|after| format!("for {} s", after.as_secs()))
            }
            Self::ProvidersBehind { blocks } => {
                blocks.map(|blocks| format!("they are {blocks} blocks behind"))
            }
            Self::NotSecure { fault } => Some(fault.to_string()),
            Self::NotAToken { reason } => Some(not_a_token(reason)),
            Self::TokenNotRun { reason } | Self::RollupNotVouched { reason } => Some(reason.clone()),
            Self::RollupStopped { since } => Some(format!("its newest block is of {since}")),
            Self::WrongChain { expected } => Some(format!("expected is chain {expected}")),
            Self::NetworkNotConfigured { expected } => Some(format!("this client reads {expected}")),
            Self::OnlyOldBlocks { age } => Some(format!("it is {} s old", age.as_secs())),
            Self::HandOverMissing { period } => Some(format!("of period {period}")),
            Self::CheckpointTooOld { age, limit } => Some(format!(
                "its age is {} h, the limit is {} h",
                age.as_secs() / 3_600,
                limit.as_secs() / 3_600
            )),
            Self::TooFewCheckpointSources { answered, needed } => {
                Some(format!("{answered} named a block, at least {needed} must"))
            }
            _ => None,
        }
    }
}

/// What was proven in place of a balance, without an address: logs and screens name none.
fn not_a_token(reason: &NotAToken) -> String {
    match reason {
        NotAToken::NoCode { .. } => "it has no code".to_owned(),
        NotAToken::ImplementationWithoutCode { .. } => "its calls go to an address without code".to_owned(),
        NotAToken::Fails { .. } => "its code fails when it is asked for a balance".to_owned(),
        NotAToken::ReturnsTooLittle { bytes, .. } => format!("its code returns {bytes} of 32 bytes"),
        _ => "it gives no balance".to_owned(),
    }
}

impl std::error::Error for Why {}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason().message)?;
        self.numbers().map_or(Ok(()), |numbers| write!(f, " ({numbers})"))
    }
}

#[cfg(test)]
#[path = "why_tests.rs"]
mod tests;
