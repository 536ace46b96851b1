//! What a wallet does: it reads the rollup's contracts under signed heads of L1, by proofs that providers serve.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_beacon::{LightClient, Wants};
use saldo_chain::rollup::{
    Accepted, Arguments, CloneCode, GameClaim, L1State, Obstacle, Refusal, Registry, Verdict, WhyProposed,
};
use saldo_chain::{Anchor, Chain as Headers, ExecutionHeader};
use saldo_proof::{Account, ProvenState, Query, Slot, StateRoot, Verified, verify_account};
use serde_json::{Value, json};

use crate::http::{HttpRequest, Reaction, Service};
use crate::{Chain, Provider, Rollup, RollupKind};

pub(super) const MULTIPROOF: RollupKind = RollupKind::Multiproof { interval: 20, step: 5 };
/// Slots of L1 after which what was changed is final.
pub(super) const UNTIL_FINAL: u64 = 32;
/// Registry, its code, what pauses and its code, factory and its code, list, entry, game and its code, slots, the answer.
const MOST_ROUNDS: usize = 16;

pub(super) fn rollup(kind: RollupKind) -> (Chain, Rollup) {
    let l1 = Chain::builder(7).chain_id(11_155_111).build();
    let rollup = Rollup::new(&l1, kind);
    (l1, rollup)
}

/// Asks an honest provider of the chain.
fn ask(chain: &Chain, method: &str, params: &Value) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let body = call.to_string().into_bytes();
    let request = HttpRequest { method: "POST".into(), path: "/".into(), body, ..HttpRequest::default() };
    let Reaction::Reply(reply) = Provider::honest(chain).answer(&request) else { panic!("no reply") };
    let mut reply: Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(reply["error"].is_null(), "{method}: {reply}");
    reply["result"].take()
}

fn nodes(proof: &Value) -> Vec<Bytes> {
    serde_json::from_value(proof.clone()).unwrap()
}

/// The newest final block of a light client of L1.
fn final_block(l1: &Chain) -> Anchor {
    let checkpoint = l1.checkpoint();
    let bootstrap = l1.bootstrap(checkpoint.root).unwrap();
    let mut client = LightClient::bootstrap(l1.network(), checkpoint, bootstrap, l1.time()).unwrap();
    while let Wants::Updates { start, .. } = client.wants(l1.time()) {
        client.advance(l1.update(start).unwrap(), l1.time()).unwrap();
    }
    client.advance(l1.finality_update(), l1.time()).unwrap();
    let mut headers = Headers::new();
    headers.follow(&client).unwrap();
    headers.newest(saldo_chain::Level::Finalized).unwrap().clone()
}

/// Adds what is asked for, with the proofs of a provider.
fn prove(l1: &Chain, anchor: &Anchor, query: &Query, state: &mut ProvenState) {
    let at = json!({ "blockHash": anchor.hash() });
    for (address, keys) in query.slots() {
        let reply = ask(l1, "eth_getProof", &json!([address, keys, at]));
        let account = verify_account(anchor.state_root(), *address, &nodes(&reply["accountProof"])).unwrap();
        state.add_account(&account).unwrap();
        for (place, key) in keys.iter().enumerate() {
            let slot = account.slot(*key, &nodes(&reply["storageProof"][place]["proof"])).unwrap();
            state.add_slot(&slot).unwrap();
        }
    }
    for address in query.codes() {
        let code: Bytes = serde_json::from_value(ask(l1, "eth_getCode", &json!([address, at]))).unwrap();
        state.add_code(code);
    }
}

/// Reads the rollup's contracts under the newest final block of L1: what is missing is proven, and the reading starts again.
pub(super) fn read<T>(
    l1: &Chain,
    rollup: &Rollup,
    read: impl Fn(L1State<'_>, &ProvenState) -> Result<T, Obstacle>,
) -> Result<T, Refusal> {
    let (anchor, profile) = (final_block(l1), rollup.profile());
    let mut state = ProvenState::new(anchor.state_root());
    for _round in 0..MOST_ROUNDS {
        let view = L1State::new(&profile, &anchor, &state, l1.now(), L1State::MAX_AGE)?;
        match read(view, &state) {
            Ok(answer) => return Ok(answer),
            Err(Obstacle::Refused(refusal)) => return Err(refusal),
            Err(Obstacle::Missing(query)) => prove(l1, &anchor, &query, &mut state),
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("there is no answer after {MOST_ROUNDS} rounds");
}

/// The claim of the newest game: its address is in the factory's list, the claim in the game's own code.
pub(super) fn newest_claim(
    kind: RollupKind,
    registry: Registry<'_>,
    state: &ProvenState,
) -> Result<GameClaim, Obstacle> {
    let factory = registry.factory()?;
    let newest = factory.listed(factory.count()?.saturating_sub(1))?;
    let hash = state.code_hash_of(newest.address());
    let Some(code) = hash.and_then(|hash| state.code_with_hash(hash)) else {
        let mut query = Query::account(newest.address());
        query.add_code(newest.address());
        return Err(Obstacle::Missing(query));
    };
    let code = CloneCode::parse(code.code()).map_err(Refusal::from)?;
    let arguments = match kind {
        RollupKind::Multiproof { .. } => Arguments::plain(code.arguments()),
        RollupKind::Fault => Arguments::with_implementation(code.arguments(), false),
    };
    let arguments = arguments.map_err(Refusal::from)?;
    Ok(GameClaim {
        game_type: newest.game_type(),
        root_claim: arguments.root_claim,
        extra_data: arguments.extra_data.to_vec().into(),
    })
}

pub(super) fn newest_verdict(l1: &Chain, rollup: &Rollup) -> Result<Verdict, Refusal> {
    read(l1, rollup, |view, state| {
        let claim = newest_claim(rollup.kind(), view.registry()?, state)?;
        view.registry()?.factory()?.game(&claim)?.verdict()
    })
}

pub(super) fn verdict(l1: &Chain, rollup: &Rollup, claim: &GameClaim) -> Result<Verdict, Refusal> {
    read(l1, rollup, |view, _| view.registry()?.factory()?.game(claim)?.verdict())
}

pub(super) fn accepted(verdict: Result<Verdict, Refusal>) -> Accepted {
    match verdict {
        Ok(Verdict::Accepted(accepted)) => accepted,
        other => panic!("{other:?}"),
    }
}

pub(super) fn proposed(verdict: Result<Verdict, Refusal>) -> WhyProposed {
    match verdict {
        Ok(Verdict::Proposed(proposed)) => proposed.why(),
        other => panic!("{other:?}"),
    }
}

/// The header of a block, as a provider sends it.
pub(super) fn header(chain: &Chain, number: u64) -> ExecutionHeader {
    let block = ask(chain, "eth_getBlockByNumber", &json!([format!("{number:#x}"), false]));
    let hash: B256 = serde_json::from_value(block["hash"].clone()).unwrap();
    ExecutionHeader::from_json(block.to_string().as_bytes(), hash).unwrap()
}

/// Proves an account of the chain under a root, by a provider's proof at a block.
pub(super) fn account(chain: &Chain, number: u64, root: StateRoot, of: Address) -> Verified<Account> {
    let proof = ask(chain, "eth_getProof", &json!([of, [], format!("{number:#x}")]));
    verify_account(root, of, &nodes(&proof["accountProof"])).unwrap()
}

/// The same for a slot of its storage.
pub(super) fn slot_of(chain: &Chain, number: u64, root: StateRoot, of: Address, key: B256) -> Verified<Slot> {
    let proof = ask(chain, "eth_getProof", &json!([of, [key], format!("{number:#x}")]));
    account(chain, number, root, of).slot(key, &nodes(&proof["storageProof"][0]["proof"])).unwrap()
}

pub(super) fn balance(chain: &Chain, number: u64, root: StateRoot, of: Address) -> U256 {
    match account(chain, number, root, of).leaf() {
        Account::Present(state) => state.balance,
        Account::Absent => U256::ZERO,
    }
}
