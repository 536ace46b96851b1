//! Requests to an execution provider. The replies are returned as they came: they are verified elsewhere.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use saldo_reading::Failure;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::clock::Deadline;
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::jsonrpc::{Call, batch as batch_of, call, is_about_batches};

/// Largest reply with an account proof, in bytes. On mainnet a proof has about 9 KB of JSON; some clients add other fields.
const MAX_PROOF_REPLY: usize = 256 * 1024;
/// What each storage key adds to [`MAX_PROOF_REPLY`].
const MAX_SLOT_REPLY: usize = 64 * 1024;
/// Largest reply with a block: the hashes of its transactions, and its withdrawals.
const MAX_BLOCK_REPLY: usize = 1024 * 1024;
const MAX_SMALL_REPLY: usize = 16 * 1024;
const MAX_BALANCE_REPLY: usize = 1024;

/// The block that a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The provider's newest block.
    Latest,
    /// The block with this number. Every client takes this form.
    Number(u64),
    /// The block with this hash ([EIP-1898](https://eips.ethereum.org/EIPS/eip-1898)). Not every client takes this form.
    Hash(B256),
}

/// A block as a JSON-RPC parameter.
struct Block(At);

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            At::Latest => serializer.serialize_str("latest"),
            At::Number(number) => serializer.collect_str(&format_args!("{number:#x}")),
            At::Hash(hash) => {
                let mut block = serializer.serialize_struct("Block", 1)?;
                block.serialize_field("blockHash", &hash)?;
                block.end()
            }
        }
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `eth_getProof` (EIP-1186).
    Proof {
        /// The account.
        address: Address,
        /// The account's storage keys; sent as 32 bytes each, which every client takes.
        keys: Vec<B256>,
        /// The block.
        at: At,
    },
    /// `eth_getBalance`, for [`balance`]: a claim, which proves nothing.
    Balance {
        /// The account.
        address: Address,
        /// The block.
        at: At,
    },
    /// `eth_getBlockByHash` without full transactions: the block object.
    Block(B256),
    /// `debug_getRawHeader` by hash: the header's RLP, for [`raw_header`].
    RawHeader(B256),
    /// `eth_chainId`, for [`chain_id_of`].
    ChainId,
    /// `eth_capabilities`, for [`state_proofs`].
    Capabilities,
}

/// What `eth_capabilities` says about `eth_getProof`. It is a claim, to be tested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateProofs {
    /// Whether the provider serves no proofs.
    pub disabled: bool,
    /// The oldest block with proofs.
    pub oldest_block: Option<u64>,
}

impl Question {
    fn call(&self) -> Call {
        match self {
            Self::Proof { address, keys, at } => {
                let max_bytes = MAX_PROOF_REPLY.saturating_add(keys.len().saturating_mul(MAX_SLOT_REPLY));
                Call::new("eth_getProof", &(address, keys, Block(*at)), max_bytes)
            }
            Self::Balance { address, at } => {
                Call::new("eth_getBalance", &(address, Block(*at)), MAX_BALANCE_REPLY)
            }
            Self::Block(hash) => Call::new("eth_getBlockByHash", &(hash, false), MAX_BLOCK_REPLY),
            Self::RawHeader(hash) => Call::new("debug_getRawHeader", &[hash], MAX_SMALL_REPLY),
            Self::ChainId => Call::new("eth_chainId", &json!([]), MAX_SMALL_REPLY),
            Self::Capabilities => Call::new("eth_capabilities", &json!([]), MAX_SMALL_REPLY),
        }
    }

    /// Whether it is the same method, and for a proof the same block. A provider that cannot answer one cannot answer the other.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Proof { at, .. }, Self::Proof { at: other, .. }) => at == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// The most questions in one request.
pub const LARGEST_BATCH: usize = 100;
/// The most requests in flight to one provider.
const SIDE_BY_SIDE: usize = 4;

/// The results of several questions.
#[derive(Debug)]
pub struct Together {
    /// The result of each question, as it came, in the order of the questions.
    pub each: Vec<Result<Box<RawValue>, Failure>>,
    /// How many questions in one request the provider is known to take.
    pub batch: usize,
}

/// Asks one question; returns the result as it came.
///
/// # Errors
/// A [`Failure`] that says why there is no result.
pub async fn ask(
    io: &Io,
    provider: &Endpoint,
    question: &Question,
    timeout: Duration,
) -> Result<Box<RawValue>, Failure> {
    call(io, provider, question.call(), timeout).await
}

/// Asks several questions: at most `batch` of them in one HTTP request, and some requests at the same time. If the provider does
/// not take a batch of that size, its questions are asked in smaller portions, of ten and then one by one. `timeout` is for all.
///
/// Each size is tried with a few portions first. If all of these fail, the other questions of their kind fail unasked: a provider
/// that is out of order does not get a hundred requests.
pub async fn ask_together(
    io: &Io,
    provider: &Endpoint,
    questions: &[Question],
    batch: usize,
    timeout: Duration,
) -> Together {
    let deadline = Deadline::after(io.clock(), timeout);
    let mut each: Vec<Progress> = questions.iter().map(|_| Progress::default()).collect();
    let mut size = batch.clamp(1, LARGEST_BATCH);
    let mut known = size;
    // With how many portions the size is tried, until one of them was taken.
    let mut trial = Some(SIDE_BY_SIDE);
    loop {
        let open: Vec<(usize, &Question)> =
            questions.iter().enumerate().filter(|(place, _)| is_open(&each, *place)).collect();
        if open.is_empty() {
            break;
        }
        let asked = trial.map_or_else(|| open.clone(), |portions| first_of(&open, size, portions));
        let answers = ask_in_portions(io, provider, &asked, size, deadline).await;
        let (is_taken, is_refused) = settle_portions(&mut each, asked.chunks(size).zip(answers));
        if is_taken {
            known = size;
        }
        if trial.is_some() {
            fail_unasked(&mut each, &asked, &open);
        }
        trial = None;
        if is_refused {
            // A portion of this size was not taken.
            size = if size.min(open.len()) > 10 { 10 } else { 1 };
            trial = Some(1);
        }
    }
    Together { each: each.into_iter().filter_map(|progress| progress.result).collect(), batch: known }
}

/// The results of one request, or why the request as a whole failed.
type PortionResult = Result<Vec<Result<Box<RawValue>, Failure>>, Failure>;

/// Sends `asked` in requests of `size` questions, some at the same time.
async fn ask_in_portions(
    io: &Io,
    provider: &Endpoint,
    asked: &[(usize, &Question)],
    size: usize,
    deadline: Deadline,
) -> Vec<PortionResult> {
    let mut portions = Vec::new();
    for portion in asked.chunks(size) {
        let questions: Vec<&Question> = portion.iter().map(|(_, question)| *question).collect();
        let left = deadline.left(io.clock());
        portions.push(async move { ask_at_once(io, provider, &questions, left).await }.boxed());
    }
    stream::iter(portions).buffered(SIDE_BY_SIDE).collect().await
}

/// Takes the answers of the portions; returns whether the provider took one of them, and whether it refused one for its size.
fn settle_portions<'a>(
    each: &mut [Progress],
    answers: impl Iterator<Item = (&'a [(usize, &'a Question)], PortionResult)>,
) -> (bool, bool) {
    let (mut is_taken, mut is_refused) = (false, false);
    for (portion, answer) in answers {
        match answer {
            Err(failure) if portion.len() > 1 && is_about_batches(&failure) => {
                is_refused = true;
                refuse(each, portion, &failure);
            }
            Err(failure) => settle(each, portion, portion.iter().map(|_| Err(failure.clone()))),
            Ok(results) => {
                is_taken |= results.iter().any(Result::is_ok);
                settle(each, portion, results);
            }
        }
    }
    (is_taken, is_refused)
}

/// The state of one question.
#[derive(Default)]
struct Progress {
    result: Option<Result<Box<RawValue>, Failure>>,
    /// Why a portion with this question was refused.
    refused: Option<Failure>,
}

fn is_open(each: &[Progress], place: usize) -> bool {
    each.get(place).is_some_and(|progress| progress.result.is_none())
}

/// The `open` questions with which a size is tried: a few portions, or some questions of each kind if they go one by one.
fn first_of<'a>(open: &[(usize, &'a Question)], size: usize, portions: usize) -> Vec<(usize, &'a Question)> {
    if size > 1 {
        return open.iter().take(size.saturating_mul(portions)).copied().collect();
    }
    let mut first: Vec<(usize, &Question)> = Vec::new();
    for (place, question) in open {
        let alike = first.iter().filter(|(_, other)| other.is_like(question)).count();
        if alike < SIDE_BY_SIDE {
            first.push((*place, question));
        }
    }
    first
}

fn refuse(each: &mut [Progress], portion: &[(usize, &Question)], failure: &Failure) {
    for (place, _) in portion {
        if let Some(progress) = each.get_mut(*place) {
            progress.refused = Some(failure.clone());
        }
    }
}

fn settle(
    each: &mut [Progress],
    portion: &[(usize, &Question)],
    results: impl IntoIterator<Item = Result<Box<RawValue>, Failure>>,
) {
    for ((place, _), result) in portion.iter().zip(results) {
        if let Some(progress) = each.get_mut(*place) {
            // The provider may have seen the question in the refused request, even if it cannot be reached now.
            let seen = progress.refused.clone();
            progress.result = Some(result.map_err(|failure| failure.or_what_was_seen(seen)));
        }
    }
}

/// Fails the open questions of each kind of which all that were asked failed, with the last of those failures.
fn fail_unasked(each: &mut [Progress], asked: &[(usize, &Question)], open: &[(usize, &Question)]) {
    // The kinds are few, so that this grows with the number of questions.
    let mut kinds: Vec<(&Question, Option<Failure>)> = Vec::new();
    for (place, question) in asked {
        let Some(result) = each.get(*place).and_then(|progress| progress.result.as_ref()) else { continue };
        let failure = result.as_ref().err().cloned();
        match kinds.iter_mut().find(|(kind, _)| kind.is_like(question)) {
            Some((_, failed)) => *failed = failed.take().and(failure),
            None => kinds.push((question, failure)),
        }
    }
    for (place, question) in
        open.iter().filter(|(place, _)| is_open(each, *place)).copied().collect::<Vec<_>>()
    {
        let kind = kinds.iter().find(|(kind, _)| kind.is_like(question));
        if let Some(failure) = kind.and_then(|(_, failed)| failed.clone()) {
            settle(each, &[(place, question)], [Err(failure)]);
        }
    }
}

/// One request for all of `questions`; a single question is not sent as a batch.
async fn ask_at_once(
    io: &Io,
    provider: &Endpoint,
    questions: &[&Question],
    timeout: Duration,
) -> Result<Vec<Result<Box<RawValue>, Failure>>, Failure> {
    if let [question] = questions {
        return Ok(vec![ask(io, provider, question, timeout).await]);
    }
    let calls: Vec<Call> = questions.iter().map(|question| question.call()).collect();
    batch_of(io, provider, &calls, timeout).await
}

/// The bytes of a [`Question::RawHeader`]'s result.
///
/// # Errors
/// [`Failure::Malformed`] if the result is not hexadecimal text.
pub fn raw_header(result: &RawValue) -> Result<Bytes, Failure> {
    serde_json::from_str(result.get()).map_err(|_| Failure::Malformed { what: "not the bytes of a header" })
}

/// Calls any method; returns the result as it came, of at most `max_bytes`. For methods that have no [`Question`].
///
/// # Errors
/// A [`Failure`] that says why there is no result.
pub async fn ask_method(
    io: &Io,
    provider: &Endpoint,
    method: &'static str,
    params: Value,
    max_bytes: usize,
    timeout: Duration,
) -> Result<Box<RawValue>, Failure> {
    call(io, provider, Call::new(method, &params, max_bytes), timeout).await
}

/// Asks `eth_chainId`: the chain that the provider says it serves.
///
/// # Errors
/// A [`Failure`] that says why there is no chain id.
pub async fn chain_id(io: &Io, provider: &Endpoint, timeout: Duration) -> Result<u64, Failure> {
    chain_id_of(&ask(io, provider, &Question::ChainId, timeout).await?)
}

/// The number in a [`Question::ChainId`]'s result.
///
/// # Errors
/// [`Failure::Malformed`] if the result is not a number that a chain can have.
pub fn chain_id_of(result: &RawValue) -> Result<u64, Failure> {
    // No chain has the id 0; a provider that says so answers 0 to every question.
    quantity(result.get()).filter(|id| *id != 0).ok_or(Failure::Malformed { what: "not a chain id" })
}

/// The wei in a [`Question::Balance`]'s result, which is only a claim. `None` if the result is not a quantity.
pub fn balance(result: &RawValue) -> Option<U256> {
    let digits = result.get().trim().strip_prefix("\"0x")?.strip_suffix('"')?;
    let is_quantity =
        (1..=64).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_quantity.then(|| U256::from_str_radix(digits, 16).ok()).flatten()
}

/// What a [`Question::Capabilities`]'s result says about `eth_getProof`; `None` if it says nothing.
pub fn state_proofs(result: &RawValue) -> Option<StateProofs> {
    let said: Value = serde_json::from_str(result.get()).ok()?;
    let proofs = said.get("stateproofs")?.as_object()?;
    let oldest = proofs.get("oldestBlock").and_then(|oldest| quantity(&oldest.to_string()));
    let disabled = proofs.get("disabled").and_then(Value::as_bool).unwrap_or(false);
    Some(StateProofs { disabled, oldest_block: oldest })
}

/// A JSON-RPC quantity: hexadecimal text.
fn quantity(json: &str) -> Option<u64> {
    let text: String = serde_json::from_str(json).ok()?;
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn capabilities_may_leave_members_out() {
        let read = |said: Value| state_proofs(&to_raw_value(&said).unwrap());
        let proofs = |disabled, oldest_block| Some(StateProofs { disabled, oldest_block });
        let whole = json!({ "head": {}, "stateproofs": { "disabled": false, "oldestBlock": "0x10" } });
        assert_eq!(read(whole), proofs(false, Some(16)));
        assert_eq!(read(json!({ "stateproofs": { "disabled": true } })), proofs(true, None));
        assert_eq!(read(json!({ "stateproofs": { "oldestBlock": 16 } })), proofs(false, None));
        for nothing in [json!(null), json!("0x1"), json!({}), json!({ "stateproofs": [] })] {
            assert_eq!(read(nothing.clone()), None, "{nothing}");
        }
    }

    #[test]
    fn a_chain_id_is_a_number_that_a_chain_can_have() {
        let read = |said: Value| chain_id_of(&to_raw_value(&said).unwrap());
        assert_eq!(read(json!("0x1")), Ok(1));
        for none in [json!("0x0"), json!("1"), json!(1), json!("0x"), json!(null)] {
            assert_eq!(read(none.clone()), Err(Failure::Malformed { what: "not a chain id" }), "{none}");
        }
    }
}
