//! The outcome of asking one provider.

use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::{AdvanceError, BootstrapError, DecodeError};
use saldo_chain::{BodyError, HeaderError};
use saldo_proof::ProofError;

use crate::provider::ProviderId;
use crate::tls::TlsFault;

/// Why no HTTP answer came. It has no text from outside and no URL, because both may contain a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The device has no network, as far as it can tell. Fault: the device.
    #[error("this device has no network")]
    Offline,
    /// The host name did not resolve. Fault: the provider, or the device's network.
    #[error("the host name does not resolve")]
    Dns,
    /// No connection could be made. Fault: the provider, or the network in between.
    #[error("no connection")]
    Connect,
    /// The connection could not be secured. Fault: the provider, or an attacker in between.
    #[error("the TLS handshake failed")]
    Tls,
    /// The connection could not be secured, and it is known why. Fault: as the [`TlsFault`] says.
    #[error("{0}")]
    Unsecured(TlsFault),
    /// The time limit passed. Fault: the provider, or the network in between.
    #[error("no complete answer within {} ms", .after.as_millis())]
    Timeout {
        /// The time limit.
        after: Duration,
    },
    /// The connection broke before the answer was complete. Fault: the provider, or the network in between.
    #[error("the connection broke before the answer was complete")]
    Broken,
    /// The answer was a redirect. It is refused, because it would show the request to a host that the app did not choose.
    /// Fault: the provider.
    #[error("redirect (HTTP {status}) refused")]
    Redirect {
        /// The HTTP status code.
        status: u16,
    },
    /// The answer is larger than the limit of the request. Fault: the provider.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes after decompression.
        limit: usize,
    },
    /// The answer could not be decompressed. Fault: the provider.
    #[error("the answer's content encoding cannot be read")]
    Encoding,
    /// The transport itself failed. Fault: saldo, or the app's own transport.
    #[error("the transport failed")]
    Failed,
}

impl TransportError {
    /// Returns whether the request may have reached the provider. If so, the provider may have seen the address.
    pub fn may_have_been_seen(&self) -> bool {
        match self {
            Self::Offline | Self::Dns | Self::Connect | Self::Tls => false,
            Self::Unsecured(fault) => *fault == TlsFault::TlsExpected,
            _ => true,
        }
    }
}

/// Why one provider's answer was not accepted. It has no text from outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No HTTP answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The answer has an error status, and its body does not explain it.
    #[error("HTTP {status}")]
    Http {
        /// The HTTP status code.
        status: u16,
    },
    /// The provider denies access.
    #[error("access denied (HTTP {status})")]
    Denied {
        /// The HTTP status code.
        status: u16,
    },
    /// The provider asks for no more requests for some time.
    #[error("rate limited{}", .retry_after.map(|after| format!(", for {} s", after.as_secs())).unwrap_or_default())]
    RateLimited {
        /// For how long, if the provider said so.
        retry_after: Option<Duration>,
    },
    /// The quota of the account with the provider is used up.
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
    /// The source has the block, and says itself that it is not final or not checked. No fault: it only takes time.
    #[error("does not call that block final yet")]
    NotFinal,
    /// The provider answered `null`.
    #[error("answered null")]
    NoResult,
    /// A web page came instead of an answer: an error page, an access check, or the sign-in page of this network. Fault: the
    /// provider, or the network in between.
    #[error("answered with a web page")]
    WebPage,
    /// The provider says that it is out of service. Fault: the provider.
    #[error("is out of service (JSON-RPC error {code})")]
    OutOfService {
        /// The error's code.
        code: i64,
    },
    /// The provider answered with another JSON-RPC error.
    #[error("JSON-RPC error {code}")]
    Rpc {
        /// The error's code.
        code: i64,
    },
    /// The answer does not have the expected form.
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
    /// The proof was refused.
    #[error("proof refused: {0}")]
    Proof(#[from] ProofError),
    /// The proof is valid, but its block is older than one that is already proven, or older than the policy allows.
    #[error("its proof is at block {number}, which is too old")]
    OldBlock {
        /// The block's number.
        number: u64,
    },
    /// The header does not have the requested hash.
    #[error("header refused: {0}")]
    Header(#[from] HeaderError),
    /// The transactions or withdrawals are not those of the block.
    #[error("body of the block refused: {0}")]
    Body(#[from] BodyError),
    /// The source's newest head is too old.
    #[error("its newest head is {slots} slot{} behind", if *.slots == 1 { "" } else { "s" })]
    Behind {
        /// By how many slots.
        slots: u64,
    },
    /// The light-client data is of a fork that this version cannot read. Fault: saldo, which must be updated.
    #[error("its data is of a fork that this version cannot read")]
    UnknownFork,
    /// The provider was not asked, because its latest requests failed too often.
    #[error("not asked again yet, because it failed: {last}")]
    Spared {
        /// Its latest failure.
        last: Box<Self>,
    },
    /// The provider was not asked. It sent two false proofs, so it is asked only if no other provider is left. Fault: the
    /// provider.
    #[error("not asked while other providers are left, because it sent false proofs")]
    Quarantined,
    /// The bootstrap was refused.
    #[error("bootstrap refused: {0}")]
    Bootstrap(#[from] BootstrapError),
    /// A light-client update was refused.
    #[error("update refused: {0}")]
    Update(#[from] AdvanceError),
}

impl From<DecodeError> for Failure {
    /// Keeps only the kind, because the decoder's message may quote text from outside.
    fn from(error: DecodeError) -> Self {
        let what = match error {
            DecodeError::UnknownFork(_) => return Self::UnknownFork,
            DecodeError::TooLarge { .. } | DecodeError::TooMany { .. } => "larger than any light-client data",
            DecodeError::Ssz(_) => "not the SSZ of light-client data",
            DecodeError::Json(_) => "not the JSON of light-client data",
            DecodeError::ParticipationBits { .. } => "participation bits beyond the committee",
            _ => "light-client data without the layout of its fork",
        };
        Self::Malformed { what }
    }
}

impl Failure {
    /// Returns a stable name of the kind of failure, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Transport(error) => match error {
                TransportError::Offline => "offline",
                TransportError::Dns => "dns",
                TransportError::Connect => "connect",
                TransportError::Tls => "tls",
                TransportError::Unsecured(fault) => fault.code(),
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
            Self::Body(_) => "body_refused",
            Self::Behind { .. } => "behind",
            Self::UnknownFork => "unknown_fork",
            Self::Spared { .. } => "spared",
            Self::Quarantined => "quarantined",
            Self::Bootstrap(_) => "bootstrap_refused",
            Self::Update(_) => "update_refused",
        }
    }

    /// Returns whether the provider could not be reached, or gave no JSON answer.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Transport(_) | Self::Http { .. } | Self::WebPage | Self::OutOfService { .. } => true,
            Self::Spared { last } => last.is_unreachable(),
            _ => false,
        }
    }

    /// Returns whether the provider gave an answer that is false. An answer that is empty or malformed is not: an overloaded or
    /// misconfigured provider gives such answers too.
    pub fn is_false_answer(&self) -> bool {
        match self {
            // The provider is not at fault if this version does not know a layout.
            Self::Header(error) => *error != HeaderError::UnknownLayout,
            Self::Body(error) => {
                !matches!(error, BodyError::UnknownTransaction { .. } | BodyError::Header { .. })
            }
            Self::Proof(_) | Self::WrongChain { .. } | Self::Quarantined => true,
            Self::Spared { last } => last.is_false_answer(),
            _ => false,
        }
    }

    /// Returns whether the provider may have seen the address.
    pub fn may_have_been_seen(&self) -> bool {
        match self {
            Self::Transport(error) => error.may_have_been_seen(),
            Self::Spared { .. } | Self::Quarantined => false,
            _ => true,
        }
    }

    /// Returns the failure to report for a provider that was asked twice and failed with `before` first: this one, unless
    /// only `before` shows that the provider may have seen the address.
    #[must_use]
    pub fn or_what_was_seen(self, before: Option<Self>) -> Self {
        match before {
            Some(before) if before.may_have_been_seen() && !self.may_have_been_seen() => before,
            _ => self,
        }
    }
}

/// The kind of data that a provider was asked for.
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
    /// Returns a stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Beacon => "beacon",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// The outcome of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Its answer joined a trusted header: the reading shows it.
    Joined,
    /// Its light-client data was accepted.
    Accepted,
    /// It named this beacon block as the one to start trust from.
    Named {
        /// The root of the block.
        root: B256,
    },
    /// Its proof is complete, under a state root that is not signed yet.
    Pending,
    /// Another provider's answer was accepted first.
    Overtaken,
    /// The deadline of the read passed first.
    Unfinished,
    /// The answer was not accepted.
    Failed(Failure),
}

impl Outcome {
    /// Returns a stable name of the outcome, in snake case; for a failure, the name of the failure.
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

    /// Returns the failure, if it is one.
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
            Self::Joined => f.write_str("its proof joined a trusted header"),
            Self::Accepted => f.write_str("its light-client data was accepted"),
            Self::Named { root } => write!(f, "named block {root} as the checkpoint"),
            Self::Pending => f.write_str("its proof waits for its block to be signed or vouched for"),
            Self::Overtaken => f.write_str("another answer came first"),
            Self::Unfinished => f.write_str("had not answered at the deadline"),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

/// One request to a provider, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The provider.
    pub provider: ProviderId,
    /// The kind of data that it was asked for.
    pub role: Role,
    /// The outcome.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// Whether it was asked beyond [`Policy::operators_per_address`](crate::Policy::operators_per_address), because the
    /// operators within that number proved nothing.
    pub over_policy: bool,
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
