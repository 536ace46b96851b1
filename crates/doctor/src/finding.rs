//! What is worth knowing of a provider or a source, and what to do about it.

use std::fmt;
use std::time::Duration;

use saldo_proof::ProofError;
use saldo_reading::{Failure, TransportError};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// It works, but not as well as it should.
    Warning,
    /// It cannot be used as it is.
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

/// What is worth knowing of a provider or a source. Holds no text that came from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It cannot be reached. The provider, the network between, or the URL.
    Unreachable(TransportError),
    /// It takes requests and does not answer them. The provider.
    NeverAnswers,
    /// Its answers take longer than a reader waits. The provider, or the network between.
    TooSlow {
        /// The median.
        latency: Duration,
    },
    /// It answers with a web page. The provider, or somebody between; or the URL is wrong.
    WebPage,
    /// It asks to be left alone. The caller's plan with it, or its load.
    RateLimited {
        /// For how long, if it said.
        retry_after: Option<Duration>,
    },
    /// The quota with it is used up. The caller's plan.
    QuotaExhausted,
    /// It does not let this device in. The caller's key, or its rules.
    Denied,
    /// Its answers bear another request's id: somebody mixes answers up. The provider.
    WrongId,
    /// It fails in another way. The provider.
    Fails(Failure),
    /// It serves another chain. The caller's URL.
    WrongChain {
        /// The chain id it serves.
        got: u64,
        /// The chain id of the network.
        expected: u64,
    },
    /// It says that its newest block is another than the one it gives. The provider.
    LiesAboutTip {
        /// The number it says.
        said: u64,
        /// The number of the block it gives.
        given: u64,
    },
    /// It has no block under the hash that the committee signed, although it is past its number: another branch. The provider.
    OtherBranch,
    /// It is behind the head that the committee signed. The provider.
    Lagging {
        /// By how many blocks.
        blocks: u64,
    },
    /// A block it gives does not hash to its own hash. The provider.
    HeaderRefused,
    /// Its blocks have a field that this version does not know. Nobody's fault.
    UnknownHeaderLayout,
    /// It does not serve `eth_getProof`. The provider, or the caller's plan.
    NoProofs,
    /// It says it proves, and the proof stops before the answer. The provider.
    TruncatedProof,
    /// It says it proves, and the proof does not hold. The provider.
    ProofRefused(ProofError),
    /// It claims an amount beside the proof that the proof contradicts. The provider.
    FalseClaim,
    /// It proves its newest block alone. The provider's settings.
    TipOnly,
    /// Its proofs go back less far than finality. The provider's settings.
    ShallowProofs {
        /// How far back they go, in blocks.
        blocks: u64,
    },
    /// Batches of this size are not answered rightly. The provider.
    BrokenBatch {
        /// How many calls.
        size: usize,
    },
    /// Its clock and the device's differ. One of them.
    ClockDiffers {
        /// By how many seconds its clock is ahead.
        seconds: i64,
    },
    /// It is a source of another network. The caller's URL.
    OtherNetwork,
    /// It does not have the bootstrap of the checkpoint. The source.
    NoBootstrap,
    /// It lacks updates between the checkpoint and the present. The source.
    NoUpdates,
    /// A light client refuses what it serves. The source.
    DataRefused(Failure),
    /// Its data is of a fork that this version cannot read. Nobody's fault.
    UnknownFork,
    /// Its newest signed head is behind. The source.
    Behind {
        /// By how many slots.
        slots: u64,
    },
    /// The checkpoint is too old to start from. The caller's.
    CheckpointTooOld,
    /// By what the committee signed, the device's clock is wrong. The device's.
    ClockOff,
    /// It does not serve light-client data. The source.
    NoLightClientData,
    /// It names another block than the rest do. The checkpoint source, or the rest.
    OutvotedRoot,
}

impl Finding {
    /// A clock further off than this is worth a word, in seconds.
    pub(crate) const MOST_CLOCK_OFFSET: u64 = 30;
    /// From here on an answer is slow: a reader waits 4 s for all that has to be asked.
    pub(crate) const SLOW: Duration = Duration::from_millis(1_500);
    /// A head this far behind is still useful.
    pub const MOST_SLOTS_BEHIND: u64 = 3;
    /// A tip this far behind the signed head is no lag.
    pub(crate) const MOST_BLOCKS_BEHIND: u64 = 2;
    /// A finalized head is up to this many blocks behind the tip.
    pub(crate) const FINALITY_DEPTH: u64 = 95;

    /// What a failure of a JSON-RPC call says of the provider.
    pub(crate) fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Transport(TransportError::Timeout { .. }) => Self::NeverAnswers,
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
            Failure::UnknownFork => Self::UnknownFork,
            Failure::Bootstrap(_) | Failure::Update(_) => Self::of_data(failure),
            other => Self::Fails(other.clone()),
        }
    }

    /// What a light client's refusal says of the source.
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
            Self::BrokenBatch { .. } => Severity::Note,
            Self::TooSlow { .. }
            | Self::FalseClaim
            | Self::TipOnly
            | Self::ShallowProofs { .. }
            | Self::ClockDiffers { .. }
            | Self::NoBootstrap
            | Self::NoUpdates
            | Self::ClockOff
            | Self::OutvotedRoot => Severity::Warning,
            _ => Severity::Defect,
        }
    }

    /// Whether it stays until somebody does something: a setting, a plan, an upgrade.
    pub fn needs_action(&self) -> bool {
        match self {
            Self::WebPage
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
            _ => false,
        }
    }

    /// A stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::NeverAnswers => "never_answers",
            Self::TooSlow { .. } => "too_slow",
            Self::WebPage => "web_page",
            Self::RateLimited { .. } => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Denied => "denied",
            Self::WrongId => "wrong_id",
            Self::Fails(_) => "fails",
            Self::WrongChain { .. } => "wrong_chain",
            Self::LiesAboutTip { .. } => "lies_about_tip",
            Self::OtherBranch => "other_branch",
            Self::Lagging { .. } => "lagging",
            Self::HeaderRefused => "header_refused",
            Self::UnknownHeaderLayout => "unknown_header_layout",
            Self::NoProofs => "no_proofs",
            Self::TruncatedProof => "truncated_proof",
            Self::ProofRefused(_) => "proof_refused",
            Self::FalseClaim => "false_claim",
            Self::TipOnly => "tip_only",
            Self::ShallowProofs { .. } => "shallow_proofs",
            Self::BrokenBatch { .. } => "broken_batch",
            Self::ClockDiffers { .. } => "clock_differs",
            Self::OtherNetwork => "other_network",
            Self::NoBootstrap => "no_bootstrap",
            Self::NoUpdates => "no_updates",
            Self::DataRefused(_) => "data_refused",
            Self::UnknownFork => "unknown_fork",
            Self::Behind { .. } => "behind",
            Self::CheckpointTooOld => "checkpoint_too_old",
            Self::ClockOff => "clock_off",
            Self::NoLightClientData => "no_light_client_data",
            Self::OutvotedRoot => "outvoted_root",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(formatter, "cannot be reached: {error}"),
            Self::NeverAnswers => formatter.write_str("takes requests and does not answer in time"),
            Self::TooSlow { latency } => {
                write!(formatter, "too slow: half of its answers take {} ms or more", latency.as_millis())
            }
            Self::WebPage => formatter.write_str("answers with a web page"),
            Self::RateLimited { retry_after } => match retry_after {
                Some(after) => write!(formatter, "rate limited, for {} s", after.as_secs()),
                None => formatter.write_str("rate limited"),
            },
            Self::QuotaExhausted => formatter.write_str("the quota with it is used up"),
            Self::Denied => formatter.write_str("denies access"),
            Self::WrongId => formatter.write_str("answers with another request's id"),
            Self::Fails(failure) => write!(formatter, "fails: {failure}"),
            Self::WrongChain { got, expected } => write!(formatter, "serves chain {got}, not {expected}"),
            Self::LiesAboutTip { said, given } => {
                write!(formatter, "lies about its tip: says {said}, gives {given}")
            }
            Self::OtherBranch => formatter.write_str("is past the signed head, but does not have that block"),
            Self::Lagging { blocks } => write!(formatter, "{blocks} blocks behind the signed head"),
            Self::HeaderRefused => formatter.write_str("its block does not hash to its own hash"),
            Self::UnknownHeaderLayout => {
                formatter.write_str("its blocks have a field that this version does not know")
            }
            Self::NoProofs => formatter.write_str("does not serve eth_getProof"),
            Self::TruncatedProof => formatter.write_str("its proofs stop before the answer"),
            Self::ProofRefused(error) => write!(formatter, "its proofs do not hold: {error}"),
            Self::FalseClaim => formatter.write_str("claims beside a proof what the proof contradicts"),
            Self::TipOnly => formatter.write_str("proves its newest block alone"),
            Self::ShallowProofs { blocks } => {
                write!(formatter, "proves {blocks} blocks back, less far than finality")
            }
            Self::BrokenBatch { size } => {
                write!(formatter, "does not answer a batch of {size} calls rightly")
            }
            Self::ClockDiffers { seconds } => {
                let way = if *seconds < 0 { "behind" } else { "ahead of" };
                write!(formatter, "its clock is {} s {way} this device's", seconds.unsigned_abs())
            }
            Self::OtherNetwork => formatter.write_str("is of another network"),
            Self::NoBootstrap => formatter.write_str("does not have the bootstrap of the checkpoint"),
            Self::NoUpdates => formatter.write_str("lacks updates between the checkpoint and now"),
            Self::DataRefused(failure) => failure.fmt(formatter),
            Self::UnknownFork => formatter.write_str("its data is of a fork that this version cannot read"),
            Self::Behind { slots } => write!(formatter, "its newest signed head is {slots} slots behind"),
            Self::CheckpointTooOld => formatter.write_str("the checkpoint is too old to start from"),
            Self::ClockOff => formatter.write_str("this device's clock is behind what is signed"),
            Self::NoLightClientData => formatter.write_str("does not serve light-client data"),
            Self::OutvotedRoot => formatter.write_str("names another block than the others"),
        }
    }
}

impl Finding {
    /// What the pace and the clock of a host's answers are worth telling of.
    pub(crate) fn of_pace(latency: Option<Duration>, clock_offset: Option<i64>) -> Vec<Self> {
        let slow = latency.filter(|latency| *latency >= Self::SLOW).map(|latency| Self::TooSlow { latency });
        let off = clock_offset.filter(|seconds| seconds.unsigned_abs() > Self::MOST_CLOCK_OFFSET);
        slow.into_iter().chain(off.map(|seconds| Self::ClockDiffers { seconds })).collect()
    }
}
