use alloy_primitives::hex;
use saldo_proof::Query;

use super::*;
use crate::proven::{OWNER, Proven, TOKEN, all_of};
use crate::route::NotAToken;
use crate::table;

#[test]
fn a_balance_says_whose_it_is_and_what_it_rests_on() {
    let layout = table::layouts().iter().find(|layout| layout.name == "FiatTokenV2_2").unwrap();
    let key = layout.mapping.slot(OWNER);
    for (word, is_blocked) in [(U256::from(5), false), (U256::from(5) | (U256::ONE << 255), true)] {
        let proven = Proven::of_hash(layout.code_hash, key, word);
        let balance = VerifiedBalance::from_slot(&proven.state(&all_of(key)), TOKEN, OWNER).unwrap();
        assert_eq!((balance.token(), balance.owner(), balance.amount()), (TOKEN, OWNER, U256::from(5)));
        assert_eq!((balance.is_blocked(), balance.state_root()), (is_blocked, proven.root));
        assert_eq!(balance.block_hash(), None);
        let code_hash = layout.code_hash;
        let expected = Derivation::Slot { layout: "FiatTokenV2_2", code_hash, implementation: None };
        assert_eq!(*balance.derivation(), expected);
    }
}

#[test]
fn an_unused_slot_of_a_known_code_is_zero() {
    let layout = table::layouts().iter().find(|layout| layout.name == "WETH9").unwrap();
    let (used, unused) = (layout.mapping.slot(TOKEN), layout.mapping.slot(OWNER));
    let proven = Proven::of_hash(layout.code_hash, used, U256::from(5));
    let balance = VerifiedBalance::from_slot(&proven.state(&all_of(unused)), TOKEN, OWNER).unwrap();
    assert_eq!(balance.amount(), U256::ZERO);
    let other = VerifiedBalance::from_slot(&proven.state(&all_of(used)), TOKEN, OWNER);
    assert_eq!(other, Err(Obstacle::Missing(Query::slot(TOKEN, unused))));
}

#[test]
fn the_address_in_a_proven_code_is_followed() {
    let implementation = Address::repeat_byte(0x22);
    let (start, end) = (hex!("363d3d373d3d3d363d73"), hex!("5af43d82803e903d91602b57fd5bf3"));
    let code = [&start[..], implementation.as_slice(), &end].concat();
    let proven = Proven::of_code(&code, B256::ZERO, U256::ONE);
    let mut query = Query::code(TOKEN);
    query.add_account(TOKEN);
    let balance = VerifiedBalance::from_slot(&proven.state(&query), TOKEN, OWNER);
    assert_eq!(balance, Err(Obstacle::Missing(Query::account(implementation))));
    query.add_account(implementation);
    let balance = VerifiedBalance::from_slot(&proven.state(&query), TOKEN, OWNER);
    assert_eq!(balance, Err(NotAToken::ImplementationWithoutCode { implementation }.into()));
}
