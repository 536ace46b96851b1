//! What became of asking one provider.

use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::{AdvanceError, BootstrapError, DecodeError};
use saldo_chain::HeaderError;
use saldo_proof::ProofError;

use crate::provider::ProviderId;

/// Why no HTTP answer came. Carries no text from outside and no URL: both may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The device has no network at all, as far as it can tell. The device's own state.
    #[error("this device has no network")]
    Offline,
    /// The host name did not resolve. The provider, or the device's network.
    #[error("the host name does not resolve")]
    Dns,
    /// No connection could be made. The provider, or the network between.
    #[error("no connection")]
    Connect,
    /// The connection could not be secured. The provider, or somebody between.
    #[error("the TLS handshake failed")]
    Tls,
    /// The time limit passed. The provider, or the network between.
    #[error("no complete answer within {} ms", .after.as_millis())]
    Timeout {
        /// The limit that passed.
        after: Duration,
    },
    /// The connection broke before the answer was complete. The provider, or the network between.
    #[error("the connection broke before the answer was complete")]
    Broken,
    /// The answer was a redirect; following one would show the request to a host nobody chose. The provider.
    #[error("redirect (HTTP {status}) refused")]
    Redirect {
        /// The HTTP status code.
        status: u16,
    },
    /// The answer is larger than the limit of the request. The provider.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes after inflating.
        limit: usize,
    },
    /// The answer's encoding could not be undone. The provider.
    #[error("the answer's content encoding cannot be read")]
    Encoding,
    /// The transport itself failed. Ours, or the app's own transport.
    #[error("the transport failed")]
    Failed,
}

impl TransportError {
    /// Whether the request may have reached the provider, so that it may have seen what was asked.
    pub fn may_have_been_seen(&self) -> bool {
        !matches!(self, Self::Offline | Self::Dns | Self::Connect | Self::Tls)
    }
}

/// Why one provider's answer was not used. Holds no text that came from outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No HTTP answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An error status, and a body that says nothing.
    #[error("HTTP {status}")]
    Http {
        /// The HTTP status code.
        status: u16,
    },
    /// The provider does not let this device in.
    #[error("access denied (HTTP {status})")]
    Denied {
        /// The HTTP status code.
        status: u16,
    },
    /// The provider asks to be left alone for a while.
    #[error("rate limited{}", .retry_after.map(|after| format!(", for {} s", after.as_secs())).unwrap_or_default())]
    RateLimited {
        /// For how long, if it said.
        retry_after: Option<Duration>,
    },
    /// The account's quota with the provider is used up.
    #[error("the quota with this provider is used up")]
    QuotaExhausted,
    /// The provider does not serve this method or route.
    #[error("does not serve {method}")]
    NotServed {
        /// The method or route.
        method: &'static str,
    },
    /// The provider no longer has the state of the block.
    #[error("no longer has the state of that block")]
    ProofWindowMissed,
    /// The provider does not have the block yet.
    #[error("does not have that block yet")]
    NotSynced,
    /// The source has the block, but says itself that it is not final or not checked. Nobody's fault: it takes its time.
    #[error("does not call that block final yet")]
    NotFinal,
    /// The provider answered `null`.
    #[error("answered null")]
    NoResult,
    /// A web page came instead of an answer: of an error, of a wall before the provider, or of this network's own sign-in. The
    /// provider, or the network between.
    #[error("answered with a web page")]
    WebPage,
    /// The provider says that it is out of service. The provider.
    #[error("is out of service (JSON-RPC error {code})")]
    OutOfService {
        /// The error's code.
        code: i64,
    },
    /// The provider answered with an error of its own.
    #[error("JSON-RPC error {code}")]
    Rpc {
        /// The error's code.
        code: i64,
    },
    /// The answer is not of the form that was asked for.
    #[error("malformed answer: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The provider serves another chain.
    #[error("serves chain {got}, expected {expected}")]
    WrongChain {
        /// The chain id it serves.
        got: u64,
        /// The chain id that was asked for.
        expected: u64,
    },
    /// The proof does not prove.
    #[error("proof refused: {0}")]
    Proof(#[from] ProofError),
    /// The proof is genuine, but of a block older than the one already proven, or than the policy allows.
    #[error("a proof at block {number}, which is too old to be used")]
    OldBlock {
        /// The block's number.
        number: u64,
    },
    /// The header does not hash to what was asked for.
    #[error("header refused: {0}")]
    Header(#[from] HeaderError),
    /// The source's newest head is older than it should be by now.
    #[error("its newest head is {slots} slots behind")]
    Behind {
        /// By how many slots.
        slots: u64,
    },
    /// The light-client data is of a fork that this version cannot read. Nobody's fault.
    #[error("its data is of a fork that this version cannot read")]
    UnknownFork,
    /// It was not asked: it has been of no use so often lately that it is spared for a moment.
    #[error("not asked again so soon after: {last}")]
    Spared {
        /// What became of asking it last.
        last: Box<Self>,
    },
    /// It was not asked: it sent two false proofs, so that it is asked only when nobody else is left. The provider.
    #[error("is asked only when nobody else is left, because it sent false proofs")]
    Quarantined,
    /// The bootstrap was refused.
    #[error("bootstrap refused: {0}")]
    Bootstrap(#[from] BootstrapError),
    /// A light-client update was refused.
    #[error("update refused: {0}")]
    Update(#[from] AdvanceError),
}

impl From<DecodeError> for Failure {
    /// Keeps the kind alone: the decoder's own message may quote what came from outside.
    fn from(error: DecodeError) -> Self {
        let what = match error {
            DecodeError::UnknownFork(_) => return Self::UnknownFork,
            DecodeError::TooLarge { .. } | DecodeError::TooMany { .. } => "larger than any light-client data",
            DecodeError::Ssz(_) => "not the SSZ of light-client data",
            DecodeError::Json(_) => "not the JSON of light-client data",
            DecodeError::Relabelled { .. } => "labelled as another fork than its slot is of",
            DecodeError::ParticipationBits { .. } => "participation bits beyond the committee",
            _ => "light-client data that is not laid out as its fork has it",
        };
        Self::Malformed { what }
    }
}

impl Failure {
    /// A stable name of the kind of failure, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Transport(error) => match error {
                TransportError::Offline => "offline",
                TransportError::Dns => "dns",
                TransportError::Connect => "connect",
                TransportError::Tls => "tls",
                TransportError::Timeout { .. } => "timeout",
                TransportError::Broken => "broken",
                TransportError::Redirect { .. } => "redirect",
                TransportError::TooLarge { .. } => "too_large",
                TransportError::Encoding => "encoding",
                TransportError::Failed => "transport",
            },
            Self::Http { .. } => "http",
            Self::Denied { .. } => "denied",
            Self::RateLimited { .. } => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::NotServed { .. } => "not_served",
            Self::ProofWindowMissed => "proof_window_missed",
            Self::NotSynced => "not_synced",
            Self::NotFinal => "not_final",
            Self::NoResult => "no_result",
            Self::WebPage => "web_page",
            Self::OutOfService { .. } => "out_of_service",
            Self::Rpc { .. } => "rpc_error",
            Self::Malformed { .. } => "malformed",
            Self::WrongChain { .. } => "wrong_chain",
            Self::Proof(_) => "proof_refused",
            Self::OldBlock { .. } => "old_block",
            Self::Header(_) => "header_refused",
            Self::Behind { .. } => "behind",
            Self::UnknownFork => "unknown_fork",
            Self::Spared { .. } => "spared",
            Self::Quarantined => "quarantined",
            Self::Bootstrap(_) => "bootstrap_refused",
            Self::Update(_) => "update_refused",
        }
    }

    /// Whether the provider could not be reached or gave no usable HTTP answer.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Transport(_) | Self::Http { .. } | Self::WebPage | Self::OutOfService { .. } => true,
            Self::Spared { last } => last.is_unreachable(),
            _ => false,
        }
    }

    /// Whether an answer was offered that does not hold, or is none.
    pub fn is_false_answer(&self) -> bool {
        match self {
            // A layout that this version does not know is nobody's fault.
            Self::Header(error) => *error != HeaderError::UnknownLayout,
            Self::Proof(_)
            | Self::Malformed { .. }
            | Self::NoResult
            | Self::WrongChain { .. }
            | Self::Quarantined => true,
            Self::Spared { last } => last.is_false_answer(),
            _ => false,
        }
    }

    /// Whether the provider may have seen what was asked.
    pub fn may_have_been_seen(&self) -> bool {
        match self {
            Self::Transport(error) => error.may_have_been_seen(),
            Self::Spared { .. } | Self::Quarantined => false,
            _ => true,
        }
    }

    /// What to tell of a provider that was asked the same before, and failed with `before` then: this, unless only that one
    /// shows that the provider may have seen what was asked.
    #[must_use]
    pub fn or_what_was_seen(self, before: Option<Self>) -> Self {
        match before {
            Some(before) if before.may_have_been_seen() && !self.may_have_been_seen() => before,
            _ => self,
        }
    }
}

/// What a provider was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Proofs and headers, over JSON-RPC.
    Execution,
    /// Light-client data, over the beacon API.
    Beacon,
    /// The block that trust starts from, over the beacon API.
    Checkpoint,
}

impl Role {
    /// A stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Beacon => "beacon",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Its answer joined a trusted header: it is what is shown.
    Joined,
    /// Its light-client data was accepted.
    Accepted,
    /// It named this beacon block when it was asked for the one that trust starts from.
    Named {
        /// Root of the block.
        root: B256,
    },
    /// Its proof is complete, under a state root that nobody has signed yet.
    Pending,
    /// Another answer came first.
    Overtaken,
    /// The read's deadline came first.
    Unfinished,
    /// The answer was not used.
    Failed(Failure),
}

impl Outcome {
    /// A stable name of the outcome, in snake case; for a failure, its own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Accepted => "accepted",
            Self::Named { .. } => "named",
            Self::Pending => "parked",
            Self::Overtaken => "overtaken",
            Self::Unfinished => "unfinished",
            Self::Failed(failure) => failure.code(),
        }
    }

    /// The failure, if it is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Joined => f.write_str("its proof joined a signed header"),
            Self::Accepted => f.write_str("its light-client data was accepted"),
            Self::Named { root } => write!(f, "named block {root} as the checkpoint"),
            Self::Pending => f.write_str("its proof waits for the committee to sign the block"),
            Self::Overtaken => f.write_str("another answer came first"),
            Self::Unfinished => f.write_str("had not answered when time was up"),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

/// One provider asked, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who.
    pub provider: ProviderId,
    /// For what.
    pub role: Role,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// Whether it was asked although as many operators as the policy names knew of the address, because none of these
    /// proved anything.
    pub over_policy: bool,
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
