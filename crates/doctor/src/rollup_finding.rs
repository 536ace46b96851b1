//! The findings about a rollup as a whole: what stands in the way of a proven balance, whichever provider is asked.

use std::fmt;
use std::time::Duration;

use alloy_primitives::B256;
use saldo::{Contract, ProviderId, Refusal, RelayProblem, RollupHealth};
use saldo_beacon::unit::UnixTime;
use saldo_reading::Why;

use crate::counted::counted;

/// A finding about a rollup as a whole. Each variant says whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RollupFinding {
    /// A contract on L1 runs code that the profile does not name. Fault: none; the contract was upgraded, or the codes were never read.
    UnknownCode {
        /// The contract.
        contract: Contract,
        /// The hash of the code that it runs.
        code_hash: B256,
    },
    /// The profile does not name the codes of all contracts. Fault: the caller's profile.
    NotPinned,
    /// The rollup's system is paused. Fault: none; its guardian paused it.
    Paused,
    /// L1 vouches for no block, or cannot be read, for the reason that a balance gives. Fault: as the [`Why`] says.
    Problem(Why),
    /// It makes no new blocks: the heads of several operators are the same, and old. Fault: the rollup.
    Stopped {
        /// The time of its newest block.
        since: UnixTime,
    },
    /// No new claim about its blocks was made for more than twice the usual time. Fault: the rollup's proposer.
    ClaimsLate {
        /// How old the newest claim is, by L1's time.
        since: Duration,
        /// The usual time between two claims.
        usual: Duration,
    },
    /// The newest block that relays show with the sequencer's signature is old, and the rollup goes on. Fault: the relays, which lag, or
    /// the sequencer, which signs no more.
    SignaturesStopped {
        /// The time of that block.
        since: UnixTime,
    },
    /// A relay showed no block that the sequencer signed. Fault: the relay.
    Relay {
        /// The relay.
        relay: ProviderId,
        /// Why.
        problem: RelayProblem,
    },
}

impl RollupFinding {
    /// What follows from the state of a client that reads the rollup.
    pub(crate) fn of(health: &RollupHealth, is_pinned: bool, now: UnixTime) -> Vec<Self> {
        let mut found: Vec<Self> = health.stopped.map(|since| Self::Stopped { since }).into_iter().collect();
        let problem = match (&health.refusal, &health.problem) {
            (Some(Refusal::UnknownCode { contract, got }), _) => {
                Some(Self::UnknownCode { contract: *contract, code_hash: *got })
            }
            (Some(Refusal::Paused), _) => Some(Self::Paused),
            (_, Some(why)) => Some(Self::Problem(why.clone())),
            (_, None) => None,
        };
        let is_named = matches!(problem, Some(Self::UnknownCode { .. }));
        found.extend(problem);
        found.extend((!is_pinned && !is_named).then_some(Self::NotPinned));
        if let Some(claims) = health.claims.filter(|claims| claims.are_late()) {
            let since = claims.read_at.saturating_sub(claims.newest);
            found.extend(claims.usual.map(|usual| Self::ClaimsLate { since, usual }));
        }
        let signed = health.relays.iter().filter_map(|relay| relay.newest).max();
        let is_old = |signed: &UnixTime| now.saturating_sub(*signed) >= RollupHealth::STANDSTILL;
        let since = signed.filter(is_old).filter(|_| health.stopped.is_none());
        found.extend(since.map(|since| Self::SignaturesStopped { since }));
        found.extend(health.relays.iter().filter_map(|health| {
            let (relay, problem) = (health.relay.clone(), health.problem.clone()?);
            Some(Self::Relay { relay, problem })
        }));
        found
    }

    /// A stable name, in snake case. That of a problem is the reason's.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCode { .. } => "unknown_code",
            Self::NotPinned => "not_pinned",
            Self::Paused => "paused",
            Self::Problem(why) => why.code(),
            Self::Stopped { .. } => "rollup_stopped",
            Self::ClaimsLate { .. } => "claims_late",
            Self::SignaturesStopped { .. } => "signatures_stopped",
            Self::Relay { .. } => "relay",
        }
    }

    /// Whether amounts can still be proven.
    pub(crate) fn is_warning(&self) -> bool {
        match self {
            Self::Stopped { .. } | Self::ClaimsLate { .. } => true,
            Self::SignaturesStopped { .. } | Self::Relay { .. } => true,
            Self::UnknownCode { .. } | Self::NotPinned | Self::Paused | Self::Problem(_) => false,
        }
    }

    pub(crate) fn needs_action(&self) -> bool {
        match self {
            Self::UnknownCode { .. } | Self::NotPinned => true,
            Self::Problem(why) => why.needs_action(),
            Self::Paused | Self::Stopped { .. } | Self::ClaimsLate { .. } => false,
            Self::SignaturesStopped { .. } | Self::Relay { .. } => false,
        }
    }

    pub(crate) fn next_step(&self) -> &'static str {
        match self {
            Self::UnknownCode { .. } | Self::NotPinned => {
                "read the codes that run with `saldo network codes NAME -o FILE.toml`, compare them with what the rollup's operator publishes, and give that file with --network."
            }
            Self::Paused => {
                "wait until the rollup's guardian ends the pause: until then Ethereum counts no claim."
            }
            Self::Problem(why) => why.next_step(),
            Self::Stopped { .. } => {
                "wait: amounts that Ethereum vouches for stay proven until they are too old, and nothing can be moved on the rollup."
            }
            Self::ClaimsLate { .. } => {
                "wait: what is read now is proven once a claim about a later block is made."
            }
            Self::SignaturesStopped { .. } => {
                "add a relay of another operator: that tells a relay that lags from a sequencer that signs no more."
            }
            Self::Relay { .. } => {
                "check the URL after --relay-url, or add another relay; without one only the label of the sequencer is missing."
            }
        }
    }
}

impl fmt::Display for RollupFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCode { contract, code_hash } => write!(
                f,
                "the {} on its L1 runs the code {code_hash}, which the profile does not name: every balance is provisional",
                contract.code().replace('_', " ")
            ),
            Self::NotPinned => f.write_str(
                "the profile does not name the codes of all contracts: every balance is provisional",
            ),
            Self::Paused => f.write_str("its system is paused: no claim about its blocks counts"),
            Self::Problem(why) => why.fmt(f),
            Self::Stopped { since } => {
                write!(f, "makes no new blocks: several operators agree that its newest one is of {since}")
            }
            Self::ClaimsLate { since, usual } => write!(
                f,
                "no claim about its blocks was made for {}, where one is usual every {}",
                counted(since.as_secs() / 60, "minute"),
                counted(usual.as_secs() / 60, "minute")
            ),
            Self::SignaturesStopped { since } => {
                write!(
                    f,
                    "goes on, and the newest block that relays show with the sequencer's signature is of {since}"
                )
            }
            Self::Relay { relay, problem } => {
                write!(f, "the relay {relay} shows no block that the sequencer signed: {problem}")
            }
        }
    }
}
