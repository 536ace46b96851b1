//! The published source of USDC keeps the amount of a holder and whether it is blocked where the layout says.
//!
//! The compiled code has another hash than the code on mainnet, because the compiler appends a digest that depends on comments. That
//! nothing else differs cannot be shown without the code on mainnet. So the layout rests on its real proof, and this stands beside it.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_tests::compiled::{Compiled, compiled};
use saldo_tests::proven_world::ProvenWorld;
use saldo_tests::token::layout;
use saldo_token::{Mapping, Obstacle, VerifiedBalance, Word, balance_of};

const TOKEN: Address = Address::repeat_byte(0x70);
const TOP_BIT: U256 = U256::from_limbs([0, 0, 0, 1 << 63]);

fn usdc() -> Compiled {
    compiled("fiat-token")
}

/// The amount that `code` returns over `world`, and the slots that it reads.
fn run(world: &ProvenWorld, owner: Address) -> (U256, BTreeSet<B256>) {
    let executed = world.run(&balance_of(TOKEN, owner)).0.unwrap();
    let balance = VerifiedBalance::from_execution(&executed, TOKEN, owner).unwrap();
    (balance.amount(), executed.touched().slots()[&TOKEN].clone())
}

/// Holders with what may stand in the mapping.
fn holders() -> Vec<(Address, U256)> {
    let words = [U256::ZERO, U256::from(7), TOP_BIT, TOP_BIT | U256::from(9), TOP_BIT - U256::ONE, U256::MAX];
    (1..).map(Address::repeat_byte).zip(words).collect()
}

/// `code` with these words in the mapping.
fn world(code: Bytes) -> ProvenWorld {
    let mapping = layout("FiatTokenV2_2").mapping;
    let world = ProvenWorld::default().with(TOKEN, code);
    holders().into_iter().fold(world, |world, (owner, word)| world.storing(TOKEN, mapping.slot(owner), word))
}

#[track_caller]
fn assert_amounts_of_the_layout(world: &ProvenWorld) {
    let layout = layout("FiatTokenV2_2");
    for (owner, word) in holders() {
        let expected = (layout.word.read(word).0, BTreeSet::from([layout.mapping.slot(owner)]));
        assert_eq!(run(world, owner), expected, "{owner}");
    }
}

#[test]
fn the_compiler_puts_the_mapping_where_the_layout_has_it() {
    let (usdc, layout) = (usdc(), layout("FiatTokenV2_2"));
    let variable = usdc.variable("balanceAndBlacklistStates");
    assert_eq!((variable.slot, variable.offset), (U256::from(9), 0));
    assert_eq!(variable.type_name, "mapping(address => uint256)");
    assert_eq!(layout.mapping, Mapping::Solidity { base: variable.slot.into() });
    assert!(usdc.immutables.is_empty() && layout.guards.is_empty());
}

/// Another virtual machine ran `initialize`, `configureMinter` and `mint`, and then `blacklist` and `pause`.
#[test]
fn the_highest_bit_of_the_word_says_blocked() {
    let (usdc, layout) = (usdc(), layout("FiatTokenV2_2"));
    assert_eq!(layout.word, Word::BlockedBitAndAmount);
    let paused = usdc.variable("paused");
    let observed = [usdc.observed.as_ref().unwrap(), usdc.observed_blocked.as_ref().unwrap()];
    for (observed, is_blocked) in observed.into_iter().zip([false, true]) {
        let word = |key: B256| U256::from_be_bytes(observed.storage[&key].0);
        let balance = word(layout.mapping.slot(observed.holder));
        assert_eq!(layout.word.read(balance), (observed.units, is_blocked));
        assert_eq!(balance, if is_blocked { TOP_BIT | observed.units } else { observed.units });
        assert_eq!(observed.balance, observed.units);
        assert_eq!(word(paused.slot.into()).byte(paused.offset), u8::from(is_blocked), "paused");
        // What saldo runs over that storage gives the same.
        let storage = observed.storage.iter();
        let world = ProvenWorld::default().with(TOKEN, usdc.deployed_code.clone());
        let world = storage.fold(world, |world, (key, word)| world.storing(TOKEN, *key, (*word).into()));
        let expected = (observed.balance, BTreeSet::from([layout.mapping.slot(observed.holder)]));
        assert_eq!(run(&world, observed.holder), expected);
    }
}

/// Nothing else in storage counts: not `paused`, the version, or the black list of earlier versions.
#[test]
fn no_other_slot_changes_the_balance() {
    let plain = world(usdc().deployed_code);
    assert_amounts_of_the_layout(&plain);
    let mut full = plain;
    for slot in (0..=30).filter(|slot| *slot != 9) {
        let base = B256::with_last_byte(slot);
        full = full.storing(TOKEN, base, U256::MAX);
        for (owner, _) in holders() {
            full = full.storing(TOKEN, Mapping::Solidity { base }.slot(owner), U256::MAX);
        }
    }
    assert_amounts_of_the_layout(&full);
}

/// The digest at the end is no instruction: with another one the code returns the same. The table has neither of these codes.
#[test]
fn the_digest_of_the_metadata_changes_no_result() {
    let code = usdc().deployed_code;
    // CBOR: a map of "ipfs", a multihash of 34 bytes, "solc", and the version 0.6.12; then the length of all that.
    let (ipfs, solc) =
        (alloy_primitives::hex!("a2646970667358221220"), alloy_primitives::hex!("64736f6c634300060c0033"));
    let start = code.len() - 32 - solc.len();
    assert!(code[..start].ends_with(&ipfs) && code.ends_with(&solc));
    for byte in [0x00, 0x5b, 0xff] {
        let mut other = code.to_vec();
        other[start..start + 32].fill(byte);
        let world = world(other.into());
        assert_amounts_of_the_layout(&world);
        let (mut state, owner) = (world.nothing(), Address::repeat_byte(2));
        let obstacle = loop {
            match VerifiedBalance::from_slot(&state, TOKEN, owner).unwrap_err() {
                Obstacle::Missing(query) => world.prove(&mut state, &query),
                obstacle => break obstacle,
            }
        };
        assert!(matches!(obstacle, Obstacle::LayoutUnknown { .. }), "{obstacle:?}");
    }
}
