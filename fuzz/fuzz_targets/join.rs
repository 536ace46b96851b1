//! Any pairing of a proven account with a trusted block, and any sequence of the results: an amount only if both belong
//! together, and then it is the amount on the chain. A weaker or older reading never replaces a stronger one.
#![no_main]

use std::time::Duration;

use alloy_primitives::{Address, U256};
use libfuzzer_sys::fuzz_target;
use saldo_chain::{Chain, Level};
use saldo_fuzz::input::Input;
use saldo_fuzz::proof::nodes;
use saldo_fuzz::scene::{OWNERS, Scene, Trusted, balance_at, scene};
use saldo_proof::{Account, Verified, claimed_root, verify_account};
use saldo_reading::gate::{Demand, Present, admit};
use saldo_reading::{
    Asset, Candidate, Change, Generation, Holding, JoinError, NetworkId, Now, Policy, ProviderId, Record,
    join,
};

fuzz_target!(|input: &[u8]| {
    let (mut input, scene) = (Input::new(input), scene());
    let mut record = Record::new();
    while !input.is_empty() {
        match input.byte() % 4 {
            0 => review(&mut record, scene, &mut input),
            way => {
                let Some(proven) = pair(scene, &mut input, way) else { continue };
                offer(&mut record, proven);
            }
        }
    }
});

/// Pairs a block with an account of the scene, mostly of the same state, or with an account that the input itself proves.
fn pair(scene: &Scene, input: &mut Input<'_>, way: u8) -> Option<Candidate> {
    let place = input.index() % scene.trusted.len();
    let Trusted { history, anchor } = &scene.trusted[place];
    let account = match way {
        1 => input.choice(&scene.accounts).clone(),
        2 => scene.accounts[OWNERS.len() * place + usize::from(input.byte()) % OWNERS.len()].clone(),
        _ => made_up(&mut Input::new(input.part()))?,
    };
    let owner = match input.byte() {
        0..=127 => *account.subject(),
        byte @ 128..=191 => OWNERS[usize::from(byte) % OWNERS.len()],
        _ => Address::from(input.array()),
    };
    let asset = if input.byte() < 240 { Asset::Native } else { Asset::Erc20(owner) };
    let chain_id = if input.byte() < 240 { anchor.chain_id() } else { input.number() };
    let provider = ProviderId::new("provider").expect("a name");
    let holding = Holding::of(NetworkId::new(chain_id), owner, asset);
    match join(holding, &account, anchor, provider, Generation::FIRST) {
        Ok(proven) => {
            assert_eq!((asset, owner, chain_id), (Asset::Native, *account.subject(), anchor.chain_id()));
            assert_eq!(account.state_root(), anchor.state_root());
            assert_eq!((proven.holding(), proven.anchor()), (&holding, anchor));
            let (amount, nonce) = match account.leaf() {
                Account::Present(state) => (state.balance, state.nonce),
                Account::Absent => (U256::ZERO, 0),
            };
            for chain in scene.chains.iter().flatten() {
                let_out(&proven, chain, amount, nonce);
            }
            assert_eq!(amount, balance_at(history, anchor, owner), "the amount is not the one on the chain");
            Some(proven)
        }
        Err(refusal) => {
            let is_wrong = match refusal {
                JoinError::Asset => asset != Asset::Native,
                JoinError::Subject { got, expected } => got != expected && expected == owner,
                JoinError::Network { got, expected } => got != expected && expected == holding.network(),
                JoinError::StateRoot { got, expected } => {
                    got != expected && expected == anchor.state_root().get()
                }
                _ => false,
            };
            assert!(is_wrong, "{refusal}");
            None
        }
    }
}

/// Checks that the gate lets a candidate out if the chain holds its block, and only then.
fn let_out(candidate: &Candidate, chain: &Chain, amount: U256, nonce: u64) {
    let generation = Generation::FIRST;
    let now = Now::new(candidate.anchor().timestamp(), None, Duration::from_secs(12));
    let demand = Demand { generation, level: Level::Signed, policy: Policy::signed() };
    let present = Present { generation, is_faulted: false, chain, record: None, now, wrong_chain_id: None };
    match admit(candidate, &demand, &present) {
        Ok(proven) => {
            assert_eq!(chain.agrees(candidate.anchor()), Some(true));
            assert_eq!((proven.amount().base_units(), proven.nonce()), (amount, Some(nonce)));
        }
        Err(_) => assert_ne!(chain.agrees(candidate.anchor()), Some(true)),
    }
}

/// Returns an account in a trie that the input made up.
fn made_up(input: &mut Input<'_>) -> Option<Verified<Account>> {
    let address = Address::from(input.array());
    let proof = nodes(input);
    verify_account(claimed_root(&proof).ok()?, address, &proof).ok()
}

fn key(proven: &Candidate) -> (u64, Level) {
    (proven.anchor().number(), proven.anchor().assurance().level())
}

fn offer(record: &mut Record, proven: Candidate) {
    let before = record.last().cloned();
    let change = record.offer(proven.clone());
    let is_better = before.as_ref().is_none_or(|before| key(&proven) > key(before));
    let (expected, left) =
        if is_better { (Change::Replaced, Some(&proven)) } else { (Change::Kept, before.as_ref()) };
    assert_eq!((&change, record.last()), (&expected, left));
    assert!(record.awaiting_finality().len() <= 16);
    assert!(record.finalized().is_none_or(|held| key(held).1 == Level::Finalized));
}

/// Reviews the record by a chain. Only the chain withdraws a proven reading, and never a final one.
fn review(record: &mut Record, scene: &Scene, input: &mut Input<'_>) {
    let chain = {
        let chains = input.choice(&scene.chains);
        input.choice(chains)
    };
    let before = record.last().cloned();
    match record.review(chain) {
        Change::Replaced => {
            let (before, after) = (before.expect("something"), record.last().expect("something"));
            assert_eq!(before.anchor().hash(), after.anchor().hash());
            assert!(key(after) > key(&before));
        }
        Change::Kept => assert_eq!(record.last().map(key), before.as_ref().map(key)),
        Change::Withdrawn { withdrawn } => {
            assert_eq!(Some(&*withdrawn), before.as_ref());
            assert_eq!(key(&withdrawn).1, Level::Signed);
            assert_eq!(record.last(), record.finalized());
        }
    }
}
