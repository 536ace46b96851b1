//! The ways a source can fail or lie: one table, from which their names, their parsing and their descriptions come.

mod batch_refusal;
mod condition;
mod odd_error;
mod rule;

use alloy_primitives::U256;
use saldo_beacon::Fork;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::Chain;
use crate::scenario::Ether;
pub use batch_refusal::BatchRefusal;
pub use condition::Condition;
pub use odd_error::OddError;
pub use rule::Rule;
pub(crate) use rule::Rules;

/// The two kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Execution providers, asked by JSON-RPC.
    Execution,
    /// Beacon sources, asked by REST.
    Beacon,
}

/// Makes [`Fault`] of a table. Each row: what it does, the variant, its name in a scenario file, the only side that can
/// have it, the state that it puts a source into, and words for it where the name does not say enough.
macro_rules! faults {
    ($(
        $(#[$meta:meta])*
        $variant:ident
            $({ $( $(#[$field_meta:meta])* $field:ident : $field_type:ty ),* $(,)? })?
            $(( $(#[$value_meta:meta])* $value:ident : $value_type:ty ))?
            = $name:literal, $side:expr, $condition:ident $(, $words:literal)? ;
    )*) => {
        /// One way to fail or to lie. Where it applies: to any source, to execution providers (JSON-RPC), or to beacon
        /// sources (REST); putting one where it cannot apply panics.
        ///
        /// A scenario file writes them in `snake_case`: `"hang"`, `{ status = 503 }`.
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[non_exhaustive]
        pub enum Fault {$(
            $(#[$meta])*
            #[serde(rename = $name)]
            $variant
                $({ $( $(#[$field_meta])* $field: $field_type ),* })?
                $(( $(#[$value_meta])* $value_type ))?,
        )*}

        impl Fault {
            /// The names of all faults, as scenario files write them.
            pub const NAMES: &[&str] = &[$($name),*];

            /// Its name, as scenario files write it.
            pub const fn name(&self) -> &'static str {
                match self {$( faults!(@any $variant $({ $($field)* })? $(( $value ))?) => $name, )*}
            }

            /// The only side this fault applies to; `None` if it applies to both.
            pub const fn side(&self) -> Option<Side> {
                match self {$( faults!(@any $variant $({ $($field)* })? $(( $value ))?) => $side, )*}
            }

            /// The state that it puts a source into.
            pub const fn condition(&self) -> Condition {
                match self {$(
                    faults!(@any $variant $({ $($field)* })? $(( $value ))?) => Condition::$condition,
                )*}
            }

            /// A few words for it.
            #[allow(unused_variables, reason = "few of the words name a value")]
            pub fn words(&self) -> String {
                match self {$(
                    Self::$variant $({ $($field),* })? $(( $value ))? => faults!(@words $name $(, $words)?),
                )*}
            }
        }
    };
    (@any $variant:ident) => { Self::$variant };
    (@any $variant:ident { $($field:ident)* }) => { Self::$variant { .. } };
    (@any $variant:ident ( $value:ident )) => { Self::$variant(_) };
    (@words $name:literal) => { $name.replace('_', " ") };
    (@words $name:literal, $words:literal) => { format!($words) };
}

faults! {
    /// Any: there is no connection. Over loopback the port is closed, so attempts are not counted.
    Refuse = "refuse", None, Gone, "refuses connections";
    /// Any: the connection is accepted, and then no byte comes.
    Hang = "hang", None, Gone, "does not answer";
    /// Any: the host's name does not resolve (in memory only, else as [`Fault::Refuse`]).
    Unresolvable = "unresolvable", None, Gone, "does not resolve";
    /// Any: the TLS handshake fails (in memory only, else the connection breaks).
    BadCertificate = "bad_certificate", None, Gone;
    /// Any: the answer comes slowly.
    Trickle {
        /// Bytes of the body per second, at least 1.
        bytes_per_second: u32,
    } = "trickle", None, Slow, "bytes a second: {bytes_per_second}";
    /// Any: the connection breaks in the middle of the body.
    Reset {
        /// Bytes of the body that arrive.
        after: usize,
    } = "reset", None, Gone;
    /// Any: an error of that HTTP status.
    Status(status: u16) = "status", None, Failing, "HTTP {status}";
    /// Any: HTTP 429.
    RateLimited {
        /// The `Retry-After` header, seconds or a date.
        #[serde(default)]
        retry_after: Option<String>,
    } = "rate_limited", None, Limited, "asks to wait";
    /// Any: HTTP 429 for each request beyond that many in the second before it.
    RequestRate {
        /// The most requests in any second.
        per_second: usize,
        /// The `Retry-After` header, seconds or a date.
        #[serde(default)]
        retry_after: Option<String>,
    } = "request_rate", None, Well, "requests a second: at most {per_second}";
    /// Execution: HTTP 429 for a request with which more than that many calls come in a second. Each call of a batch counts.
    CallRate {
        /// The most calls in any second.
        per_second: usize,
        /// The `Retry-After` header, seconds or a date.
        #[serde(default)]
        retry_after: Option<String>,
    } = "call_rate", Some(Side::Execution), Well, "calls a second: at most {per_second}";
    /// Any: HTTP 402, the credits are used up.
    QuotaExhausted = "quota_exhausted", None, Limited;
    /// Any: HTTP 403, not allowed.
    Forbidden = "forbidden", None, Limited;
    /// Any: HTTP 200 with a web page.
    Html = "html", None, Failing, "a web page";
    /// Any: HTTP 302 to that address.
    Redirect(location: String) = "redirect", None, Failing;
    /// Any: many blanks come before the answer.
    Huge {
        /// Bytes of blanks.
        bytes: usize,
    } = "huge", None, Failing;
    /// Any: a small compressed body that inflates to many bytes.
    GzipBomb {
        /// Bytes after inflating.
        bytes: u64,
    } = "gzip_bomb", None, Failing;
    /// Any: the second half of the body is missing, and the headers do not say so.
    Truncated = "truncated", None, Failing;
    /// Any: HTTP 200 with that body.
    Body(body: String) = "body", None, Failing;
    /// Any: the answer's own body under another HTTP status.
    AnswerUnderStatus(status: u16) = "answer_under_status", None, Failing;
    /// Any: the `Date` header is off by this many seconds; behind if negative.
    ShiftedDate(seconds: i64) = "shifted_date", None, Lies;
    /// Any: there is no `Date` header.
    NoDate = "no_date", None, Well;
    /// Any: all answers are true of that other chain. A scenario names the next two instead.
    #[serde(skip)]
    OtherChain(chain: Chain) = "other_chain", None, Lies;
    /// Any, only in a scenario: all answers are true of another network, which [`Stage`](crate::stage::Stage) makes.
    AnotherNetwork = "another_network", None, Lies;
    /// Any, only in a scenario: all answers are true of another branch that the same validators sign from now on, which
    /// [`Stage`](crate::stage::Stage) makes.
    AnotherBranch {
        /// What the scenario's account holds there, in wei; a file gives it in ether.
        #[serde(deserialize_with = "wei")]
        balance: U256,
    } = "another_branch", None, Lies;

    /// Execution: `result` is null.
    NullResult = "null_result", Some(Side::Execution), Failing;
    /// Execution: `result` is this.
    Result(result: Value) = "result", Some(Side::Execution), Lies;
    /// Execution: an error object, with HTTP 200.
    Error {
        /// The code.
        code: i64,
        /// The message.
        message: String,
    } = "error", Some(Side::Execution), Failing;
    /// Execution: the answer bears an id that no request had.
    WrongId = "wrong_id", Some(Side::Execution), Failing;
    /// Execution: the answer bears no id.
    MissingId = "missing_id", Some(Side::Execution), Failing;
    /// Execution: all answers of a batch bear the id of the first.
    DuplicatedId = "duplicated_id", Some(Side::Execution), Lies;
    /// Execution: the answers of a batch come in reverse order, each under its own id (which is allowed).
    ReorderedBatch = "reordered_batch", Some(Side::Execution), Well;
    /// Execution: the last answer of a batch is missing.
    PartialBatch = "partial_batch", Some(Side::Execution), Failing;
    /// Execution: a batch of more calls is refused.
    BatchLimit {
        /// The most calls of one request.
        calls: usize,
        /// How it is refused.
        form: BatchRefusal,
    } = "batch_limit", Some(Side::Execution), Well, "calls at once: at most {calls}";
    /// Execution: the answers of a batch beyond so many bytes are errors, as geth sends them.
    ResponseLimit {
        /// The most bytes of all results.
        bytes: usize,
    } = "response_limit", Some(Side::Execution), Well, "sends at most {bytes} bytes at once";
    /// Execution: an error in a form that no specification has.
    OddError(form: OddError) = "odd_error", Some(Side::Execution), Failing;
    /// Execution: in a batch, each answer's content is under the next one's id.
    SwappedBatch = "swapped_batch", Some(Side::Execution), Lies;
    /// Execution: a single answer comes as a list of one.
    ListForSingle = "list_for_single", Some(Side::Execution), Failing;
    /// Execution: `eth_getProof` is not served.
    NoProofs = "no_proofs", Some(Side::Execution), Limited;
    /// Execution: proofs, balances and nonces are those of the block this many blocks earlier.
    StaleBlock(blocks: u64) = "stale_block", Some(Side::Execution), Slow, "blocks that its proofs are behind: {blocks}";
    /// Execution: every claimed number is zero; the proof is left as it is.
    ZeroBalance = "zero_balance", Some(Side::Execution), Lies;
    /// Execution: only the first nodes of the account proof are there, and everything claimed is zero.
    TruncatedProof {
        /// How many nodes are left.
        nodes: usize,
    } = "truncated_proof", Some(Side::Execution), Lies;
    /// Execution: nodes that do not belong there follow the account proof.
    ExtraNodes = "extra_nodes", Some(Side::Execution), Lies;
    /// Execution: one bit of the account proof is wrong.
    FlippedByte {
        /// Which node, from the root.
        node: usize,
        /// Which byte of it.
        byte: usize,
    } = "flipped_byte", Some(Side::Execution), Lies;
    /// Execution: a genuine proof of another account, with the asked address echoed.
    OtherAccountsProof = "other_accounts_proof", Some(Side::Execution), Lies;
    /// Execution: a genuine proof of another account, which it names as the one it is about.
    OtherAccountEchoed = "other_account_echoed", Some(Side::Execution), Lies;
    /// Execution: a flawless trie that the provider made up, another one each time.
    InventedTrie {
        /// What the account holds in it, in wei; with 0 it is proven absent. A file gives it in ether. A contract keeps its
        /// code and what points to other contracts; each other slot that is asked for holds this number.
        #[serde(deserialize_with = "wei")]
        balance: U256,
    } = "invented_trie", Some(Side::Execution), Lies;
    /// Execution: `storageProof` is empty although keys were asked for.
    NoStorageProof = "no_storage_proof", Some(Side::Execution), Failing;
    /// Execution: the last entry of `storageProof` is missing.
    LeftOutSlot = "left_out_slot", Some(Side::Execution), Failing;
    /// Execution: genuine proofs of other slots of the same contract, under the asked keys, and everything claimed is zero.
    OtherSlotsProof = "other_slots_proof", Some(Side::Execution), Lies;
    /// Execution: only the first nodes of each storage proof are there, and everything claimed is zero.
    TruncatedStorageProof {
        /// How many nodes are left.
        nodes: usize,
    } = "truncated_storage_proof", Some(Side::Execution), Lies;
    /// Execution: every second proof is that of the block before.
    MixedBlocks = "mixed_blocks", Some(Side::Execution), Lies;
    /// Execution: the code of a contract is another.
    OtherCode = "other_code", Some(Side::Execution), Lies;
    /// Execution: storage keys are echoed without their leading zeros, as some clients do.
    ShortKeys = "short_keys", Some(Side::Execution), Well;
    /// Execution: one field of a result that is an object is another, or missing.
    Field {
        /// The field.
        name: String,
        /// What it holds; `None` if it is missing.
        #[serde(default)]
        value: Option<Value>,
    } = "field", Some(Side::Execution), Lies;

    /// Beacon: signatures are genuine but over something else.
    ForgedSignature = "forged_signature", Some(Side::Beacon), Lies;
    /// Beacon: only this many signed.
    TooFewSigners(signers: usize) = "too_few_signers", Some(Side::Beacon), Lies;
    /// Beacon: signatures are by the committee of the period before.
    LastCommittee = "last_committee", Some(Side::Beacon), Lies;
    /// Beacon: every bootstrap is unknown.
    NoBootstrap = "no_bootstrap", Some(Side::Beacon), Failing;
    /// Beacon: the list of updates is empty.
    NoUpdates = "no_updates", Some(Side::Beacon), Failing;
    /// Beacon: every answer is JSON, also where SSZ was asked for.
    JsonOnly = "json_only", Some(Side::Beacon), Well;
    /// Beacon: no answer names the fork of an object.
    WithoutVersion = "without_version", Some(Side::Beacon), Failing;
    /// Beacon: objects are labelled with another fork.
    Relabelled(#[serde(deserialize_with = "fork")]fork: Fork) = "relabelled", Some(Side::Beacon), Well;
    /// Beacon: answers that name blocks by their roots name others. All sources that do it tell the same lie.
    OtherRoot = "other_root", Some(Side::Beacon), Lies;
    /// Beacon: no block is said to be final.
    NotFinalized = "not_finalized", Some(Side::Beacon), Failing;
    /// Beacon: there is no such route.
    NoRoute = "no_route", Some(Side::Beacon), Failing;
    /// Beacon: it is a checkpointz: it names roots and describes the network, and serves neither headers nor
    /// light-client objects.
    Checkpointz = "checkpointz", Some(Side::Beacon), Limited;
}

impl Fault {
    /// Whether only a source with a chain of its own can have it, so that a proxy cannot.
    pub const fn needs_a_chain(&self) -> bool {
        matches!(
            self,
            Self::OtherChain(_)
                | Self::AnotherNetwork
                | Self::AnotherBranch { .. }
                | Self::StaleBlock(_)
                | Self::OtherSlotsProof
                | Self::TruncatedStorageProof { .. }
                | Self::MixedBlocks
                | Self::OtherCode
                | Self::ForgedSignature
                | Self::TooFewSigners(_)
                | Self::LastCommittee
                | Self::NoUpdates
                | Self::JsonOnly
                | Self::WithoutVersion
                | Self::Relabelled(_)
                | Self::OtherRoot
                | Self::NotFinalized
        )
    }

    /// Whether it only names the chain that it needs, which [`Stage`](crate::stage::Stage) makes.
    pub(crate) const fn names_a_chain(&self) -> bool {
        matches!(self, Self::AnotherNetwork | Self::AnotherBranch { .. })
    }

    /// Why a scenario cannot have it, if so.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Huge { bytes } if *bytes > 1 << 30 => Some("`huge` is at most a gigabyte"),
            Self::GzipBomb { bytes } if *bytes > 1 << 30 => Some("`gzip_bomb` is at most a gigabyte"),
            _ => None,
        }
    }
}

fn wei<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U256, D::Error> {
    Ether::deserialize(deserializer).map(|ether| ether.0)
}

fn fork<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fork, D::Error> {
    let name = String::deserialize(deserializer)?;
    let unknown = || serde::de::Error::custom(format!("there is no fork called `{name}`"));
    Fork::from_name(&name).ok_or_else(unknown)
}
