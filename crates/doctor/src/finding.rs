//! The findings about a provider or source: what is wrong, and whose fault it is.

use std::time::Duration;

use saldo_beacon::unit::Period;
use saldo_proof::ProofError;
use saldo_reading::{Failure, TlsFault, TransportError};

use crate::pace::Rate;
use crate::rollup_finding::RollupFinding;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Information only.
    Note,
    /// It works, but with a drawback.
    Warning,
    /// It cannot be used in this state.
    Defect,
}

impl Severity {
    /// A stable name, in snake case.
    pub fn code(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Defect => "defect",
        }
    }
}

/// A finding about a provider or source, or about a rollup. Each variant says whose fault it is. Holds no text from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The endpoint cannot be reached. Fault: the provider, the network, or the URL.
    Unreachable(TransportError),
    /// No connection to it can be secured. Fault: as the [`TlsFault`] says.
    NotSecure(TlsFault),
    /// It answers with a redirect, which saldo does not follow. Fault: the caller's URL.
    Moved {
        /// The HTTP status code.
        status: u16,
    },
    /// A beacon node answers at this URL of an execution provider. Fault: the caller's URL.
    IsBeaconNode,
    /// An execution provider answers at this URL of a beacon source. Fault: the caller's URL.
    IsExecutionProvider,
    /// The endpoint accepts requests and does not answer in time. Fault: the provider.
    NeverAnswers,
    /// Its answers take longer than a reader waits. Fault: the provider, or the network.
    TooSlow {
        /// The median time to an answer.
        latency: Duration,
    },
    /// It answers with a web page. Fault: the provider, a proxy on the way, or the URL.
    WebPage,
    /// It limits the rate of requests. Fault: the caller's plan, or the provider's load.
    RateLimited {
        /// How long to wait, if the provider said it.
        retry_after: Option<Duration>,
    },
    /// It limits the rate of requests, and works within that rate. Fault: the caller's plan, or the provider's load.
    LimitsRate(Rate),
    /// It refuses one route of the beacon API because of the rate for as long as it is asked, and answers others. Fault: the
    /// caller's plan, or the source's load.
    LimitsRoute {
        /// The route's name.
        route: &'static str,
    },
    /// It limits the calls in a second, and counts every call of a batch. Fault: the caller's plan, or the provider's load.
    CountsCalls {
        /// About how many calls it takes in a second.
        calls: usize,
    },
    /// The caller's quota is used up. Fault: the caller's plan.
    QuotaExhausted,
    /// It denies access to this device. Fault: the caller's API key, or the provider's rules.
    Denied,
    /// Its answers have the id of another request, so answers are mixed up. Fault: the provider.
    WrongId,
    /// It fails in another way. Fault: the provider.
    Fails(Failure),
    /// It serves another chain. Fault: the caller's URL.
    WrongChain {
        /// The chain id it serves.
        got: u64,
        /// The chain id of the network.
        expected: u64,
    },
    /// The block number it reports is not that of the newest block it gives. Fault: the provider.
    LiesAboutTip {
        /// The reported number.
        said: u64,
        /// The number of the block it gives.
        given: u64,
    },
    /// Its tip is past the signed head, but it does not have the signed block: another branch. Fault: the provider.
    OtherBranch,
    /// It is behind the signed head. Fault: the provider.
    Lagging {
        /// By how many blocks.
        blocks: u64,
        /// The age of its newest block.
        age: Duration,
    },
    /// It does not know the blocks that it is asked for, not even its own newest one. Fault: the provider.
    NotSynced,
    /// A block it gives does not hash to the block's own hash. Fault: the provider.
    HeaderRefused,
    /// Its blocks have a field that this version does not know. Fault: none; upgrade saldo.
    UnknownHeaderLayout,
    /// It does not serve `eth_getProof`. Fault: the provider, or the caller's plan.
    NoProofs,
    /// Its proof ends before the answer. Fault: the provider.
    TruncatedProof,
    /// Its proof does not verify. Fault: the provider.
    ProofRefused(ProofError),
    /// It claims an amount that its own proof contradicts. Fault: the provider.
    FalseClaim,
    /// It proves only its newest block. Fault: the provider's settings.
    TipOnly,
    /// Its proofs go back less far than the newest finalized block. Fault: the provider's settings.
    ShallowProofs {
        /// How far back they go, in blocks.
        blocks: u64,
    },
    /// It says in `eth_capabilities` that it has proofs of blocks for which it gives none. Fault: the provider.
    ClaimsOlderProofs {
        /// The oldest block of which it claims to have proofs.
        from: u64,
        /// The newest block of which it gave no proof, though the claim includes the block.
        refused: u64,
    },
    /// It says in `eth_capabilities` that it serves no proofs, and serves them. Fault: the provider.
    ClaimsNoProofs,
    /// It does not answer batches of this size correctly. Fault: the provider.
    BrokenBatch {
        /// The number of calls in the batch.
        size: usize,
    },
    /// Its clock and the device's clock differ. Fault: one of the two.
    ClockDiffers {
        /// By how many seconds its clock is ahead.
        seconds: i64,
    },
    /// It is a source of another network. Fault: the caller's URL.
    OtherNetwork,
    /// It does not have the bootstrap of the checkpoint. Fault: the source.
    NoBootstrap,
    /// It lacks updates between the checkpoint and the present. Fault: the source.
    NoUpdates {
        /// The period whose update is missing.
        period: Period,
    },
    /// It serves no finality updates, so no finalized amount is newer than its committee updates. Fault: the source.
    NoFinalityUpdates,
    /// It serves no optimistic updates; its heads come from finality updates. Fault: the source.
    NoOptimisticUpdates,
    /// It serves neither optimistic nor finality updates, and has other light-client routes. Fault: the source.
    NoHeads,
    /// A light client refuses its data. Fault: the source.
    DataRefused(Failure),
    /// Its data is of a fork that this version cannot read. Fault: none; upgrade saldo.
    UnknownFork,
    /// Its newest signed head is behind. Fault: the source.
    Behind {
        /// By how many slots.
        slots: u64,
        /// Whether a balance at that head would be older than a reader accepts.
        is_too_old: bool,
    },
    /// The checkpoint is too old to start from. Fault: the caller.
    CheckpointTooOld,
    /// The device's clock is wrong: a signed header is later, or the dates or certificates of the servers show it. Fault: the device.
    ClockOff,
    /// It serves no light-client route. Fault: the source.
    NoLightClientData,
    /// It names another block than the other sources. Fault: this source, or the others.
    OutvotedRoot,
    /// Its newest block of a rollup is old. Fault: the provider, or the rollup.
    OldHead {
        /// The age of its newest block.
        age: Duration,
    },
    /// It is about a rollup as a whole.
    OfRollup(RollupFinding),
}

impl Finding {
    /// The largest clock difference without a finding, in seconds.
    pub(crate) const MOST_CLOCK_OFFSET: u64 = 30;
    /// The latency from which a provider is slow: a reader waits 4 s for all requests together.
    pub(crate) const SLOW: Duration = Duration::from_millis(1_500);
    /// The most slots by which a head may be behind without a finding.
    pub const MOST_SLOTS_BEHIND: u64 = 3;
    /// The most blocks by which a tip may be behind the signed head without a finding.
    pub(crate) const MOST_BLOCKS_BEHIND: u64 = 2;
    /// The most blocks by which a finalized head is behind the tip.
    pub(crate) const FINALITY_DEPTH: u64 = 95;

    /// The finding for a failed request.
    pub(crate) fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Transport(TransportError::Timeout { .. }) => Self::NeverAnswers,
            Failure::Transport(TransportError::Unsecured(fault)) => Self::NotSecure(*fault),
            Failure::Transport(TransportError::Redirect { status }) => Self::Moved { status: *status },
            Failure::Transport(error) => Self::Unreachable(*error),
            Failure::RateLimited { retry_after } => Self::RateLimited { retry_after: *retry_after },
            Failure::QuotaExhausted => Self::QuotaExhausted,
            Failure::Denied { .. } => Self::Denied,
            Failure::WebPage => Self::WebPage,
            Failure::Malformed { what: "another request's id" } => Self::WrongId,
            Failure::Proof(ProofError::Truncated { .. } | ProofError::EmptyProof { .. }) => {
                Self::TruncatedProof
            }
            Failure::Proof(error) => Self::ProofRefused(*error),
            Failure::Header(saldo_chain::HeaderError::UnknownLayout) => Self::UnknownHeaderLayout,
            Failure::Header(_) => Self::HeaderRefused,
            Failure::NotSynced => Self::NotSynced,
            Failure::UnknownFork => Self::UnknownFork,
            Failure::Bootstrap(_) | Failure::Update(_) => Self::of_data(failure),
            other => Self::Fails(other.clone()),
        }
    }

    /// The finding for data that a light client refused.
    fn of_data(failure: &Failure) -> Self {
        use saldo_beacon::{AdvanceError, BootstrapError};
        match failure {
            Failure::Bootstrap(BootstrapError::CheckpointTooOld { .. }) => Self::CheckpointTooOld,
            Failure::Bootstrap(BootstrapError::FromFuture { .. })
            | Failure::Update(AdvanceError::FromFuture { .. }) => Self::ClockOff,
            Failure::Bootstrap(BootstrapError::UnknownFork(_))
            | Failure::Update(AdvanceError::UnknownFork(_)) => Self::UnknownFork,
            other => Self::DataRefused(other.clone()),
        }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Self::BrokenBatch { .. } | Self::ClaimsNoProofs => Severity::Note,
            Self::TooSlow { .. }
            | Self::LimitsRate(_)
            | Self::LimitsRoute { .. }
            | Self::CountsCalls { .. }
            | Self::FalseClaim
            | Self::TipOnly
            | Self::ShallowProofs { .. }
            | Self::ClaimsOlderProofs { .. }
            | Self::ClockDiffers { .. }
            | Self::NoBootstrap
            | Self::NoUpdates { .. }
            | Self::NoFinalityUpdates
            | Self::NoOptimisticUpdates
            | Self::Behind { is_too_old: false, .. }
            | Self::ClockOff
            | Self::OldHead { .. }
            | Self::OutvotedRoot => Severity::Warning,
            Self::OfRollup(found) if found.is_warning() => Severity::Warning,
            _ => Severity::Defect,
        }
    }

    /// Whether the problem stays until the user or the operator acts: a setting, a plan, an upgrade.
    pub fn needs_action(&self) -> bool {
        match self {
            Self::NotSecure(_)
            | Self::Moved { .. }
            | Self::IsBeaconNode
            | Self::IsExecutionProvider
            | Self::WebPage
            | Self::QuotaExhausted
            | Self::Denied
            | Self::WrongChain { .. }
            | Self::UnknownHeaderLayout
            | Self::NoProofs
            | Self::OtherNetwork
            | Self::UnknownFork
            | Self::CheckpointTooOld
            | Self::ClockOff
            | Self::NoLightClientData => true,
            Self::Fails(failure) => matches!(failure, Failure::NotServed { .. }),
            Self::OfRollup(found) => found.needs_action(),
            _ => false,
        }
    }

    /// A stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::NotSecure(_) => "not_secure",
            Self::Moved { .. } => "moved",
            Self::IsBeaconNode => "is_beacon_node",
            Self::IsExecutionProvider => "is_execution_provider",
            Self::NeverAnswers => "never_answers",
            Self::TooSlow { .. } => "too_slow",
            Self::WebPage => "web_page",
            Self::RateLimited { .. } => "rate_limited",
            Self::LimitsRate(_) => "limits_rate",
            Self::LimitsRoute { .. } => "limits_route",
            Self::CountsCalls { .. } => "counts_calls",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Denied => "denied",
            Self::WrongId => "wrong_id",
            Self::Fails(_) => "fails",
            Self::WrongChain { .. } => "wrong_chain",
            Self::LiesAboutTip { .. } => "lies_about_tip",
            Self::OtherBranch => "other_branch",
            Self::Lagging { .. } => "lagging",
            Self::NotSynced => "not_synced",
            Self::HeaderRefused => "header_refused",
            Self::UnknownHeaderLayout => "unknown_header_layout",
            Self::NoProofs => "no_proofs",
            Self::TruncatedProof => "truncated_proof",
            Self::ProofRefused(_) => "proof_refused",
            Self::FalseClaim => "false_claim",
            Self::TipOnly => "tip_only",
            Self::ShallowProofs { .. } => "shallow_proofs",
            Self::ClaimsOlderProofs { .. } => "claims_older_proofs",
            Self::ClaimsNoProofs => "claims_no_proofs",
            Self::BrokenBatch { .. } => "broken_batch",
            Self::ClockDiffers { .. } => "clock_differs",
            Self::OtherNetwork => "other_network",
            Self::NoBootstrap => "no_bootstrap",
            Self::NoUpdates { .. } => "no_updates",
            Self::NoFinalityUpdates => "no_finality_updates",
            Self::NoOptimisticUpdates => "no_optimistic_updates",
            Self::NoHeads => "no_heads",
            Self::DataRefused(_) => "data_refused",
            Self::UnknownFork => "unknown_fork",
            Self::Behind { .. } => "behind",
            Self::CheckpointTooOld => "checkpoint_too_old",
            Self::ClockOff => "clock_off",
            Self::NoLightClientData => "no_light_client_data",
            Self::OutvotedRoot => "outvoted_root",
            Self::OldHead { .. } => "old_head",
            Self::OfRollup(found) => found.code(),
        }
    }
}

impl Finding {
    /// The finding about the rate of requests, unless `found` already has a reason why the host does not work.
    pub(crate) fn of_rate(rate: Option<Rate>, found: &[Self]) -> Option<Self> {
        let is_limited =
            |finding: &Self| matches!(finding, Self::RateLimited { .. } | Self::LimitsRoute { .. });
        rate.filter(|_| !found.iter().any(is_limited)).map(Self::LimitsRate)
    }

    /// The findings about a host's latency and clock.
    pub(crate) fn of_pace(latency: Option<Duration>, clock_offset: Option<i64>) -> Vec<Self> {
        let slow = latency.filter(|latency| *latency >= Self::SLOW).map(|latency| Self::TooSlow { latency });
        let off = clock_offset.filter(|seconds| seconds.unsigned_abs() > Self::MOST_CLOCK_OFFSET);
        slow.into_iter().chain(off.map(|seconds| Self::ClockDiffers { seconds })).collect()
    }
}
