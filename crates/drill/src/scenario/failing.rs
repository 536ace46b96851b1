//! The ways to fail that a scenario file can name.

use serde::Deserialize;
use serde_json::Value;

use super::amount::Ether;
use crate::Fork;
use crate::fault::{Fault, Side};

/// One way to fail, as a scenario file names it: a [`Fault`] in snake case.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs, reason = "each is the fault of the same name, and docs/scenarios.md describes it")]
#[non_exhaustive]
pub enum Failing {
    Refuse,
    Hang,
    Unresolvable,
    BadCertificate,
    Trickle {
        bytes_per_second: u32,
    },
    Reset {
        after: usize,
    },
    Status(u16),
    RateLimited {
        #[serde(default)]
        retry_after: Option<String>,
    },
    QuotaExhausted,
    Forbidden,
    Html,
    Redirect(String),
    Huge {
        bytes: usize,
    },
    GzipBomb {
        bytes: u64,
    },
    Truncated,
    Body(String),
    AnswerUnderStatus(u16),
    ShiftedDate(i64),
    NoDate,
    AnotherNetwork,
    AnotherBranch {
        balance: Ether,
    },
    NullResult,
    Result(Value),
    Error {
        code: i64,
        message: String,
    },
    WrongId,
    MissingId,
    DuplicatedId,
    ReorderedBatch,
    PartialBatch,
    SwappedBatch,
    ListForSingle,
    NoProofs,
    StaleBlock(u64),
    ZeroBalance,
    TruncatedProof {
        nodes: usize,
    },
    ExtraNodes,
    FlippedByte {
        node: usize,
        byte: usize,
    },
    OtherAccountsProof,
    InventedTrie {
        balance: Ether,
    },
    Field {
        name: String,
        #[serde(default)]
        value: Option<Value>,
    },
    ForgedSignature,
    TooFewSigners(usize),
    LastCommittee,
    NoBootstrap,
    NoUpdates,
    JsonOnly,
    WithoutVersion,
    Relabelled(String),
    OtherRoot,
    NotFinalized,
    NoRoute,
}

/// How somebody is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Well, and honest.
    Well,
    /// Answers, but slowly, or of old blocks.
    Slow,
    /// Asks to wait, or lets nobody in.
    Limited,
    /// Answers with errors, or with what is no answer.
    Failing,
    /// Cannot be reached, or never answers.
    Gone,
    /// Says what is not true.
    Lies,
}

impl Condition {
    /// A stable name, in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Slow => "slow",
            Self::Limited => "limited",
            Self::Failing => "failing",
            Self::Gone => "gone",
            Self::Lies => "lies",
        }
    }

    /// One character for it.
    pub const fn mark(self) -> char {
        match self {
            Self::Well => '.',
            Self::Slow => '~',
            Self::Limited => '-',
            Self::Failing => '!',
            Self::Gone => 'x',
            Self::Lies => '#',
        }
    }
}

impl Failing {
    /// What it does to somebody.
    pub const fn condition(&self) -> Condition {
        match self {
            Self::Refuse | Self::Hang | Self::Unresolvable | Self::BadCertificate | Self::Reset { .. } => {
                Condition::Gone
            }
            Self::Trickle { .. } | Self::StaleBlock(_) => Condition::Slow,
            Self::RateLimited { .. } | Self::QuotaExhausted | Self::Forbidden | Self::NoProofs => {
                Condition::Limited
            }
            Self::ReorderedBatch | Self::JsonOnly | Self::NoDate => Condition::Well,
            Self::AnotherNetwork
            | Self::AnotherBranch { .. }
            | Self::Result(_)
            | Self::ZeroBalance
            | Self::TruncatedProof { .. }
            | Self::ExtraNodes
            | Self::FlippedByte { .. }
            | Self::OtherAccountsProof
            | Self::InventedTrie { .. }
            | Self::Field { .. }
            | Self::SwappedBatch
            | Self::DuplicatedId
            | Self::ForgedSignature
            | Self::TooFewSigners(_)
            | Self::LastCommittee
            | Self::Relabelled(_)
            | Self::OtherRoot
            | Self::ShiftedDate(_) => Condition::Lies,
            _ => Condition::Failing,
        }
    }

    /// What it is called in words.
    pub fn words(&self) -> String {
        match self {
            Self::Refuse => return "refuses connections".to_owned(),
            Self::Hang => return "says nothing".to_owned(),
            Self::Unresolvable => return "does not resolve".to_owned(),
            Self::Trickle { bytes_per_second } => return format!("{bytes_per_second} bytes a second"),
            Self::Status(status) => return format!("HTTP {status}"),
            Self::RateLimited { .. } => return "asks to wait".to_owned(),
            Self::Html => return "a web page".to_owned(),
            Self::StaleBlock(blocks) => return format!("proves {blocks} blocks earlier"),
            _ => {}
        }
        let debug = format!("{self:?}");
        let name = debug.split([' ', '(', '{']).next().unwrap_or_default();
        let mut words = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.push(letter.to_ascii_lowercase());
        }
        words
    }

    /// The fork that an object is passed off as; `None` if there is none of that name.
    fn fork(name: &str) -> Option<Fork> {
        Fork::from_name(name)
    }

    /// Why it can be done to nobody, if so.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Self::Relabelled(name) if Self::fork(name).is_none() => {
                Some(format!("there is no fork called `{name}`"))
            }
            Self::Huge { bytes } if *bytes > 1 << 30 => Some("`huge` is at most a gigabyte".to_owned()),
            Self::GzipBomb { bytes } if *bytes > 1 << 30 => {
                Some("`gzip_bomb` is at most a gigabyte".to_owned())
            }
            _ => None,
        }
    }

    /// The only side that can fail so, if it is one.
    pub(super) fn side(&self) -> Option<Side> {
        self.fault().and_then(|fault| fault.side())
    }

    /// The fault that it is, if it needs no other chain.
    pub(crate) fn fault(&self) -> Option<Fault> {
        Some(match self.clone() {
            Self::Refuse => Fault::Refuse,
            Self::Hang => Fault::Hang,
            Self::Unresolvable => Fault::Unresolvable,
            Self::BadCertificate => Fault::BadCertificate,
            Self::Trickle { bytes_per_second } => Fault::Trickle { bytes_per_second },
            Self::Reset { after } => Fault::Reset { after },
            Self::Status(status) => Fault::Status(status),
            Self::RateLimited { retry_after } => Fault::RateLimited { retry_after },
            Self::QuotaExhausted => Fault::QuotaExhausted,
            Self::Forbidden => Fault::Forbidden,
            Self::Html => Fault::Html,
            Self::Redirect(location) => Fault::Redirect(location),
            Self::Huge { bytes } => Fault::Huge { bytes },
            Self::GzipBomb { bytes } => Fault::GzipBomb { bytes },
            Self::Truncated => Fault::Truncated,
            Self::Body(body) => Fault::Body(body),
            Self::AnswerUnderStatus(status) => Fault::AnswerUnderStatus(status),
            Self::ShiftedDate(seconds) => Fault::ShiftedDate(seconds),
            Self::NoDate => Fault::NoDate,
            Self::AnotherNetwork | Self::AnotherBranch { .. } => return None,
            Self::NullResult => Fault::NullResult,
            Self::Result(value) => Fault::Result(value),
            Self::Error { code, message } => Fault::Error { code, message },
            Self::WrongId => Fault::WrongId,
            Self::MissingId => Fault::MissingId,
            Self::DuplicatedId => Fault::DuplicatedId,
            Self::ReorderedBatch => Fault::ReorderedBatch,
            Self::PartialBatch => Fault::PartialBatch,
            Self::SwappedBatch => Fault::SwappedBatch,
            Self::ListForSingle => Fault::ListForSingle,
            Self::NoProofs => Fault::NoProofs,
            Self::StaleBlock(blocks) => Fault::StaleBlock(blocks),
            Self::ZeroBalance => Fault::ZeroBalance,
            Self::TruncatedProof { nodes } => Fault::TruncatedProof { nodes },
            Self::ExtraNodes => Fault::ExtraNodes,
            Self::FlippedByte { node, byte } => Fault::FlippedByte { node, byte },
            Self::OtherAccountsProof => Fault::OtherAccountsProof,
            Self::InventedTrie { balance } => Fault::InventedTrie { balance: balance.0 },
            Self::Field { name, value } => Fault::Field { name, value },
            Self::ForgedSignature => Fault::ForgedSignature,
            Self::TooFewSigners(signers) => Fault::TooFewSigners(signers),
            Self::LastCommittee => Fault::LastCommittee,
            Self::NoBootstrap => Fault::NoBootstrap,
            Self::NoUpdates => Fault::NoUpdates,
            Self::JsonOnly => Fault::JsonOnly,
            Self::WithoutVersion => Fault::WithoutVersion,
            Self::Relabelled(name) => Fault::Relabelled(Self::fork(&name)?),
            Self::OtherRoot => Fault::OtherRoot,
            Self::NotFinalized => Fault::NotFinalized,
            Self::NoRoute => Fault::NoRoute,
        })
    }
}
