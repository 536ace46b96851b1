use super::*;
use crate::proven::{OWNER, Proven, TOKEN, all_of};
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
    assert_eq!(other, Err(Obstacle::Missing(saldo_proof::Query::slot(TOKEN, unused))));
}
