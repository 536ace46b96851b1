use std::collections::BTreeMap;

use alloy_primitives::{Bytes, KECCAK256_EMPTY, U256, keccak256};

use super::*;
use crate::known::Known;
use crate::proxy::ZEPPELINOS_IMPLEMENTATION;

const TOKEN: Address = Address::repeat_byte(1);
const IMPLEMENTATION: Address = Address::repeat_byte(2);

impl Known {
    fn of_code(code_hash: B256) -> Self {
        Self { code_hashes: BTreeMap::from([(TOKEN, code_hash)]), ..Self::default() }
    }

    fn with_bytes(code: &[u8]) -> Self {
        let mut known = Self::of_code(keccak256(code));
        known.codes.insert(keccak256(code), Bytes::copy_from_slice(code));
        known
    }

    fn describe(&self) -> Result<TokenDescription, Query> {
        TokenDescription::describe(self, TOKEN, StateRoot::new(B256::repeat_byte(7)))
    }
}

fn hash_of(name: &str) -> B256 {
    table::layouts().iter().find(|layout| layout.name == name).unwrap().code_hash
}

fn proxy() -> &'static crate::proxy::Proxy {
    table::proxies().iter().find(|proxy| proxy.name == "FiatTokenProxy").unwrap()
}

#[test]
fn a_token_of_known_code_can_be_proven_by_slot() {
    let described = Known::of_code(hash_of("WETH9")).describe().unwrap();
    assert_eq!((described.token(), described.code_hash()), (TOKEN, hash_of("WETH9")));
    assert_eq!(described.state_root(), StateRoot::new(B256::repeat_byte(7)));
    assert_eq!((described.proxy(), described.implementation()), (None, None));
    assert_eq!(described.layout().unwrap().name, "WETH9");
    assert!(described.guards().is_empty());
    assert_eq!(described.provability(), Provability::Slot);
}

#[test]
fn a_proxy_is_named_with_its_implementation() {
    let mut known = Known::of_code(proxy().code_hash);
    assert_eq!(known.describe().unwrap_err(), Query::slot(TOKEN, ZEPPELINOS_IMPLEMENTATION));
    known.slots.insert((TOKEN, ZEPPELINOS_IMPLEMENTATION), U256::from_be_bytes(IMPLEMENTATION.into_word().0));
    assert_eq!(known.describe().unwrap_err(), Query::account(IMPLEMENTATION));
    known.code_hashes.insert(IMPLEMENTATION, hash_of("FiatTokenV2_2"));
    let described = known.describe().unwrap();
    assert_eq!(described.proxy(), Some("FiatTokenProxy"));
    assert_eq!(described.implementation(), Some((IMPLEMENTATION, hash_of("FiatTokenV2_2"))));
    assert_eq!(
        (described.layout().unwrap().name, described.provability()),
        ("FiatTokenV2_2", Provability::Slot)
    );

    known.code_hashes.insert(IMPLEMENTATION, B256::repeat_byte(9));
    let unknown = known.describe().unwrap();
    assert!(unknown.layout().is_none());
    assert_eq!(
        (unknown.proxy(), unknown.provability()),
        (Some("FiatTokenProxy"), Provability::LayoutUnknown)
    );

    known.code_hashes.insert(IMPLEMENTATION, KECCAK256_EMPTY);
    let broken = known.describe().unwrap();
    let not = NotAToken::ImplementationWithoutCode { implementation: IMPLEMENTATION };
    assert_eq!(broken.provability(), Provability::NotAToken(not));
    assert_eq!(broken.implementation(), Some((IMPLEMENTATION, KECCAK256_EMPTY)));
}

#[test]
fn the_address_in_the_code_tells_which_proxy_it_is() {
    let minimal = [
        alloy_primitives::hex!("363d3d373d3d3d363d73").as_slice(),
        IMPLEMENTATION.as_slice(),
        &alloy_primitives::hex!("5af43d82803e903d91602b57fd5bf3"),
    ];
    let delegated = [[0xef, 0x01, 0x00].as_slice(), IMPLEMENTATION.as_slice()];
    for (code, name) in
        [(minimal.concat(), "minimal proxy (ERC-1167)"), (delegated.concat(), "delegated account (EIP-7702)")]
    {
        let mut known = Known::with_bytes(&code);
        known.code_hashes.insert(IMPLEMENTATION, hash_of("WETH9"));
        let described = known.describe().unwrap();
        assert_eq!((described.proxy(), described.provability()), (Some(name), Provability::Slot));
        known.codes.clear();
        assert_eq!(known.describe().unwrap_err(), Query::code(TOKEN));
    }
}

#[test]
fn each_condition_is_checked_and_one_that_fails_is_said() {
    let mut known = Known::of_code(hash_of("TetherToken"));
    let slot = B256::with_last_byte(10);
    assert_eq!(known.describe().unwrap_err(), Query::slot(TOKEN, slot));
    for (word, holds, provability) in
        [(U256::ZERO, true, Provability::Slot), (U256::ONE, false, Provability::GuardFailed)]
    {
        known.slots.insert((TOKEN, slot), word);
        let described = known.describe().unwrap();
        let [guard] = described.guards() else { panic!("{described:?}") };
        assert_eq!((guard.address, guard.guard.slot, guard.holds), (TOKEN, slot, holds));
        assert_eq!(described.provability(), provability);
        assert_eq!(described.layout().unwrap().name, "TetherToken");
    }
}

#[test]
fn what_is_no_token_or_unknown_says_so() {
    assert_eq!(Known::default().describe().unwrap_err(), Query::account(TOKEN));
    let absent = Known::of_code(KECCAK256_EMPTY).describe().unwrap();
    assert_eq!(absent.provability(), Provability::NotAToken(NotAToken::NoCode { address: TOKEN }));
    let unknown = Known::with_bytes(&[0x60, 0x00]).describe().unwrap();
    assert_eq!((unknown.provability(), unknown.proxy()), (Provability::LayoutUnknown, None));
    let codes = [absent.provability(), unknown.provability(), Provability::Slot, Provability::GuardFailed];
    assert_eq!(codes.map(Provability::code), ["not_a_token", "layout_unknown", "slot", "guard_failed"]);
}
