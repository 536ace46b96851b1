use alloy_primitives::{hex, keccak256};

use super::*;
use crate::proven::{OWNER, Proven, TOKEN, all_of};
use crate::table;

const OTHER: Address = Address::repeat_byte(0x22);

fn number(number: usize) -> Address {
    Address::left_padding_from(&number.to_be_bytes())
}

fn layout(name: &str) -> &'static crate::layout::Layout {
    table::layouts().iter().find(|layout| layout.name == name).unwrap()
}

fn word(address: Address) -> U256 {
    U256::from_be_bytes(address.into_word().0)
}

/// The code of a minimal proxy of [`OTHER`].
fn minimal_proxy() -> Vec<u8> {
    let (start, end) = (hex!("363d3d373d3d3d363d73"), hex!("5af43d82803e903d91602b57fd5bf3"));
    [&start[..], OTHER.as_slice(), &end].concat()
}

#[test]
fn contracts_and_slots_are_noted_up_to_the_capacity() {
    let mut hint = Hint::default();
    for index in 0..Hint::CAPACITY {
        hint.note_code_hash(number(index), B256::ZERO);
        hint.note_slot(number(index), B256::ZERO, U256::ZERO);
    }
    assert_eq!((hint.code_hashes.len(), hint.slots.len()), (Hint::CAPACITY, Hint::CAPACITY));
    hint.note_code_hash(OTHER, B256::ZERO);
    hint.note_slot(OTHER, B256::ZERO, U256::ZERO);
    assert_eq!((hint.code_hashes.len(), hint.slots.len()), (1, 1), "all is learned again");
}

#[test]
fn codes_are_noted_up_to_their_bytes() {
    assert_eq!(Hint::CODE_BYTES, 1_048_576);
    let half = |byte: u8| Bytes::from(vec![byte; Hint::CODE_BYTES / 2]);
    let mut hint = Hint::default();
    hint.note_code(half(1));
    hint.note_code(half(2));
    assert_eq!(hint.codes.len(), 2);
    assert_eq!(hint.code(keccak256(half(1))), Some(&half(1)));
    hint.note_code(Bytes::from_static(&[3]));
    assert_eq!(hint.codes.len(), 1, "all are learned again");
    assert_eq!(hint.code(keccak256([3])).map(AsRef::as_ref), Some(&[3][..]));
    assert_eq!(hint.code(keccak256(half(1))), None);
}

#[test]
fn the_newer_hint_counts() {
    let (mut newer, mut older) = (Hint::default(), Hint::default());
    older.note_code_hash(TOKEN, B256::repeat_byte(2));
    older.note_code_hash(OTHER, B256::repeat_byte(3));
    older.note_slot(TOKEN, B256::ZERO, U256::from(2));
    older.note_code(Bytes::from_static(&[2]));
    newer.note_code_hash(TOKEN, B256::repeat_byte(1));
    newer.note_slot(TOKEN, B256::ZERO, U256::from(1));
    newer.note_code(Bytes::from_static(&[1]));
    newer.add_older(older);
    assert_eq!(newer.code_hashes.get(&TOKEN), Some(&B256::repeat_byte(1)));
    assert_eq!(newer.code_hashes.get(&OTHER), Some(&B256::repeat_byte(3)));
    assert_eq!(newer.slots.get(&(TOKEN, B256::ZERO)), Some(&U256::from(1)));
    assert!(newer.code(keccak256([1])).is_some() && newer.code(keccak256([2])).is_some());
    // Within the bounds.
    let mut full = Hint::default();
    (0..Hint::CAPACITY).for_each(|index| full.note_code_hash(number(index), B256::ZERO));
    newer.add_older(full);
    assert!(newer.code_hashes.len() <= Hint::CAPACITY);
    assert_eq!(newer.code_hashes.get(&TOKEN), Some(&B256::repeat_byte(1)));
}

#[test]
fn all_that_a_well_known_token_needs_is_asked_for_at_once() {
    let usdc = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
    let mut expected = Query::slot(usdc, ZEPPELINOS_IMPLEMENTATION);
    expected.add_slot(usdc, layout("FiatTokenV2_2").mapping.slot(OWNER));
    expected.add_account(address!("43506849D7C04F9138D1A2050bbF3A0c054402dd"));
    assert_eq!(Hint::well_known(1).query(usdc, OWNER), expected);
    assert_eq!(Hint::well_known(5).query(usdc, OWNER), Query::account(usdc));
    let weth = address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2");
    let slot = layout("WETH9").mapping.slot(OWNER);
    assert_eq!(Hint::well_known(1).query(weth, OWNER), Query::slot(weth, slot));
}

#[test]
fn a_query_reaches_as_far_as_the_hint() {
    let mut hint = Hint::default();
    assert_eq!(hint.query(TOKEN, OWNER), Query::account(TOKEN));
    let code = minimal_proxy();
    hint.note_code_hash(TOKEN, keccak256(&code));
    let mut expected = Query::account(TOKEN);
    expected.add_code(TOKEN);
    assert_eq!(hint.query(TOKEN, OWNER), expected);
    hint.note_code(code.into());
    let mut expected = Query::account(TOKEN);
    expected.add_account(OTHER);
    assert_eq!(hint.query(TOKEN, OWNER), expected);
    hint.note_code_hash(OTHER, layout("WETH9").code_hash);
    expected.add_slot(TOKEN, layout("WETH9").mapping.slot(OWNER));
    assert_eq!(hint.query(TOKEN, OWNER), expected);
}

#[test]
fn the_way_to_the_layout_is_learned_from_a_state() {
    // A pointer in a slot.
    let proxy = table::proxies().iter().find(|proxy| proxy.name == "FiatTokenProxy").unwrap();
    let proven = Proven::of_hash(proxy.code_hash, ZEPPELINOS_IMPLEMENTATION, word(OTHER));
    let mut hint = Hint::default();
    hint.learn(&proven.state(&all_of(ZEPPELINOS_IMPLEMENTATION)), TOKEN);
    assert_eq!(hint.code_hashes.get(&TOKEN), Some(&proxy.code_hash));
    assert_eq!(hint.slots.get(&(TOKEN, ZEPPELINOS_IMPLEMENTATION)), Some(&word(OTHER)));
    let mut expected = Query::slot(TOKEN, ZEPPELINOS_IMPLEMENTATION);
    expected.add_account(OTHER);
    assert_eq!(hint.query(TOKEN, OWNER), expected);
    // An address in the code. The way goes on to where it leads.
    let code = minimal_proxy();
    let proven = Proven::of_code(&code, B256::ZERO, U256::ONE);
    let mut query = all_of(B256::ZERO);
    query.add_account(OTHER);
    let mut hint = Hint::default();
    hint.learn(&proven.state(&query), TOKEN);
    assert_eq!(hint.code(keccak256(&code)).map(AsRef::as_ref), Some(code.as_slice()));
    assert_eq!(hint.code_hashes.get(&OTHER), Some(&alloy_primitives::KECCAK256_EMPTY));
    assert!(hint.slots.is_empty(), "only the way to the layout");
}

#[test]
fn noted_codes_are_lent_to_a_state() {
    let proven = Proven::of_code(&[7], B256::ZERO, U256::ONE);
    let mut state = proven.state(&Query::account(TOKEN));
    let mut hint = Hint::default();
    hint.note_code(Bytes::from_static(&[7]));
    hint.lend_codes(&mut state);
    assert_eq!(state.code_with_hash(keccak256([7])).map(|code| code.code().as_ref()), Some(&[7][..]));
}

#[cfg(feature = "execute")]
mod executed {
    use saldo_execute::Guess;

    use super::*;

    #[test]
    fn all_of_a_state_is_learned_and_guessed_from() {
        let proven = Proven::of_code(&[7], B256::ZERO, U256::from(5));
        let mut hint = Hint::default();
        hint.learn_all(&proven.state(&all_of(B256::ZERO)));
        assert_eq!(Guess::code_hash(&hint, TOKEN), Some(keccak256([7])));
        assert_eq!(Guess::code_hash(&hint, OTHER), None);
        assert_eq!(hint.word(TOKEN, B256::ZERO), Some(U256::from(5)));
        assert_eq!(hint.word(OTHER, B256::ZERO), None);
        let code = Guess::code(&hint, keccak256([7])).unwrap();
        assert_eq!((code.hash(), code.code().as_ref()), (keccak256([7]), &[7][..]));
        assert!(Guess::code(&hint, B256::ZERO).is_none());
    }

    /// `PUSH1 3 SLOAD PUSH0 MSTORE PUSH1 32 PUSH0 RETURN`.
    #[test]
    fn what_a_run_would_read_is_asked_for_only_where_no_slot_gives_the_balance() {
        let code = [0x60, 3, 0x54, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3];
        let proven = Proven::of_code(&code, B256::ZERO, U256::ONE);
        let environment = proven.environment();
        let mut hint = Hint::default();
        let query = |hint: &Hint| hint.query_by_running(TOKEN, OWNER, &environment, None);
        hint.note_code_hash(TOKEN, keccak256(code));
        let mut expected = Query::account(TOKEN);
        expected.add_code(TOKEN);
        assert_eq!(query(&hint), expected);
        hint.note_code(code.to_vec().into());
        assert_eq!(query(&hint), Query::slot(TOKEN, B256::with_last_byte(3)));
        hint.note_code_hash(TOKEN, layout("WETH9").code_hash);
        assert_eq!(query(&hint), Query::slot(TOKEN, layout("WETH9").mapping.slot(OWNER)));
    }

    /// A list is asked for where no slot gives the balance, as far as the hint reaches.
    #[test]
    fn the_call_is_known_where_the_code_may_have_to_be_run() {
        let mut hint = Hint::default();
        let call = crate::execution::balance_of(TOKEN, OWNER);
        assert_eq!(hint.call_of(TOKEN, OWNER), Some(call.clone()), "nothing is known");
        hint.note_code_hash(TOKEN, keccak256([7]));
        hint.note_code(Bytes::from_static(&[7]));
        assert_eq!(hint.call_of(TOKEN, OWNER), Some(call.clone()), "no layout");
        hint.note_code_hash(TOKEN, layout("WETH9").code_hash);
        assert_eq!(hint.call_of(TOKEN, OWNER), None, "a slot gives it");
        hint.note_code_hash(TOKEN, alloy_primitives::KECCAK256_EMPTY);
        assert_eq!(hint.call_of(TOKEN, OWNER), None, "no token");
        // The condition of a layout does not hold.
        let tether = layout("TetherToken");
        hint.note_code_hash(TOKEN, tether.code_hash);
        assert_eq!(hint.call_of(TOKEN, OWNER), None);
        hint.note_slot(TOKEN, tether.guards[0].slot, U256::MAX);
        assert_eq!(hint.call_of(TOKEN, OWNER), Some(call));
    }

    #[test]
    fn a_list_becomes_a_query_of_bounded_size() {
        let mut hint = Hint::default();
        hint.note_code_hash(OTHER, alloy_primitives::KECCAK256_EMPTY);
        let key = B256::with_last_byte;
        let list = vec![(TOKEN, vec![key(1), key(2)]), (OTHER, vec![]), (TOKEN, vec![key(3)])];
        let mut expected = Query::slot(TOKEN, key(1));
        expected.add_slot(TOKEN, key(2));
        expected.add_slot(TOKEN, key(3));
        expected.add_account(OTHER);
        expected.add_code(TOKEN);
        assert_eq!(hint.query_of_list(list.clone()), expected);
        // A code that is noted is not asked for.
        hint.note_code_hash(TOKEN, keccak256([7]));
        assert!(hint.query_of_list(list.clone()).codes().contains(&TOKEN), "only its hash is known");
        hint.note_code(Bytes::from_static(&[7]));
        assert!(hint.query_of_list(list).codes().is_empty());
        let keys = |count: usize| (0..count).map(|slot| B256::from(U256::from(slot))).collect::<Vec<_>>();
        let slots =
            |query: &Query| query.slots().values().map(std::collections::BTreeSet::len).sum::<usize>();
        let half = saldo_execute::SLOTS / 2;
        let large =
            hint.query_of_list(vec![(TOKEN, keys(half)), (OTHER, keys(half + 9)), (number(1), keys(1))]);
        assert_eq!((slots(&large), large.slots().len()), (saldo_execute::SLOTS, 3));
        let many = hint.query_of_list((0..99).map(|index| (number(index), keys(1))).collect());
        assert_eq!((slots(&many), many.slots().len()), (saldo_execute::ACCOUNTS, saldo_execute::ACCOUNTS));
    }

    #[test]
    fn only_what_a_query_names_is_learned() {
        let proven = Proven::of_code(&[7], B256::ZERO, U256::from(5));
        let state = proven.state(&all_of(B256::ZERO));
        let mut hint = Hint::default();
        hint.learn_of(&state, &Query::account(OTHER));
        assert!(hint.code_hashes.is_empty() && hint.slots.is_empty() && hint.codes.is_empty());
        hint.learn_of(&state, &Query::account(TOKEN));
        assert_eq!(Guess::code_hash(&hint, TOKEN), Some(keccak256([7])));
        assert!(hint.code(keccak256([7])).is_some() && hint.slots.is_empty());
        hint.learn_of(&state, &Query::slot(TOKEN, B256::with_last_byte(9)));
        assert!(hint.slots.is_empty(), "it is not proven");
        hint.learn_of(&state, &Query::slot(TOKEN, B256::ZERO));
        assert_eq!(hint.word(TOKEN, B256::ZERO), Some(U256::from(5)));
    }
}
