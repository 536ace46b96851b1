//! Any answer of a provider or of a checkpoint source to any request: no panic, a result only with the id of the request,
//! and no text of the answer in a failure.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use libfuzzer_sys::fuzz_target;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_chain::ExecutionHeader;
use saldo_fuzz::input::Input;
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use saldo_reading::Failure;
use saldo_source::execution::{
    At, Question, access_list, ask, ask_together, balance, block_number_of, chain_id, chain_id_of, code,
    raw_header, state_proofs,
};
use saldo_source::{Clock, Deadline, Endpoint, Io, Request, Response, Transport, TransportError};
use saldo_source::{beacon, checkpoint};
use serde_json::Value;
use serde_json::value::RawValue;

const TIMEOUT: Duration = Duration::from_secs(4);

/// Gives the same answer to every request.
struct Canned(Response);

impl Transport for Canned {
    fn send(&self, _request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        ready(Ok(self.0.clone())).boxed()
    }
}

struct Still;

impl Clock for Still {
    fn wall(&self) -> UnixTime {
        UnixTime::from_secs(1_760_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

static PROVIDER: LazyLock<Endpoint> =
    LazyLock::new(|| Endpoint::new("https://host.example/SECRET").expect("a URL"));

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let (way, status) = (input.byte(), input.byte());
    let status = [200, 200, 200, 429, 402, 403, 404, 500, 400, 301][usize::from(status) % 10];
    let headers = vec![("retry-after".to_owned(), String::from_utf8_lossy(input.part()).into_owned())];
    let body = input.rest().to_vec();
    let network =
        Io::new(Arc::new(Canned(Response { status, headers, body: body.clone() })), Arc::new(Still));
    let (full_block, head) = (Question::FullBlock(B256::ZERO), Question::BlockAt(At::Latest));
    let questions = [
        Question::Proof { address: Address::ZERO, keys: vec![B256::ZERO], at: At::Latest },
        Question::Block(B256::ZERO),
        Question::RawHeader(B256::ZERO),
        Question::ChainId,
        Question::Capabilities,
        Question::Balance { address: Address::ZERO, at: At::Latest },
        Question::TokenBalance { token: Address::ZERO, owner: Address::ZERO, at: At::Latest },
        Question::Code { address: Address::ZERO, at: At::Latest },
        Question::AccessList { to: Address::ZERO, data: Bytes::new(), at: At::Latest },
    ];
    let soon = Deadline::after(&Still, TIMEOUT);
    let provider = &*PROVIDER;
    match way % 8 {
        way @ 0..=2 => {
            let question = &questions[usize::from(way)];
            judge(now(ask(&network, provider, question, TIMEOUT)), &body, question, 1);
        }
        3 => {
            let together = now(ask_together(
                &network,
                provider,
                &questions,
                saldo_source::BatchSize::default(),
                TIMEOUT,
            ));
            assert_eq!(together.each.len(), questions.len());
            // If the calls are repeated one by one, their ids follow those of the batch.
            let first = if serde_json::from_slice::<Vec<&RawValue>>(&body).is_ok() { 1 } else { 7 };
            for ((result, question), id) in together.each.into_iter().zip(&questions).zip(first..) {
                judge(result, &body, question, id);
            }
        }
        4 => match now(chain_id(&network, provider, TIMEOUT)) {
            Ok(id) => assert_ne!(id, 0),
            Err(failure) => says_nothing_of(&body, &failure),
        },
        5 => judge(now(ask(&network, provider, &full_block, TIMEOUT)), &body, &full_block, 1),
        6 => judge(now(ask(&network, provider, &head, TIMEOUT)), &body, &head, 1),
        _ => {
            let slot = Slot::new(8);
            let root = now(checkpoint::block_root(&network, provider, slot, soon)).map(|_| ());
            let epoch = now(checkpoint::finalized_epoch(&network, provider, soon)).map(|_| ());
            let object = now(beacon::fetch(&network, provider, beacon::Route::FinalityUpdate, TIMEOUT));
            assert!(status == 200 || (root.is_err() && epoch.is_err() && object.is_err()));
            for failure in [root.err(), epoch.err(), object.err()].into_iter().flatten() {
                says_nothing_of(&body, &failure);
            }
        }
    }
});

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("no future waits here")
}

/// Checks a result against the body, which a general JSON reader reads.
fn judge(result: Result<Box<RawValue>, Failure>, body: &[u8], question: &Question, id: u64) {
    let result = match result {
        Ok(result) => result,
        Err(failure) => return says_nothing_of(body, &failure),
    };
    // A result can have numbers and depths that the general reader refuses.
    if let Ok(whole) = serde_json::from_slice::<Value>(body) {
        let replies = whole.as_array().cloned().unwrap_or_else(|| vec![whole]);
        // An object with a duplicate field is not a reply, but the general reader accepts it. It can be beside the real
        // reply.
        let is_meant = |reply: &&Value| {
            reply["id"] == id
                && serde_json::from_str::<Value>(result.get()).ok().as_ref() == Some(&reply["result"])
        };
        // Other objects can have the same id and result without being replies.
        let is_reply = |reply: &Value| reply["jsonrpc"] == "2.0" && reply["error"].is_null();
        assert!(replies.iter().filter(is_meant).any(is_reply), "a reply with the id of the question");
        assert_ne!(result.get().trim(), "null");
    }
    match question {
        Question::Proof { address, .. } => {
            if let Ok(reply) = serde_json::from_str::<AccountReply>(result.get()) {
                let _ = reply.storage(B256::ZERO);
                if let Ok(root) = saldo_proof::claimed_root(&reply.account_proof)
                    && let Ok(verified) = reply.verify(root, *address)
                {
                    let _ = reply.contradictions(&verified);
                }
                assert!(reply.verify(StateRoot::new(B256::ZERO), *address).is_err());
            }
        }
        Question::Block(hash) | Question::FullBlock(hash) => {
            assert!(ExecutionHeader::from_json(result.get().as_bytes(), *hash).is_err());
        }
        // Whatever it says hashes to what it names.
        Question::BlockAt(_) => {
            if let Ok(header) = ExecutionHeader::from_json_as_named(result.get().as_bytes()) {
                assert_eq!(keccak256(header.rlp()), header.hash());
            }
        }
        Question::RawHeader(hash) => {
            if let Ok(bytes) = raw_header(&result) {
                assert!(ExecutionHeader::from_rlp(&bytes, *hash).is_err());
            }
        }
        Question::BlockNumber => {
            let _ = block_number_of(&result);
        }
        Question::ChainId => {
            let _ = chain_id_of(&result);
        }
        Question::Capabilities => {
            let _ = state_proofs(&result);
        }
        Question::Balance { .. } | Question::TokenBalance { .. } => {
            let claimed = balance(&result).is_some();
            assert!(!claimed || result.get().starts_with("\"0x"));
        }
        Question::Code { .. } => {
            let read = code(&result);
            assert!(read.is_err() || result.get().len() % 2 == 0, "two digits for each byte");
        }
        Question::AccessList { .. } => {
            let accounts = access_list(&result).unwrap_or_default().len();
            assert!(accounts * 42 <= result.get().len(), "each account has its address");
        }
    }
}

/// Checks that a failure has only saldo's own text: no `PLANTED` from the answer, and no path of a URL.
fn says_nothing_of(body: &[u8], failure: &Failure) {
    let shown = format!("{failure} {failure:?}");
    assert!(shown.len() < 400, "{shown}");
    assert!(!shown.contains("SECRET"), "{shown}");
    assert!(!shown.contains("PLANTED"), "{shown} of {}", String::from_utf8_lossy(body));
}
