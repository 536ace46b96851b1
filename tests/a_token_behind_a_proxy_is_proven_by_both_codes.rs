//! A token behind a proxy is proven by the code of the proxy, by its pointer, and by the code of the implementation, all at one
//! block. An upgrade moves the balances to another slot: from then on, the old slot says nothing.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo::{Proven, Reading};
use saldo_drill::Chain;
use saldo_tests::assembler::token_of;
use saldo_tests::compiled::{Compiled, all_compiled, compiled};
use saldo_tests::scene::{ALICE, BOB, Scene, UNUSED};
use saldo_tests::token::{erc20, minimal_proxy, set_word};
use saldo_token::{BeaconPlace, Derivation, Pointer, Proxy, proxies};

const TOKEN: Address = Address::repeat_byte(0x51);
const OTHER: Address = Address::repeat_byte(0x52);
const BEACON: Address = Address::repeat_byte(0x53);
/// Implementations that keep balances in slots 3 and 1.
const WETH9: Address = Address::repeat_byte(0x54);
const PAIR: Address = Address::repeat_byte(0x55);
/// A contract whose code has no layout, and cannot be run to its end.
const UNKNOWN: Address = Address::repeat_byte(0x56);

fn scene(seed: u64) -> Scene {
    let scene = Scene::new(seed, 2, 1);
    scene.chain.set_code(WETH9, compiled("weth9").deployed_code);
    scene.chain.set_code(PAIR, compiled("uniswap-v2-pair").deployed_code);
    scene.chain.set_code(UNKNOWN, unreadable());
    // What the implementations themselves hold is not the token's.
    for (implementation, layout) in [(WETH9, "WETH9"), (PAIR, "UniswapV2Pair")] {
        set_word(&scene.chain, implementation, layout, ALICE, U256::from(999));
    }
    scene
}

/// Code that returns the hash of a block that no header proves.
fn unreadable() -> Bytes {
    token_of("2 NUMBER SUB BLOCKHASH")
}

fn word(address: Address) -> B256 {
    address.into_word()
}

/// Gives Alice 3 in the slot of WETH9 and 4 in the slot of a pair, so that the amount tells which slot was read.
fn fill(chain: &Chain, token: Address) {
    set_word(chain, token, "WETH9", ALICE, U256::from(3));
    set_word(chain, token, "UniswapV2Pair", ALICE, U256::from(4));
}

fn read(scene: &Scene, token: Address) -> Reading {
    scene.pass_slots(4);
    scene.simulation.run(scene.client.read(&[erc20(ALICE, token)])).pop().unwrap()
}

/// Reads the token. The implementation must be the one that is given.
#[track_caller]
fn amount(scene: &Scene, token: Address, expected: Address) -> u64 {
    let reading = read(scene, token);
    let proven = reading.proven().unwrap_or_else(|| panic!("{:?} {:?}", reading.why(), reading.attempts()));
    let Derivation::Slot { implementation, .. } = proven.token().unwrap().derivation() else { panic!() };
    assert_eq!(*implementation, Some(expected));
    u64::try_from(proven.amount().base_units()).unwrap()
}

/// The amount that the token's own code returned.
#[track_caller]
fn executed(proven: &Proven) -> u64 {
    let derivation = proven.token().unwrap().derivation();
    assert!(matches!(derivation, Derivation::Executed { .. }), "{derivation:?}");
    u64::try_from(proven.amount().base_units()).unwrap()
}

#[track_caller]
fn assert_unknown(scene: &Scene, token: Address, code: &str) {
    let reading = read(scene, token);
    let Reading::Unknown(unknown) = &reading else { panic!("not unknown: {reading:?}") };
    assert_eq!(unknown.why().code(), code, "{:?}", reading.attempts());
}

/// The compiled code of a proxy of the table.
fn code_of(proxy: &Proxy) -> Option<Compiled> {
    all_compiled().into_iter().find(|contract| contract.deployed_code_hash == proxy.code_hash)
}

/// Puts a proxy at `token`. Its immutable value, if it has one, is the address of the beacon.
fn deploy(scene: &Scene, token: Address, proxy: &Proxy) {
    match code_of(proxy) {
        Some(contract) => scene.chain.set_code(token, contract.code_with(word(BEACON))),
        None => scene.chain.set_code_hash(token, proxy.code_hash),
    }
    if let Pointer::Beacon(BeaconPlace::Slot(slot)) = proxy.pointer {
        scene.chain.set_storage(token, slot, word(BEACON).into());
    }
}

/// Lets the proxy pass its calls to `implementation`.
fn point(scene: &Scene, token: Address, proxy: &Proxy, implementation: Address) {
    let (place, slot) = match proxy.pointer {
        Pointer::Slot(slot) => (token, slot),
        Pointer::Beacon(_) => (BEACON, B256::with_last_byte(1)),
    };
    scene.chain.set_storage(place, slot, word(implementation).into());
}

#[test]
fn each_proxy_of_the_table_is_followed_also_through_an_upgrade_that_moves_the_slot() {
    for (seed, proxy) in (1..).zip(proxies()) {
        let scene = scene(seed);
        scene.chain.set_code(BEACON, compiled("proxy-4-upgradeable-beacon").deployed_code);
        deploy(&scene, TOKEN, proxy);
        fill(&scene.chain, TOKEN);
        point(&scene, TOKEN, proxy, WETH9);
        assert_eq!(amount(&scene, TOKEN, WETH9), 3, "{}", proxy.name);
        point(&scene, TOKEN, proxy, PAIR);
        assert_eq!(amount(&scene, TOKEN, PAIR), 4, "{}", proxy.name);
        point(&scene, TOKEN, proxy, UNUSED);
        assert_unknown(&scene, TOKEN, "not_a_token");
        point(&scene, TOKEN, proxy, WETH9);
        assert_eq!(amount(&scene, TOKEN, WETH9), 3, "{}", proxy.name);
    }
}

#[test]
fn a_beacon_upgrades_all_of_its_tokens() {
    let beacons = ["proxy-4-upgradeable-beacon", "proxy-5-upgradeable-beacon"];
    for (seed, beacon) in (20..).zip(beacons) {
        let scene = scene(seed);
        scene.chain.set_code(BEACON, compiled(beacon).deployed_code);
        let [first, second] = ["BeaconProxy of OpenZeppelin 4", "BeaconProxy of OpenZeppelin 5"]
            .map(|name| proxies().iter().find(|proxy| proxy.name == name).unwrap());
        for (token, proxy) in [(TOKEN, first), (OTHER, second)] {
            deploy(&scene, token, proxy);
            fill(&scene.chain, token);
        }
        for (implementation, expected) in [(WETH9, 3), (PAIR, 4), (WETH9, 3)] {
            point(&scene, TOKEN, first, implementation);
            for token in [TOKEN, OTHER] {
                assert_eq!(amount(&scene, token, implementation), expected, "{beacon}");
            }
        }
        // A beacon whose code is not known may answer anything, so it is run.
        scene.chain.set_code(BEACON, unreadable());
        for token in [TOKEN, OTHER] {
            assert_unknown(&scene, token, "token_not_run");
        }
    }
}

#[test]
fn a_code_that_differs_in_one_byte_is_another_code() {
    let scene = scene(30);
    let code = compiled("proxy-5-transparent").code_with(word(BOB));
    let slot = proxies().iter().find_map(|proxy| match proxy.pointer {
        Pointer::Slot(slot) if proxy.name == "TransparentUpgradeableProxy of OpenZeppelin 5" => Some(slot),
        _ => None,
    });
    scene.chain.set_storage(TOKEN, slot.unwrap(), word(WETH9).into());
    fill(&scene.chain, TOKEN);
    scene.chain.set_code(TOKEN, code.clone());
    assert_eq!(amount(&scene, TOKEN, WETH9), 3);
    // The admin's address is an immutable value. A proxy with another admin has the same code otherwise.
    scene.chain.set_code(TOKEN, compiled("proxy-5-transparent").code_with(B256::repeat_byte(0xff)));
    assert_eq!(amount(&scene, TOKEN, WETH9), 3);
    // Before and after the immutable value, and in the metadata at the end.
    for place in [0, 15, 48, code.len() - 1] {
        let mut other = code.to_vec();
        other[place] ^= 1;
        scene.chain.set_code(TOKEN, other.into());
        // No layout holds for it: it is run, and what comes out is its own.
        let reading = read(&scene, TOKEN);
        match reading.proven() {
            Some(proven) => assert_eq!(executed(proven), 3, "{place}"),
            None => assert_eq!(reading.why().unwrap().code(), "not_a_token", "{place} {reading:?}"),
        }
        assert!(place != code.len() - 1 || reading.proven().is_some(), "the metadata is not run");
    }
}

/// The code of a delegated account (EIP-7702).
fn delegation(target: Address) -> Bytes {
    [&[0xef, 0x01, 0x00], target.as_slice()].concat().into()
}

#[test]
fn a_delegated_account_and_a_minimal_proxy_run_the_code_that_they_name() {
    type MakeCode = fn(Address) -> Bytes;
    let codes: [(MakeCode, &str); 2] = [(delegation, "not_a_token"), (minimal_proxy, "token_not_run")];
    for (seed, (code, circle)) in (40..).zip(codes) {
        let scene = scene(seed);
        fill(&scene.chain, TOKEN);
        for (target, expected) in [(WETH9, 3), (PAIR, 4)] {
            scene.chain.set_code(TOKEN, code(target));
            assert_eq!(amount(&scene, TOKEN, target), expected);
        }
        for target in [UNUSED, BOB, Address::ZERO] {
            scene.chain.set_code(TOKEN, code(target));
            assert_unknown(&scene, TOKEN, "not_a_token");
        }
        // Only one step is followed: not to the account itself, not in a circle. On the chain, a delegation to a delegation fails,
        // and a minimal proxy calls itself until the gas is gone.
        scene.chain.set_code(OTHER, delegation(TOKEN));
        for target in [TOKEN, OTHER] {
            scene.chain.set_code(TOKEN, code(target));
            assert_unknown(&scene, TOKEN, circle);
        }
        // Through a second account: a minimal proxy can, by running the code.
        scene.chain.set_code(OTHER, delegation(WETH9));
        scene.chain.set_code(TOKEN, code(OTHER));
        match read(&scene, TOKEN) {
            Reading::Proven(proven) => assert_eq!((executed(&proven), circle), (3, "token_not_run")),
            reading => assert_eq!((reading.why().unwrap().code(), circle), ("not_a_token", "not_a_token")),
        }
    }
}

#[test]
fn a_pointer_to_a_proxy_is_not_followed() {
    let scene = scene(50);
    let proxy = proxies().iter().find(|proxy| proxy.name == "ERC1967Proxy of OpenZeppelin 5").unwrap();
    deploy(&scene, TOKEN, proxy);
    deploy(&scene, OTHER, proxy);
    fill(&scene.chain, TOKEN);
    point(&scene, OTHER, proxy, WETH9);
    for target in [TOKEN, OTHER, UNKNOWN] {
        point(&scene, TOKEN, proxy, target);
        assert_unknown(&scene, TOKEN, "token_not_run");
    }
    // Bits beyond an address: no layout is taken. The proxy's own code ignores them.
    let Pointer::Slot(slot) = proxy.pointer else { panic!() };
    scene.chain.set_storage(TOKEN, slot, U256::from_be_bytes(word(WETH9).0) | (U256::ONE << 160));
    assert_eq!(executed(read(&scene, TOKEN).proven().unwrap()), 3);
}

/// The last amount becomes final while newer blocks prove that the token is gone. It is not handed out again as the amount of now.
#[test]
fn an_amount_that_becomes_final_does_not_hide_that_the_token_is_gone() {
    let scene = scene(60);
    let proxy = proxies().iter().find(|proxy| proxy.name == "ERC1967Proxy of OpenZeppelin 4").unwrap();
    deploy(&scene, TOKEN, proxy);
    fill(&scene.chain, TOKEN);
    point(&scene, TOKEN, proxy, WETH9);
    assert_eq!(amount(&scene, TOKEN, WETH9), 3);
    for (gone, code) in [(UNUSED, "not_a_token"), (UNKNOWN, "token_not_run")] {
        point(&scene, TOKEN, proxy, gone);
        for _ in 0..12 {
            assert_unknown(&scene, TOKEN, code);
        }
        point(&scene, TOKEN, proxy, WETH9);
        assert_eq!(amount(&scene, TOKEN, WETH9), 3);
    }
}
