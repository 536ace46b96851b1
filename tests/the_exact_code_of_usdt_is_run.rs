//! The code that USDT has on mainnet returns what its layout reads from the slot.
//!
//! The real proofs of 35 holders are of one storage root, and no proof of slot 10 (`upgradedAddress` and `deprecated`) under this
//! root is known to us. So the slot is read over the real proofs, up to the guard. The code is run over a storage trie of our own,
//! which has the real words of the same holders and no word in slot 10.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use saldo_execute::{Refusal, execute};
use saldo_proof::claimed_root;
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, ProvenState, Slot, StateRoot, Verified, verify_account};
use saldo_tests::assembler::token_of;
use saldo_tests::deployed::{all_deployed, deployed};
use saldo_tests::proven_world::ProvenWorld;
use saldo_tests::token::layout;
use saldo_tests::{forge, vectors};
use saldo_token::{Derivation, Mapping, Obstacle, VerifiedBalance, balance_of};
use serde_json::Value;

const USDT: Address = address!("dAC17F958D2ee523a2206206994597C13D831ec7");
const UPGRADED: Address = Address::repeat_byte(0x71);
const GUARD: B256 = B256::with_last_byte(10);
/// `deprecated` is the byte above the 20 bytes of `upgradedAddress`.
const DEPRECATED: U256 = U256::from_limbs([0, 0, 1 << 32, 0]);

fn json(relative: &str) -> Option<Value> {
    let path = vectors(relative)?;
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap().parse().unwrap()
}

/// A real holder.
struct Holder {
    owner: Address,
    units: U256,
    proof: Vec<Bytes>,
}

/// The storage root of USDT in block 11,346,696, and 35 holders under it.
fn real_holders() -> Option<(B256, Vec<Holder>)> {
    let file = json("tokens/usdt-35-holders-block-11346696.json")?;
    let holder = |json: &Value| Holder {
        owner: parsed(&json["holder"]),
        units: parsed(&json["balance"]),
        proof: json["proof"].as_array().unwrap().iter().map(parsed).collect(),
    };
    let holders: Vec<_> = file["holders"].as_array().unwrap().iter().map(holder).collect();
    assert_eq!(holders.len(), 35);
    Some((parsed(&file["storage_root"]), holders))
}

/// The mapping of `balances`.
fn balances() -> Mapping {
    let layout = layout("TetherToken");
    assert_eq!(layout.mapping, Mapping::Solidity { base: B256::with_last_byte(2) });
    layout.mapping
}

fn key(owner: Address) -> B256 {
    balances().slot(owner)
}

/// The account of USDT with its real code, and a storage root, in a state trie of our own.
fn account(storage_root: B256) -> Verified<Account> {
    let code_hash = deployed("tether-token").deployed_code_hash;
    let value = forge::account(1, U256::ZERO, storage_root, code_hash);
    let state: forge::Trie = [(keccak256(USDT), value)].into_iter().collect();
    verify_account(StateRoot::new(state.root()), USDT, &state.prove(keccak256(USDT).as_slice())).unwrap()
}

/// A state of our own, in which USDT has its real code, and `holders` have their units.
fn world(holders: &[(Address, U256)]) -> ProvenWorld {
    let world = ProvenWorld::default().with(USDT, deployed("tether-token").deployed_code);
    holders.iter().fold(world, |world, (owner, units)| world.storing(USDT, key(*owner), *units))
}

/// The amount that the code returns, and the slots that it reads.
fn by_code(world: &ProvenWorld, owner: Address) -> (U256, BTreeSet<B256>) {
    let executed = world.run(&balance_of(USDT, owner)).0.unwrap();
    let balance = VerifiedBalance::from_execution(&executed, USDT, owner).unwrap();
    (balance.amount(), executed.touched().slots()[&USDT].clone())
}

/// What the layout reads, with everything proven that it asks for.
fn by_slot(world: &ProvenWorld, owner: Address) -> Result<U256, Obstacle> {
    let mut state = world.nothing();
    loop {
        match VerifiedBalance::from_slot(&state, USDT, owner) {
            Err(Obstacle::Missing(query)) => world.prove(&mut state, &query),
            found => return found.map(|balance| balance.amount()),
        }
    }
}

#[test]
fn each_deployed_code_has_the_hash_that_stands_beside_it() {
    let all = all_deployed();
    assert_eq!(all.iter().map(|it| it.contract.as_str()).collect::<Vec<_>>(), ["TetherToken"]);
    for it in all {
        assert_eq!(keccak256(&it.deployed_code), it.deployed_code_hash, "{}", it.name);
        assert_eq!((it.chain_id, it.source.as_str()), (1, layout(&it.contract).source), "{}", it.name);
        assert_eq!(
            (it.address, it.deployed_code_hash),
            (USDT, layout(&it.contract).code_hash),
            "{}",
            it.name
        );
        assert!(!it.why_not_compiled.is_empty(), "{}", it.name);
    }
}

/// A real proof says that USDT has exactly this code: over the real account it runs, until it needs a slot without a proof.
#[test]
fn the_real_account_has_this_code() {
    let Some(file) = json("mpt/real-getproof/avm.json") else { return };
    let reply: AccountReply = serde_json::from_value(file["cases"][0]["proof"].clone()).unwrap();
    let account = reply.verify(claimed_root(&reply.account_proof).unwrap(), USDT).unwrap();
    let mut state = ProvenState::new(account.state_root());
    state.add_account(&account).unwrap();
    let owner = Address::repeat_byte(0xa1);
    let environment = ProvenWorld::default().environment_over(state.root());
    let run = |state: &ProvenState| execute(state, &environment, &balance_of(USDT, owner)).unwrap_err();
    let Refusal::Missing(query) = run(&state) else { panic!() };
    assert_eq!(query.codes().iter().collect::<Vec<_>>(), [&USDT]);
    state.add_code(deployed("tether-token").deployed_code);
    let Refusal::Missing(query) = run(&state) else { panic!() };
    assert!(query.codes().is_empty() && query.slots()[&USDT].contains(&GUARD), "{query:?}");
}

/// The layout reads the real words over their real proofs. Without a proof of the guard there is no balance, and the code does not
/// run to its end either.
#[test]
fn the_slots_of_real_holders_are_read_up_to_the_guard() {
    let Some((storage_root, holders)) = real_holders() else { return };
    let account = account(storage_root);
    let mut state = ProvenState::new(account.state_root());
    state.add_account(&account).unwrap();
    state.add_code(deployed("tether-token").deployed_code);
    let environment = ProvenWorld::default().environment_over(state.root());
    for holder in &holders {
        let slot = account.slot(key(holder.owner), &holder.proof).unwrap();
        assert_eq!(slot.leaf(), &Slot::Present(holder.units), "{}", holder.owner);
        state.add_slot(&slot).unwrap();
        let Err(Obstacle::Missing(query)) = VerifiedBalance::from_slot(&state, USDT, holder.owner) else {
            panic!("{}", holder.owner)
        };
        assert_eq!(query.slots()[&USDT], BTreeSet::from([GUARD]), "{}", holder.owner);
        let refusal = execute(&state, &environment, &balance_of(USDT, holder.owner)).unwrap_err();
        let Refusal::Missing(query) = refusal else { panic!("{refusal:?}") };
        assert!(query.codes().is_empty() && query.slots()[&USDT].contains(&GUARD), "{}", holder.owner);
    }
}

/// The storage trie is our own here: the real words, and no word in slot 10.
#[test]
fn the_code_returns_the_real_words_of_the_holders() {
    let Some((storage_root, holders)) = real_holders() else { return };
    let account = account(storage_root);
    let world = world(&holders.iter().map(|holder| (holder.owner, holder.units)).collect::<Vec<_>>());
    for holder in &holders {
        let (amount, read) = by_code(&world, holder.owner);
        assert_eq!(read, BTreeSet::from([GUARD, key(holder.owner)]), "{}", holder.owner);
        // The same word as over the real proofs.
        let real = account.slot(key(holder.owner), &holder.proof).unwrap();
        assert_eq!((amount, &Slot::Present(amount)), (holder.units, real.leaf()), "{}", holder.owner);
        assert_eq!(by_slot(&world, holder.owner), Ok(amount), "{}", holder.owner);
    }
    let others: BTreeSet<U256> = holders.iter().map(|holder| holder.units).collect();
    assert!(others.len() > 20, "the holders are told apart by their amounts");
}

/// Nothing else in storage counts: not the owner, `paused`, the fees, or that the holder is on the black list.
#[test]
fn no_other_slot_changes_the_balance() {
    let held = [(1, U256::ZERO), (2, U256::ONE), (3, U256::from(1_234_567)), (4, U256::MAX)];
    let held = held.map(|(byte, units)| (Address::repeat_byte(byte), units));
    let mut world = world(&held);
    for slot in (0..=20).filter(|slot| *slot != 10) {
        let base = B256::with_last_byte(slot);
        world = world.storing(USDT, base, U256::MAX);
        for (owner, _) in held.iter().filter(|_| slot != 2) {
            world = world.storing(USDT, Mapping::Solidity { base }.slot(*owner), U256::MAX);
        }
    }
    for (owner, units) in held {
        let (amount, read) = by_code(&world, owner);
        assert_eq!((amount, by_slot(&world, owner)), (units, Ok(units)), "{owner}");
        assert_eq!(read, BTreeSet::from([GUARD, key(owner)]), "{owner}");
    }
}

/// Once USDT is deprecated the slot has no meaning: the layout gives no number, and the code asks the other contract.
#[test]
fn a_deprecated_usdt_asks_the_contract_that_replaced_it() {
    let owner = Address::repeat_byte(0xa1);
    let upgraded = U256::from_be_bytes(UPGRADED.into_word().0);
    let before = world(&[(owner, U256::from(7))]).with(UPGRADED, token_of("9"));
    for (word, expected) in [(upgraded | DEPRECATED, 9_u64), (upgraded, 7)] {
        let world = before.clone().storing(USDT, GUARD, word);
        assert!(matches!(by_slot(&world, owner), Err(Obstacle::GuardFailed { .. })), "{word}");
        let executed = world.run(&balance_of(USDT, owner)).0.unwrap();
        let balance = VerifiedBalance::from_execution(&executed, USDT, owner).unwrap();
        assert_eq!(balance.amount(), U256::from(expected), "{word}");
        let asked = executed.touched().slots().contains_key(&UPGRADED);
        assert_eq!(asked, word != upgraded, "only `deprecated` counts for the code");
        let Derivation::Executed { code_hash, .. } = balance.derivation() else { panic!() };
        assert_eq!(*code_hash, layout("TetherToken").code_hash);
    }
    assert_eq!(by_slot(&before, owner), Ok(U256::from(7)));
}
