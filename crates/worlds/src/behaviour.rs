//! How a provider or a source behaves during a phase.

mod mirror;
mod service;

pub(super) use service::{Chains, PartyService};

use saldo_beacon::Fork;
use saldo_drill::{BatchRefusal, OddError};

/// How a provider or a source behaves during a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Behaviour {
    /// It answers, and tells the truth.
    Honest,
    /// It is honest, and takes this long for each answer, in milliseconds.
    Slow(u64),
    /// It is this many blocks behind.
    Lagging(u64),
    /// It refuses connections.
    Refuse,
    /// It never answers.
    Hang,
    /// Its name does not resolve.
    Unresolvable,
    /// Its certificate is wrong.
    BadCertificate,
    /// Its answers come at so many bytes a second.
    Trickle(u32),
    /// The connection breaks after so many bytes.
    Reset(usize),
    /// It answers with this HTTP status.
    Status(u16),
    /// It answers HTTP 429, with a time to wait in seconds if given.
    RateLimited(Option<u64>),
    /// The quota is used up.
    QuotaExhausted,
    /// It answers HTTP 403.
    Forbidden,
    /// A web page comes, as behind a captive portal.
    Html,
    /// It redirects every request.
    Redirect,
    /// Megabytes come before the answer.
    Huge,
    /// Half of each answer is missing.
    Truncated,
    /// An empty body comes.
    Empty,
    /// It serves another chain.
    OtherChain,
    /// It serves the other branch, where there is one.
    Twin,
    /// It is honest, and writes media types and names of forks in capital letters.
    Capitals,
    /// It is honest, and the first so many requests get plain text with HTTP 200.
    TextAtFirst(u64),
    /// It is honest, and the first so many requests get a web page.
    PageAtFirst(u64),

    /// Provider: it proves only its tip.
    TipOnly,
    /// Provider: it proves its tip and so many blocks before it.
    Window(u64),
    /// Provider: it serves no proofs.
    NoProofs,
    /// Provider: it takes at most so many calls in one request, and refuses more in this form.
    BatchLimit(usize, BatchRefusal),
    /// Provider: the later calls of a batch get "response too large" beyond so many bytes, as geth does.
    ResponseLimit(usize),
    /// Provider: it takes at most so many calls in a second, and counts those inside a batch.
    CallRate(usize),
    /// Provider: its proofs are whole, and all claims beside them are missing.
    NoClaims,
    /// Provider: its proofs are whole, and all claims beside them are null.
    NullClaims,
    /// Provider: it is honest, and the first two requests get an error in this form.
    OddAtFirst(OddError),
    /// Provider: it answers with an error in this form.
    OddError(OddError),
    /// Provider: it answers `null`.
    Null,
    /// Provider: every result is `"0x0"`.
    BareZero,
    /// Provider: it answers with an error of its own.
    InternalError,
    /// Provider: it has no header.
    HeaderNotFound,
    /// Provider: its answers bear another id.
    WrongId,
    /// Provider: a single answer comes as a list.
    ListForSingle,
    /// Provider: proofs are of a block so many blocks earlier.
    StaleBlock(u64),
    /// Provider: all it claims is zero, beside a genuine proof.
    ZeroClaim,
    /// Provider: only so many nodes of the proof are there, and zero is claimed.
    TruncatedProof(usize),
    /// Provider: the proof has one node too many.
    ExtraNodes,
    /// Provider: one bit is wrong.
    FlippedBit,
    /// Provider: another account's proof, under the asked address.
    OtherAccount,
    /// Provider: another account's proof, under that account's address.
    OtherAccountEchoed,
    /// Provider: an invented trie, in which every account is absent.
    InventedZero,
    /// Provider: an invented trie, in which every account is rich.
    InventedRiches,
    /// Provider: proofs of other slots of the same contract.
    OtherSlots,
    /// Provider: only so many nodes of each slot's proof are there, and zero is claimed.
    TruncatedSlot(usize),
    /// Provider: no slot is in the reply.
    NoSlots,
    /// Provider: the last slot is not in the reply.
    LeftOutSlot,
    /// Provider: every second proof is of the block before.
    MixedBlocks,
    /// Provider: the code of a contract is another.
    OtherCode,
    /// Provider: its headers have an unknown field, and it serves no raw headers.
    OddHeader,

    /// Source: it serves only JSON.
    JsonOnly,
    /// Source: it serves only JSON, with the fields of later forks, all zero.
    LaterFields,
    /// Source: signatures are over something else.
    ForgedSignature,
    /// Source: only so many signed.
    TooFewSigners(usize),
    /// Source: the committee of the period before signed.
    LastCommittee,
    /// Source: it has no bootstrap.
    NoBootstrap,
    /// Source: it has no updates.
    NoUpdates,
    /// Source: it labels nothing.
    WithoutVersion,
    /// Source: it labels everything as of this fork.
    Relabelled(Fork),
    /// Source: it names other blocks.
    OtherRoot,
    /// Source: it calls nothing final.
    NotFinalized,
    /// Source: it has none of the routes.
    NoRoute,
}

/// The value of an execution provider with this behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// True proofs at every block that a read may need.
    Good,
    /// True proofs only at its newest block.
    Tip,
    /// True answers, and proofs only of some blocks.
    Partial,
    /// No proof, and no false answer.
    Nothing,
    /// False answers, or answers to something else.
    False,
}

impl Behaviour {
    /// The failures of both kinds.
    pub const FAILURES: [Self; 18] = [
        Self::Refuse,
        Self::Hang,
        Self::Unresolvable,
        Self::BadCertificate,
        Self::Trickle(1),
        Self::Reset(20),
        Self::Status(500),
        Self::Status(503),
        Self::RateLimited(Some(30)),
        Self::RateLimited(None),
        Self::QuotaExhausted,
        Self::Forbidden,
        Self::Html,
        Self::Redirect,
        Self::Huge,
        Self::Truncated,
        Self::Empty,
        Self::OtherChain,
    ];
    /// The further failures of providers.
    pub const OF_PROVIDERS: [Self; 28] = [
        Self::NoProofs,
        Self::Null,
        Self::BareZero,
        Self::InternalError,
        Self::OddError(OddError::Text),
        Self::OddError(OddError::Empty),
        Self::OddError(OddError::NullMessage),
        Self::OddError(OddError::TextCode),
        Self::OddError(OddError::Bare),
        Self::OddError(OddError::PlainText),
        Self::OddError(OddError::EmptyBody),
        Self::HeaderNotFound,
        Self::WrongId,
        Self::ListForSingle,
        Self::StaleBlock(1),
        Self::StaleBlock(30),
        Self::TruncatedProof(0),
        Self::TruncatedProof(1),
        Self::ExtraNodes,
        Self::FlippedBit,
        Self::OtherAccount,
        Self::OtherAccountEchoed,
        Self::InventedZero,
        Self::InventedRiches,
        Self::TipOnly,
        Self::Lagging(1),
        Self::Lagging(10),
        Self::Lagging(1_000),
    ];
    /// The lies of providers about tokens. Nearly all of them are true of the coin.
    pub const ABOUT_TOKENS: [Self; 12] = [
        Self::OtherSlots,
        Self::TruncatedSlot(0),
        Self::TruncatedSlot(1),
        Self::NoSlots,
        Self::LeftOutSlot,
        Self::MixedBlocks,
        Self::OtherCode,
        Self::OtherAccount,
        Self::InventedZero,
        Self::InventedRiches,
        Self::StaleBlock(1),
        Self::TruncatedProof(1),
    ];
    /// The further failures of beacon sources.
    pub const OF_SOURCES: [Self; 10] = [
        Self::ForgedSignature,
        Self::TooFewSigners(1),
        Self::TooFewSigners(21),
        Self::LastCommittee,
        Self::NoBootstrap,
        Self::NoUpdates,
        Self::NoRoute,
        Self::Lagging(2),
        Self::Lagging(4),
        Self::Lagging(20),
    ];
    /// The behaviours of a good provider.
    pub const GOOD_PROVIDERS: [Self; 31] = [
        Self::Honest,
        Self::ZeroClaim,
        Self::Window(64),
        Self::Slow(300),
        Self::BatchLimit(1, BatchRefusal::FreeTier),
        Self::BatchLimit(2, BatchRefusal::SizeLimit),
        Self::BatchLimit(1, BatchRefusal::TooManyRequests),
        Self::BatchLimit(2, BatchRefusal::PaymentRequired),
        Self::BatchLimit(1, BatchRefusal::Forbidden),
        Self::BatchLimit(2, BatchRefusal::TooLarge),
        Self::BatchLimit(1, BatchRefusal::EachCall),
        Self::BatchLimit(2, BatchRefusal::ListOfOne),
        Self::BatchLimit(1, BatchRefusal::Page),
        Self::BatchLimit(2, BatchRefusal::Text),
        Self::BatchLimit(1, BatchRefusal::Closed),
        Self::ResponseLimit(2_000),
        Self::ResponseLimit(8_000),
        Self::CallRate(5),
        Self::CallRate(20),
        Self::Capitals,
        Self::NoClaims,
        Self::NullClaims,
        Self::TextAtFirst(1),
        Self::PageAtFirst(2),
        Self::OddAtFirst(OddError::Text),
        Self::OddAtFirst(OddError::Empty),
        Self::OddAtFirst(OddError::NullMessage),
        Self::OddAtFirst(OddError::TextCode),
        Self::OddAtFirst(OddError::Bare),
        Self::OddAtFirst(OddError::PlainText),
        Self::OddAtFirst(OddError::EmptyBody),
    ];
    /// The behaviours of a good source.
    pub const GOOD_SOURCES: [Self; 10] = [
        Self::Honest,
        Self::JsonOnly,
        Self::Slow(200),
        Self::WithoutVersion,
        Self::Relabelled(Fork::Deneb),
        Self::Relabelled(Fork::Gloas),
        Self::Capitals,
        Self::LaterFields,
        Self::TextAtFirst(2),
        Self::PageAtFirst(1),
    ];

    /// The value of an execution provider with this behaviour.
    pub fn worth(self) -> Worth {
        match self {
            Self::Honest
            | Self::Slow(_)
            | Self::ZeroClaim
            | Self::BatchLimit(..)
            | Self::ResponseLimit(_)
            | Self::CallRate(_)
            | Self::Capitals
            | Self::NoClaims
            | Self::NullClaims
            | Self::TextAtFirst(_)
            | Self::PageAtFirst(_)
            | Self::OddAtFirst(_) => Worth::Good,
            Self::Window(blocks) if blocks >= 48 => Worth::Good,
            Self::TipOnly => Worth::Tip,
            Self::Window(_) | Self::Lagging(_) => Worth::Partial,
            Self::Refuse
            | Self::Hang
            | Self::Unresolvable
            | Self::BadCertificate
            | Self::Trickle(_)
            | Self::Reset(_)
            | Self::Status(_)
            | Self::RateLimited(_)
            | Self::QuotaExhausted
            | Self::Forbidden
            | Self::Redirect
            | Self::Huge
            | Self::NoProofs
            | Self::InternalError
            | Self::OddError(_)
            | Self::HeaderNotFound => Worth::Nothing,
            _ => Worth::False,
        }
    }

    /// Whether a beacon source with this behaviour is good.
    pub fn is_good_source(self) -> bool {
        matches!(
            self,
            Self::Honest
                | Self::Slow(_)
                | Self::JsonOnly
                | Self::WithoutVersion
                | Self::Relabelled(_)
                | Self::Capitals
                | Self::LaterFields
                | Self::TextAtFirst(_)
                | Self::PageAtFirst(_)
        )
    }

    /// How much longer than without this behaviour an answer may take in all, in milliseconds: what fails is asked again after a
    /// pause, and calls that are counted are sent one batch a second.
    pub fn delay(self) -> u64 {
        match self {
            Self::TextAtFirst(_) | Self::PageAtFirst(_) | Self::OddAtFirst(_) => 4_000,
            Self::CallRate(_) => 12_000,
            other => other.latency(),
        }
    }

    /// The latency of each answer without the network, in milliseconds.
    pub fn latency(self) -> u64 {
        match self {
            Self::Slow(millis) => millis,
            _ => 0,
        }
    }
}
