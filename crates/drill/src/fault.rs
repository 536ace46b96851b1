//! The ways a provider can fail or lie.

use std::time::Duration;

use alloy_primitives::U256;
use saldo_beacon::Fork;
use saldo_beacon::unit::UnixTime;
use serde_json::Value;

use crate::Chain;
use crate::carry::carry;
use crate::http::{Reaction, Reply};

/// One way to fail or to lie. Where it applies: to any source, to execution providers (JSON-RPC), or to beacon
/// sources (REST); putting one where it cannot apply panics.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Any: there is no connection. Over loopback the port is closed, so attempts are not counted.
    Refuse,
    /// Any: the connection is accepted, and then nothing.
    Hang,
    /// Any: the host's name does not resolve (in memory only, else as [`Fault::Refuse`]).
    Unresolvable,
    /// Any: the TLS handshake fails (in memory only, else the connection breaks).
    BadCertificate,
    /// Any: the answer comes this slowly.
    Trickle {
        /// Bytes of the body per second, at least 1.
        bytes_per_second: u32,
    },
    /// Any: the connection breaks after this many bytes of the body.
    Reset {
        /// Bytes of the body that arrive.
        after: usize,
    },
    /// Any: an error of that HTTP status.
    Status(u16),
    /// Any: HTTP 429.
    RateLimited {
        /// The `Retry-After` header, seconds or a date.
        retry_after: Option<String>,
    },
    /// Any: HTTP 402, the credits are used up.
    QuotaExhausted,
    /// Any: HTTP 403, not allowed.
    Forbidden,
    /// Any: HTTP 200 with a web page.
    Html,
    /// Any: HTTP 302 to that address.
    Redirect(String),
    /// Any: a body of this many bytes of blanks before the answer.
    Huge {
        /// Bytes of blanks.
        bytes: usize,
    },
    /// Any: a small compressed body that inflates to this many bytes.
    GzipBomb {
        /// Bytes after inflating.
        bytes: u64,
    },
    /// Any: the second half of the body is missing, and nothing says so.
    Truncated,
    /// Any: HTTP 200 with that body.
    Body(String),
    /// Any: the answer's own body under another HTTP status.
    AnswerUnderStatus(u16),
    /// Any: the `Date` header is off by this many seconds; behind if negative.
    ShiftedDate(i64),
    /// Any: there is no `Date` header.
    NoDate,
    /// Any: all answers are true of another chain.
    OtherChain(Chain),

    /// Execution: `result` is null.
    NullResult,
    /// Execution: `result` is this.
    Result(Value),
    /// Execution: an error object, with HTTP 200.
    Error {
        /// The code.
        code: i64,
        /// The message.
        message: String,
    },
    /// Execution: the answer bears an id nobody asked for.
    WrongId,
    /// Execution: the answer bears no id.
    MissingId,
    /// Execution: all answers of a batch bear the id of the first.
    DuplicatedId,
    /// Execution: the answers of a batch come in reverse order, each under its own id (which is allowed).
    ReorderedBatch,
    /// Execution: the last answer of a batch is missing.
    PartialBatch,
    /// Execution: in a batch, each answer's content is under the next one's id.
    SwappedBatch,
    /// Execution: a single answer comes as a list of one.
    ListForSingle,
    /// Execution: `eth_getProof` is not served.
    NoProofs,
    /// Execution: proofs, balances and nonces are those of the block this many blocks earlier.
    StaleBlock(u64),
    /// Execution: every claimed number is zero; the proof is left as it is.
    ZeroBalance,
    /// Execution: only the first nodes of the account proof are there, and everything claimed is zero.
    TruncatedProof {
        /// How many nodes are left.
        nodes: usize,
    },
    /// Execution: nodes that do not belong there follow the account proof.
    ExtraNodes,
    /// Execution: one bit of the account proof is wrong.
    FlippedByte {
        /// Which node, from the root.
        node: usize,
        /// Which byte of it.
        byte: usize,
    },
    /// Execution: a genuine proof of another account, with the asked address echoed.
    OtherAccountsProof,
    /// Execution: a genuine proof of another account, which it names as the one it is about.
    OtherAccountEchoed,
    /// Execution: a flawless trie that the provider made up, another one each time.
    InventedTrie {
        /// What the account holds in it, in wei; with 0 it is proven absent.
        balance: U256,
    },
    /// Execution: `storageProof` is empty although keys were asked for.
    NoStorageProof,
    /// Execution: storage keys are echoed without their leading zeros, as some clients do.
    ShortKeys,
    /// Execution: one field of a result that is an object is another, or missing.
    Field {
        /// The field.
        name: String,
        /// What it holds; `None` if it is missing.
        value: Option<Value>,
    },

    /// Beacon: signatures are genuine but over something else.
    ForgedSignature,
    /// Beacon: only this many signed.
    TooFewSigners(usize),
    /// Beacon: signatures are by the committee of the period before.
    LastCommittee,
    /// Beacon: every bootstrap is unknown.
    NoBootstrap,
    /// Beacon: the list of updates is empty.
    NoUpdates,
    /// Beacon: what comes is JSON, whatever was asked for.
    JsonOnly,
    /// Beacon: nothing names the fork of an object.
    WithoutVersion,
    /// Beacon: objects are labelled with another fork.
    Relabelled(Fork),
    /// Beacon: what names blocks by their roots names others. All sources that do it tell the same lie.
    OtherRoot,
    /// Beacon: no block is said to be final.
    NotFinalized,
    /// Beacon: there is no such route.
    NoRoute,
    /// Beacon: it is a checkpointz: it names roots and describes the network, and serves neither headers nor
    /// light-client objects.
    Checkpointz,
}

/// The two kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Execution providers, asked by JSON-RPC.
    Execution,
    /// Beacon sources, asked by REST.
    Beacon,
}

impl Fault {
    /// The only side this fault applies to; `None` if it applies to both.
    pub fn side(&self) -> Option<Side> {
        match self {
            Self::Refuse
            | Self::Hang
            | Self::Unresolvable
            | Self::BadCertificate
            | Self::Trickle { .. }
            | Self::Reset { .. }
            | Self::Status(_)
            | Self::RateLimited { .. }
            | Self::QuotaExhausted
            | Self::Forbidden
            | Self::Html
            | Self::Redirect(_)
            | Self::Huge { .. }
            | Self::GzipBomb { .. }
            | Self::Truncated
            | Self::Body(_)
            | Self::AnswerUnderStatus(_)
            | Self::ShiftedDate(_)
            | Self::NoDate
            | Self::OtherChain(_) => None,
            Self::NullResult
            | Self::Result(_)
            | Self::Error { .. }
            | Self::WrongId
            | Self::MissingId
            | Self::DuplicatedId
            | Self::ReorderedBatch
            | Self::PartialBatch
            | Self::SwappedBatch
            | Self::ListForSingle
            | Self::NoProofs
            | Self::StaleBlock(_)
            | Self::ZeroBalance
            | Self::TruncatedProof { .. }
            | Self::ExtraNodes
            | Self::FlippedByte { .. }
            | Self::OtherAccountsProof
            | Self::OtherAccountEchoed
            | Self::InventedTrie { .. }
            | Self::NoStorageProof
            | Self::ShortKeys
            | Self::Field { .. } => Some(Side::Execution),
            Self::ForgedSignature
            | Self::TooFewSigners(_)
            | Self::LastCommittee
            | Self::NoBootstrap
            | Self::NoUpdates
            | Self::JsonOnly
            | Self::WithoutVersion
            | Self::Relabelled(_)
            | Self::OtherRoot
            | Self::NotFinalized
            | Self::NoRoute
            | Self::Checkpointz => Some(Side::Beacon),
        }
    }

    /// What a device gets instead of `reply`, made at `now`, from a source with this fault: of those that either kind of
    /// source can have.
    pub fn applied_to(self, reply: Reply, now: UnixTime) -> Reaction {
        carry(&[self.into()], reply, Duration::ZERO, now)
    }

    /// The same fault, only on requests of that method (`eth_getProof`) or route (`updates`).
    pub fn on(self, method: &str) -> Rule {
        Rule { method: Some(method.to_owned()), ..self.into() }
    }

    /// The same fault, only for the first `count` requests it applies to.
    pub fn times(self, count: u64) -> Rule {
        Rule::from(self).times(count)
    }
}

/// A fault, and when it applies.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) fault: Fault,
    pub(crate) method: Option<String>,
    pub(crate) left: Option<u64>,
}

impl Rule {
    /// The same rule, only for the first `count` requests it applies to.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.left = Some(count);
        self
    }

    fn applies_to(&self, methods: &[String]) -> bool {
        self.left != Some(0) && self.method.as_ref().is_none_or(|method| methods.contains(method))
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self { fault, method: None, left: None }
    }
}

/// The rules of one source.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a rule.
    ///
    /// # Panics
    /// If the fault cannot apply to a source of that side.
    pub(crate) fn add(&mut self, rule: Rule, side: Side) {
        let belongs = rule.fault.side().is_none_or(|only| only == side);
        assert!(belongs, "{:?} cannot happen to a source of the {side:?} side", rule.fault);
        self.0.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The faults of a request for `methods` (several in a batch). Counts them as used.
    pub(crate) fn take(&mut self, methods: &[String]) -> Vec<Rule> {
        let mut taken = Vec::new();
        for rule in self.0.iter_mut().filter(|rule| rule.applies_to(methods)) {
            rule.left = rule.left.map(|left| left.saturating_sub(1));
            taken.push(rule.clone());
        }
        taken
    }

    /// Whether connections are refused whatever is asked.
    pub(crate) fn refuse(&self) -> bool {
        self.0.iter().any(|rule| {
            rule.method.is_none()
                && rule.left != Some(0)
                && matches!(rule.fault, Fault::Refuse | Fault::Unresolvable)
        })
    }
}
