//! A provider's reply with many account proofs, from the bytes of its body to verified accounts.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, hex, keccak256};
use alloy_rpc_types_eth::EIP1186AccountProofResponse;
use alloy_trie::EMPTY_ROOT_HASH;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use saldo_beacon::unit::UnixTime;
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use saldo_source::BatchSize;
use saldo_source::execution::{At, Question, ask_together};
use saldo_source::{Clock, Endpoint, Io, Request, Response, Transport, TransportError};
use serde::Deserialize;
use serde_json::json;

use crate::Missing;
use crate::proof::{Accounts, BATCH, peer_verifies};
use crate::row::{Bound, Row, Work};

/// A transport that gives the same body for every request.
struct Canned(Vec<u8>);

impl Transport for Canned {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        ready(Ok(Response { status: 200, headers: Vec::new(), body: self.0.clone() })).boxed()
    }
}

/// A stopped clock.
struct StoppedClock;

impl Clock for StoppedClock {
    fn wall(&self) -> UnixTime {
        UnixTime::from_secs(0)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

/// The body that answers a batch of `eth_getProof` whose ids start at 1.
fn body(accounts: &Accounts) -> Result<Vec<u8>, Missing> {
    let replies: Vec<_> = (1_u64..)
        .zip(&accounts.each)
        .map(|(id, (address, proof, account))| {
            let result = json!({
                "address": address,
                "accountProof": proof,
                "balance": account.balance,
                "codeHash": KECCAK256_EMPTY,
                "nonce": format!("{:#x}", account.nonce),
                "storageHash": EMPTY_ROOT_HASH,
                "storageProof": [],
            });
            json!({ "jsonrpc": "2.0", "id": id, "result": result })
        })
        .collect();
    Ok(serde_json::to_vec(&replies)?)
}

/// The minimum to parse: the nodes as text.
#[derive(Deserialize)]
struct LeastReply<'a> {
    #[serde(borrow)]
    result: LeastResult<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeastResult<'a> {
    #[serde(borrow)]
    account_proof: Vec<&'a str>,
}

#[derive(Deserialize)]
struct PeerReply {
    result: EIP1186AccountProofResponse,
}

/// Parses the JSON and, for every distinct node, decodes and hashes it. Which nodes are distinct is computed
/// beforehand, so that this search is no part of the limit.
fn limit(body: &[u8], addresses: &[Address], is_first: &[bool]) -> Result<bool, Missing> {
    let replies: Vec<LeastReply<'_>> = serde_json::from_slice(body)?;
    let mut node = [0; 1024];
    let nodes = replies.iter().flat_map(|reply| &reply.result.account_proof);
    for (text, _) in nodes.zip(is_first).filter(|(_, is_first)| **is_first) {
        let length = text.len().saturating_sub(2) / 2;
        let node = node.get_mut(..length).ok_or("a node is too long")?;
        hex::decode_to_slice(text, node)?;
        black_box(keccak256(node));
    }
    Ok(addresses.iter().all(|address| !black_box(keccak256(address)).is_zero()))
}

pub(crate) fn reply() -> Result<Row, Missing> {
    let accounts = Accounts::new()?;
    let root = accounts.root;
    let body = body(&accounts)?;
    let what = format!(
        "a reply of {BATCH} account proofs, {} KB of JSON, to verified (peer: one by one)",
        body.len() / 1000
    );
    let addresses: Vec<Address> = accounts.each.iter().map(|(address, ..)| *address).collect();
    let values: Vec<Vec<u8>> = accounts.each.iter().map(|(.., account)| alloy_rlp::encode(account)).collect();

    // Each side gets its own copy of the body every time, as from a transport.
    let mut seen = HashSet::new();
    let is_first: Vec<bool> =
        accounts.each.iter().flat_map(|(_, proof, _)| proof).map(|node| seen.insert(node.clone())).collect();
    let (bytes, owners) = (body.clone(), addresses.clone());
    let limit: Work =
        Box::new(move || limit(&black_box(bytes.clone()), &owners, &is_first).is_ok_and(|all| all));

    let (bytes, owners) = (body.clone(), addresses.clone());
    let peer: Work = Box::new(move || {
        let body = black_box(bytes.clone());
        let replies = serde_json::from_slice::<Vec<PeerReply>>(&body).unwrap_or_default();
        replies.len() == owners.len()
            && replies.iter().zip(&owners).zip(&values).all(|((reply, address), value)| {
                peer_verifies(root, keccak256(address), Some(value), &reply.result.account_proof)
            })
    });

    let provider = Endpoint::new("https://rpc.example")?;
    let questions: Vec<Question> = addresses
        .iter()
        .map(|address| Question::Proof { address: *address, keys: Vec::new(), at: At::Number(1) })
        .collect();
    let transport = Arc::new(Canned(body));
    let ours: Work = Box::new(move || {
        let network = Io::new(Arc::<Canned>::clone(&transport), Arc::new(StoppedClock));
        let replies =
            ask_together(&network, &provider, &questions, BatchSize::default(), Duration::from_secs(1))
                .now_or_never();
        let Some(replies) = replies else { return false };
        let parsed: Vec<AccountReply> = replies
            .each
            .into_iter()
            .filter_map(|reply| serde_json::from_str(reply.ok()?.get()).ok())
            .collect();
        let proofs: Vec<(Address, &[Bytes])> = addresses
            .iter()
            .zip(&parsed)
            .map(|(address, reply)| (*address, reply.account_proof.as_slice()))
            .collect();
        let answers = saldo_proof::verify_accounts(StateRoot::new(root), &proofs);
        answers.len() == addresses.len() && black_box(answers).iter().all(Result::is_ok)
    });
    let bound = Bound::TimesLimit(1.3);
    Ok(Row { what, limit: Some(limit), peer: Some(peer), ours, bound })
}
