use std::collections::BTreeMap;

use alloy_primitives::{Bytes, keccak256};

use super::*;
use crate::known::Known;
use crate::proxy::{ERC1967_BEACON, ZEPPELINOS_IMPLEMENTATION};

const TOKEN: Address = Address::repeat_byte(1);
const IMPLEMENTATION: Address = Address::repeat_byte(2);
const OWNER: Address = Address::repeat_byte(3);
const BEACON: Address = Address::repeat_byte(4);

fn hash_of(name: &str) -> B256 {
    let layouts = table::layouts().iter().map(|it| (it.name, it.code_hash));
    let proxies = table::proxies().iter().map(|it| (it.name, it.code_hash));
    layouts.chain(proxies).find(|(listed, _)| *listed == name).unwrap().1
}

fn word(address: Address) -> U256 {
    U256::from_be_bytes(address.into_word().0)
}

/// A token of the code `name`, of which only this is known.
fn token(name: &str) -> Known {
    Known { code_hashes: BTreeMap::from([(TOKEN, hash_of(name))]), ..Known::default() }
}

/// A proxy whose implementation has the code hash `its_code`.
fn proxied(its_code: B256) -> Known {
    let mut world = token("FiatTokenProxy");
    world.slots.insert((TOKEN, ZEPPELINOS_IMPLEMENTATION), word(IMPLEMENTATION));
    world.code_hashes.insert(IMPLEMENTATION, its_code);
    world
}

fn with_word(mut world: Known, layout: &str, value: U256) -> Known {
    let layout = table::layouts().iter().find(|it| it.name == layout).unwrap();
    world.slots.insert((TOKEN, layout.mapping.slot(OWNER)), value);
    world
}

fn read(world: &Known) -> Result<U256, Obstacle> {
    find(world, TOKEN)?.word(world, TOKEN, OWNER)
}

#[test]
fn each_step_asks_for_what_it_needs() {
    let mut world = Known::default();
    assert_eq!(read(&world), Err(Obstacle::Missing(Query::account(TOKEN))));
    world = token("FiatTokenProxy");
    assert_eq!(read(&world), Err(Obstacle::Missing(Query::slot(TOKEN, ZEPPELINOS_IMPLEMENTATION))));
    world.slots.insert((TOKEN, ZEPPELINOS_IMPLEMENTATION), word(IMPLEMENTATION));
    assert_eq!(read(&world), Err(Obstacle::Missing(Query::account(IMPLEMENTATION))));
    world = proxied(hash_of("FiatTokenV2_2"));
    let key = table::layout(hash_of("FiatTokenV2_2")).unwrap().mapping.slot(OWNER);
    assert_eq!(read(&world), Err(Obstacle::Missing(Query::slot(TOKEN, key))));
    world.slots.insert((TOKEN, key), U256::from(5));
    assert_eq!(read(&world), Ok(U256::from(5)));
}

#[test]
fn the_words_of_the_implementation_itself_are_not_the_tokens() {
    let layout = table::layout(hash_of("FiatTokenV2_2")).unwrap();
    let mut world = proxied(layout.code_hash);
    world.slots.insert((IMPLEMENTATION, layout.mapping.slot(OWNER)), U256::from(5));
    assert!(matches!(read(&world), Err(Obstacle::Missing(_))));
}

#[test]
fn an_empty_slot_of_unknown_code_is_no_zero() {
    // Every slot of it is empty, and would be proven to be empty.
    let code = Bytes::from_static(&[0x60, 0x00]);
    let mut world = Known::default();
    world.code_hashes.insert(TOKEN, keccak256(&code));
    for layout in table::layouts() {
        world.slots.insert((TOKEN, layout.mapping.slot(OWNER)), U256::ZERO);
    }
    assert_eq!(read(&world), Err(Obstacle::Missing(Query::code(TOKEN))));
    world.codes.insert(keccak256(&code), code.clone());
    let unknown = Obstacle::LayoutUnknown { code_hash: keccak256(&code), implementation: None };
    assert_eq!(read(&world), Err(unknown));
}

#[test]
fn an_implementation_of_unknown_code_is_no_zero() {
    let other = B256::repeat_byte(9);
    let world = with_word(proxied(other), "FiatTokenV2_2", U256::ZERO);
    let unknown = Obstacle::LayoutUnknown { code_hash: other, implementation: Some(IMPLEMENTATION) };
    assert_eq!(read(&world), Err(unknown));
    // A proxy behind a proxy is not followed: nothing was established for it.
    let twice = proxied(hash_of("FiatTokenProxy"));
    assert!(matches!(read(&twice), Err(Obstacle::LayoutUnknown { .. })));
}

#[test]
fn an_address_without_code_is_no_token() {
    let mut world = Known::default();
    world.code_hashes.insert(TOKEN, KECCAK256_EMPTY);
    assert_eq!(read(&world), Err(NotAToken::NoCode { address: TOKEN }.into()));
    let world = proxied(KECCAK256_EMPTY);
    let missing = NotAToken::ImplementationWithoutCode { implementation: IMPLEMENTATION };
    assert_eq!(read(&world), Err(missing.into()));
}

#[test]
fn a_pointer_that_is_no_address_leads_nowhere() {
    let mut world = proxied(hash_of("FiatTokenV2_2"));
    world.slots.insert((TOKEN, ZEPPELINOS_IMPLEMENTATION), word(IMPLEMENTATION) | (U256::ONE << 200));
    assert!(matches!(read(&world), Err(Obstacle::LayoutUnknown { implementation: None, .. })));
    // No implementation at all: the zero address, which has no code.
    world.slots.insert((TOKEN, ZEPPELINOS_IMPLEMENTATION), U256::ZERO);
    world.code_hashes.insert(Address::ZERO, KECCAK256_EMPTY);
    let nowhere = NotAToken::ImplementationWithoutCode { implementation: Address::ZERO };
    assert_eq!(read(&world), Err(nowhere.into()));
}

#[test]
fn a_guard_must_be_known_and_must_hold() {
    let layout = table::layout(hash_of("TetherToken")).unwrap();
    let guard = layout.guards[0];
    let world = with_word(token("TetherToken"), "TetherToken", U256::from(7));
    assert_eq!(read(&world), Err(Obstacle::Missing(Query::slot(TOKEN, guard.slot))));
    let with_guard = |value| {
        let mut world = world.clone();
        world.slots.insert((TOKEN, guard.slot), value);
        read(&world)
    };
    assert_eq!(with_guard(U256::ZERO), Ok(U256::from(7)));
    // `deprecated` is the byte before the address.
    for value in [U256::ONE, U256::ONE << 160, word(IMPLEMENTATION)] {
        assert_eq!(with_guard(value), Err(Obstacle::GuardFailed { meaning: guard.meaning }));
    }
}

#[test]
fn a_minimal_proxy_is_followed_by_its_code() {
    let prefix = [0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73];
    let suffix = [0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3];
    let minimal = [&prefix[..], IMPLEMENTATION.as_slice(), &suffix].concat();
    let delegation = [&[0xef, 0x01, 0x00][..], IMPLEMENTATION.as_slice()].concat();
    for code in [minimal, delegation] {
        let mut world = Known::default();
        world.code_hashes.insert(TOKEN, keccak256(&code));
        world.code_hashes.insert(IMPLEMENTATION, hash_of("WETH9"));
        // Without the code it is not known where it leads.
        assert_eq!(read(&world), Err(Obstacle::Missing(Query::code(TOKEN))));
        world.codes.insert(keccak256(&code), code.into());
        assert_eq!(read(&with_word(world, "WETH9", U256::from(3))), Ok(U256::from(3)));
    }
}

/// A beacon that names the implementation, with the code of a pair of Uniswap.
fn behind_a_beacon(its_code: B256) -> Known {
    let mut world = token("BeaconProxy of OpenZeppelin 4");
    world.slots.insert((TOKEN, ERC1967_BEACON), word(BEACON));
    world.code_hashes.insert(BEACON, its_code);
    world.slots.insert((BEACON, B256::with_last_byte(1)), word(IMPLEMENTATION));
    world.code_hashes.insert(IMPLEMENTATION, hash_of("UniswapV2Pair"));
    with_word(world, "UniswapV2Pair", U256::from(4))
}

#[test]
fn a_beacon_is_followed_only_if_its_own_code_is_known() {
    for beacon in table::beacons() {
        let whole = behind_a_beacon(beacon.code_hash);
        assert_eq!(read(&whole), Ok(U256::from(4)));
        let route = find(&whole, TOKEN).unwrap();
        assert_eq!((route.implementation, route.layout.name), (Some(IMPLEMENTATION), "UniswapV2Pair"));
        // Each step asks for what it needs.
        let without = |address, key| {
            let mut world = whole.clone();
            world.slots.remove(&(address, key));
            read(&world)
        };
        let of_the_beacon = B256::with_last_byte(1);
        let pointer = Query::slot(TOKEN, ERC1967_BEACON);
        assert_eq!(without(TOKEN, ERC1967_BEACON), Err(Obstacle::Missing(pointer)));
        let named = Query::slot(BEACON, of_the_beacon);
        assert_eq!(without(BEACON, of_the_beacon), Err(Obstacle::Missing(named)));
        let mut world = whole.clone();
        world.code_hashes.remove(&BEACON);
        assert_eq!(read(&world), Err(Obstacle::Missing(Query::account(BEACON))));
        // A word that is no address, in the proxy and in the beacon.
        for place in [(TOKEN, ERC1967_BEACON), (BEACON, of_the_beacon)] {
            let mut world = whole.clone();
            world.slots.insert(place, word(IMPLEMENTATION) | (U256::ONE << 160));
            assert!(matches!(read(&world), Err(Obstacle::LayoutUnknown { implementation: None, .. })));
        }
    }
    for other in [hash_of("UniswapV2Pair"), KECCAK256_EMPTY, B256::repeat_byte(9)] {
        let unknown = read(&behind_a_beacon(other));
        assert!(matches!(unknown, Err(Obstacle::LayoutUnknown { implementation: None, .. })));
    }
}

#[test]
fn an_implementation_that_is_delegated_or_minimal_is_not_followed_further() {
    let delegation: Bytes = [&[0xef, 0x01, 0x00][..], BEACON.as_slice()].concat().into();
    let mut world = Known::default();
    world.code_hashes.insert(TOKEN, keccak256(&delegation));
    world.codes.insert(keccak256(&delegation), delegation.clone());
    world.code_hashes.insert(BEACON, keccak256(&delegation));
    let unknown = Obstacle::LayoutUnknown { code_hash: keccak256(&delegation), implementation: Some(BEACON) };
    assert_eq!(read(&world), Err(unknown));
}
